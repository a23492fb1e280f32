// SPDX-License-Identifier: GPL-2.0-only
// Commands of the laboratory that make test trees and images.
#include "lab/lab_commands.h"

#include "content/attributes.h"
#include "content/content.h"
#include "content/device_archive.h"
#include "content/fingerprint_cases.h"
#include "content/image_patch.h"

#include <iostream>

namespace erofs_share {

void add_content_commands(CLI::App &app)
{
	auto *list = app.add_subcommand("list-trees",
					"print the names of the test trees");
	list->callback([] {
		for (const std::string &name : tree_names())
			std::cout << name << '\n';
	});

	static std::string name;
	static std::string directory;
	auto *make = app.add_subcommand(
		"make-tree", "make the files of a test tree in a directory");
	make->add_option("TREE", name, "one of list-trees")->required();
	make->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	make->callback([] { make_tree(find_tree(name), directory); });

	static std::string archive;
	auto *attributes = app.add_subcommand(
		"make-attribute-archive",
		"write the tree \"attributes\" as a tar archive");
	attributes->add_option("FILE", archive, "the new archive")->required();
	attributes->callback([] { write_attribute_archive(archive); });

	static std::string mkfs;
	auto *cases = app.add_subcommand(
		"make-fingerprint-cases",
		"make the images of the fingerprint rule in a directory");
	cases->add_option("MKFS", mkfs, "path of mkfs.erofs")
		->required()
		->check(CLI::ExistingFile);
	cases->add_option("DIR", directory, "an existing directory")
		->required()
		->check(CLI::ExistingDirectory);
	cases->callback([] { make_fingerprint_cases(mkfs, directory); });

	static std::string device_archive;
	auto *devices = app.add_subcommand(
		"make-device-archive",
		"write the tree \"devices\" as a tar archive");
	devices->add_option("FILE", device_archive, "the new archive")
		->required();
	devices->callback([] { write_device_archive(device_archive); });

	static std::string image;
	static unsigned int prefix = 0;
	auto *declare = app.add_subcommand(
		"declare-fingerprints",
		"let a long attribute prefix of an image carry fingerprints");
	declare->add_option("IMAGE", image, "an erofs image")
		->required()
		->check(CLI::ExistingFile);
	declare->add_option("PREFIX", prefix, "number of the long prefix")
		->check(CLI::Range(0, 127));
	declare->callback([] {
		declare_fingerprints(image, static_cast<unsigned char>(prefix));
	});
}

} // namespace erofs_share
