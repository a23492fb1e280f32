// SPDX-License-Identifier: GPL-2.0-only
// What a tree is, name by name.
#include "erofs/tree_record.h"

#include "base/running_hash.h"

#include <cstdio>
#include <sys/stat.h>

namespace erofs_share {

namespace {

std::string octal(std::uint32_t value)
{
	char text[16];

	std::snprintf(text, sizeof(text), "%o", value);
	return text;
}

std::string digest_of(const NodeFacts &facts)
{
	RunningHash hash;
	const auto add = [&](const std::string &text) {
		// With its length, so that no two lists look alike.
		const std::string both =
			std::to_string(text.size()) + ":" + text;

		hash.add(std::as_bytes(std::span(both)));
	};

	for (const auto &[name, value] : facts) {
		add(name);
		add(value);
	}
	return hash.fingerprint();
}

} // namespace

const std::string &LinkNames::first(const std::string &path,
				    const ErofsNode &node)
{
	// Nothing of one name only has to be kept.
	if (S_ISDIR(node.mode) || node.links == 1) {
		last_ = path;
		return last_;
	}
	return names_.try_emplace(node.nid, path).first->second;
}

NodeFacts node_facts(const ErofsNode &node, const std::string &first,
		     const std::string &fingerprint)
{
	NodeFacts facts = {
		{"mode", octal(node.mode)},
		{"owner", std::to_string(node.uid)},
		{"group", std::to_string(node.gid)},
		{"modification time", std::to_string(node.seconds)},
		{"nanoseconds of it", std::to_string(node.nanoseconds)}};

	if (S_ISREG(node.mode)) {
		facts.emplace_back("size", std::to_string(node.size));
		if (node.size > 0)
			facts.emplace_back("contents", fingerprint);
	}
	// Those of a directory follow from what is in it.
	if (!S_ISDIR(node.mode)) {
		facts.emplace_back("link count", std::to_string(node.links));
		facts.emplace_back("first name", first);
	}
	if (S_ISLNK(node.mode))
		facts.emplace_back("target", node.target);
	if (S_ISCHR(node.mode) || S_ISBLK(node.mode))
		facts.emplace_back("device number",
				   std::to_string(node.major) + ":" +
					   std::to_string(node.minor));
	for (const ErofsAttribute &attribute : node.attributes)
		if (!attribute.fingerprint)
			facts.emplace_back("attribute " + attribute.name,
					   attribute.value);
	return facts;
}

void TreeRecord::add(const std::string &path, const NodeFacts &facts)
{
	digests_[path] = digest_of(facts);
}

bool TreeRecord::has(const std::string &path, const NodeFacts &facts) const
{
	const auto found = digests_.find(path);

	return found != digests_.end() && found->second == digest_of(facts);
}

} // namespace erofs_share
