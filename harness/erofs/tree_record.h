// SPDX-License-Identifier: GPL-2.0-only
// What a tree is, name by name, to find out whether another one is the same:
// owners, modes, times, devices, links, attributes and contents, but no
// fingerprints.
#pragma once

#include "erofs/erofs_reader.h"

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace erofs_share {

/// What is to be equal: names and values, for people.
using NodeFacts = std::vector<std::pair<std::string, std::string>>;

/// The names of an image's inodes as they come, to tell which of them are links
/// to one file.
class LinkNames {
      public:
	/// The name that @node had first; @path if it has not come before.
	const std::string &first(const std::string &path,
				 const ErofsNode &node);

      private:
	std::map<std::uint64_t, std::string> names_;
	std::string last_;
};

/// The facts of @node, whose first name is @first; @fingerprint is that of its
/// contents, if it is a file that has any.
NodeFacts node_facts(const ErofsNode &node, const std::string &first,
		     const std::string &fingerprint);

/// The names of a tree, each with what is to be equal, in a short form.
class TreeRecord {
      public:
	/// Adds what is called @path.
	void add(const std::string &path, const NodeFacts &facts);
	/// Whether @path is there, with @facts.
	[[nodiscard]] bool has(const std::string &path,
			       const NodeFacts &facts) const;
	[[nodiscard]] bool has(const std::string &path) const
	{
		return digests_.contains(path);
	}
	/// How many names there are.
	[[nodiscard]] std::size_t size() const
	{
		return digests_.size();
	}

      private:
	std::unordered_map<std::string, std::string> digests_;
};

} // namespace erofs_share
