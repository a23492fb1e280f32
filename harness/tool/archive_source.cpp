// SPDX-License-Identifier: GPL-2.0-only
// Tar archives as what an image would be made of: how members make a tree.
// archive_reader.h reads them.
#include "tool/archive_source.h"

#include "base/error.h"
#include "base/quote.h"
#include "tool/archive_reader.h"

#include <algorithm>
#include <climits>
#include <set>

namespace erofs_share {

namespace {

using Member = ArchiveTree::Member;
using Kind = ArchiveTree::Member::Kind;

/// Of all names of a tree: they are in memory.
constexpr std::uint64_t kMostNameBytes = std::uint64_t{1} << 29;
/// Of the contents of all archives of a tree, unpacked, holes too.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
/// What a name takes beside its bytes.
constexpr std::uint64_t kNameCost = 128;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::string parent_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');

	return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in(const std::string &path)
{
	const std::size_t slash = path.rfind('/');

	return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// @path below the root of a tree, as mkfs.erofs --tar=f takes it; empty for
/// the root. Throws for what no file can be called.
std::string clean(const std::string &path, const std::string &name)
{
	std::string result;

	for (std::size_t from = 0; from <= path.size();) {
		const std::size_t end =
			std::min(path.find('/', from), path.size());
		const std::string part = path.substr(from, end - from);

		from = end + 1;
		if (part.empty() || part == ".")
			continue;
		if (part == "..") {
			result = parent_of(result);
			continue;
		}
		if (part.size() > NAME_MAX ||
		    result.size() + part.size() + 1 >= PATH_MAX)
			throw_error(ENAMETOOLONG,
				    quote_name(name) + ": member " +
					    quote_name(path.substr(0, 300)));
		result += (result.empty() ? "" : "/") + part;
	}
	return result;
}

} // namespace

/// Counts @bytes more of names that are kept, which the archive @name made.
void ArchiveTree::count_names(std::uint64_t bytes, const std::string &name)
{
	name_bytes_ += bytes + kNameCost;
	if (name_bytes_ > kMostNameBytes)
		throw_error(EOVERFLOW,
			    quote_name(name) + ": its names take more than " +
				    std::to_string(kMostNameBytes) + " bytes");
}

void ArchiveTree::remove_below(const std::string &path)
{
	const std::string start = path.empty() ? "" : path + "/";
	auto at = nodes_.lower_bound(start);

	while (at != nodes_.end() && at->first.starts_with(start))
		at = nodes_.erase(at);
}

/// Removes what the whiteout @path hides.
void ArchiveTree::white_out(const std::string &path)
{
	const std::string parent = parent_of(path);
	const std::string name = name_in(path);

	if (name == kOpaque) {
		remove_below(parent);
		return;
	}
	const std::string hidden = (parent.empty() ? "" : parent + "/") +
				   name.substr(kWhiteout.size());
	remove_below(hidden);
	nodes_.erase(hidden);
}

/// Lets all above @path be directories.
void ArchiveTree::need_parents(const std::string &path, const std::string &name,
			       Whiteouts whiteouts)
{
	for (std::string parent = parent_of(path); !parent.empty();
	     parent = parent_of(parent)) {
		const auto known = nodes_.find(parent);

		if (known != nodes_.end() &&
		    known->second.kind == Kind::kDirectory)
			return;
		// Layers may lead through a symbolic link of a lower one.
		if (known != nodes_.end() && whiteouts == Whiteouts::kFiles)
			throw_error(ENOTDIR, quote_name(name) + ": member " +
						     quote_name(path) +
						     " lies below " +
						     quote_name(parent));
		// One long name can need thousands of these.
		count_names(parent.size(), name);
		nodes_[parent] = {.kind = Kind::kDirectory,
				  .number = 0,
				  .size = 0,
				  .fingerprint = {}};
	}
}

void ArchiveTree::put(const Member &member, const std::string &name,
		      Whiteouts whiteouts)
{
	Node node = {.kind = member.kind,
		     .number = ++numbers_,
		     .size = member.size,
		     .fingerprint = member.fingerprint};

	if (member.path.empty()) {
		if (member.kind != Kind::kDirectory)
			throw_error(ENOTDIR, quote_name(name) +
						     ": a member is the root, "
						     "and no directory");
		return;
	}
	if (member.kind == Kind::kLink) {
		const auto target = nodes_.find(clean(member.link, name));

		if (target == nodes_.end() ||
		    target->second.kind == Kind::kDirectory)
			throw_error(ENOENT,
				    quote_name(name) + ": member " +
					    quote_name(member.path) +
					    " is a link to " +
					    quote_name(member.link) +
					    ", which is no file before it");
		node = target->second;
	}
	need_parents(member.path, name, whiteouts);
	if (node.kind != Kind::kDirectory)
		remove_below(member.path);
	nodes_[member.path] = std::move(node);
}

void ArchiveTree::add(const ArchiveFile &archive, Whiteouts whiteouts)
{
	const std::string &name = archive.name;
	std::vector<Member> members;

	read_archive(archive, [&](Member member) {
		count_names(member.path.size() + member.link.size(), name);
		// Of all layers: one archive may be many of them.
		if (member.size > kMostBytes - content_bytes_)
			throw_error(EFBIG, quote_name(name) +
						   ": the contents up to it "
						   "are more than " +
						   std::to_string(kMostBytes) +
						   " bytes");
		content_bytes_ += member.size;
		member.path = clean(member.path, name);
		members.push_back(std::move(member));
	});
	const auto is_whiteout = [&](const Member &member) {
		return whiteouts == Whiteouts::kRemove &&
		       name_in(member.path).starts_with(kWhiteout);
	};
	// They hide what is below the archive, wherever they are in it.
	for (const Member &member : members)
		if (is_whiteout(member))
			white_out(member.path);
	for (const Member &member : members)
		if (!is_whiteout(member))
			put(member, name, whiteouts);
}

std::vector<SourceFile> ArchiveTree::files() const
{
	std::set<std::uint64_t> seen;
	std::vector<SourceFile> files;

	for (const auto &[path, node] : nodes_)
		if (node.kind == Kind::kFile && node.size > 0 &&
		    seen.insert(node.number).second)
			files.push_back({path, node.size, node.fingerprint});
	return files;
}

} // namespace erofs_share
