// SPDX-License-Identifier: GPL-2.0-only
// The tree of the seeds of hostile images.
#include "content/seed_tree.h"

#include "base/error.h"

#include <array>
#include <filesystem>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace erofs_share {

namespace {

void set_attribute(const std::string &path, const std::string &name,
		   const std::string &value)
{
	if (setxattr(path.c_str(), name.c_str(), value.data(), value.size(),
		     0) != 0)
		throw_errno("setxattr " + name + " " + path);
}

void make_symlink(const std::string &target, const std::string &path)
{
	if (symlink(target.c_str(), path.c_str()) != 0)
		throw_errno("symlink " + path);
}

Tree make_files()
{
	constexpr std::uint64_t kBlock = 4096;
	static constexpr std::array<std::uint64_t, 9> kSizes = {
		1, 511, 513, 1500, 4000, 4095, 4096, 4097, 8193};
	Tree tree{.name = "seed", .files = {}};

	for (const std::uint64_t size : kSizes)
		tree.files.push_back(
			{"sizes/" + std::to_string(size), size, size,
			 size % 2 == 0 ? Content::kText : Content::kRandom});
	tree.files.push_back({"text", 30001, 51, Content::kText});
	// Starts like text, so that its parts can be deduplicated.
	tree.files.push_back({"text-start", 17001, 51, Content::kText});
	tree.files.push_back({"random", 12289, 52, Content::kRandom});
	tree.files.push_back({"dir/sub/twin1", 9001, 53, Content::kText});
	tree.files.push_back({"dir/sub/twin2", 9001, 53, Content::kText});
	tree.files.push_back({"dir/empty", 0, 0, Content::kRandom});
	tree.files.push_back({"holes/only",
			      9001,
			      54,
			      Content::kText,
			      std::nullopt,
			      {{0, 9001}}});
	tree.files.push_back({"holes/some",
			      6 * kBlock + 5,
			      55,
			      Content::kText,
			      std::nullopt,
			      {{0, kBlock},
			       {2 * kBlock, 4 * kBlock},
			       {5 * kBlock, 6 * kBlock}}});
	return tree;
}

/// A directory of more than one block without another inode in it.
void add_many_names(const std::string &directory)
{
	const std::string target = directory + "/dir/empty";

	for (int i = 0; i < 30; i++) {
		const std::string path = directory + "/names/" +
					 std::to_string(1000 + i) +
					 std::string(i % 2 * 245 + 1, 'n');

		if (link(target.c_str(), path.c_str()) != 0)
			throw_errno("link " + path);
	}
}

void add_attributes(const std::string &directory)
{
	// On three files or more: stored once, in the shared area.
	for (const char *name : {"/text", "/random", "/text-start", "/sizes/1",
				 "/sizes/4096", "/dir"}) {
		set_attribute(directory + name, "user.shared", "shared value");
		set_attribute(directory + name, "user.shared-long",
			      std::string(300, 's'));
	}
	set_attribute(directory + "/text", "user.own", "own");
	set_attribute(directory + "/text", "user.empty", "");
	set_attribute(directory + "/random", "user.long",
		      std::string(1500, 'v'));
	set_attribute(directory + "/dir/sub", "user.on.a.directory", "yes");
	// scripts/images/fuzz-seeds gives this prefix a place in the table.
	set_attribute(directory + "/random", "user.prefixed.one", "1");
	set_attribute(directory + "/sizes/513", "user.prefixed.two", "2");
	set_attribute(directory + "/sizes/513", "user." + std::string(200, 'n'),
		      "long name");
}

} // namespace

const Tree &seed_tree()
{
	static const Tree kTree = make_files();

	return kTree;
}

void make_seed_tree(const std::string &directory)
{
	make_tree(seed_tree(), directory);
	std::filesystem::create_directory(directory + "/names");
	add_many_names(directory);
	make_symlink("text", directory + "/link");
	make_symlink("/nowhere/" + std::string(250, 'x'),
		     directory + "/dir/long-link");
	if (link((directory + "/random").c_str(),
		 (directory + "/dir/hard").c_str()) != 0)
		throw_errno("link " + directory + "/dir/hard");
	if (mkfifo((directory + "/dir/fifo").c_str(), 0644) != 0)
		throw_errno("mkfifo " + directory + "/dir/fifo");
	add_attributes(directory);
}

} // namespace erofs_share
