// SPDX-License-Identifier: GPL-2.0-only
// Making the images of the fingerprint rule, and those beside them whose tests
// need mkfs.erofs in its other modes.
#include "content/fingerprint_cases.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "content/content.h"
#include "content/tar_archive.h"
#include "erofs/content_hash.h"
#include "erofs/erofs_utils.h"
#include "machine/overlay.h"

#include <fcntl.h>
#include <filesystem>
#include <sstream>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

constexpr const char *kDigest = "--xattr-inode-digest";

void write_file(const std::string &path, const std::string &bytes)
{
	write_all(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).get(),
		  std::as_bytes(std::span(bytes)), path);
}

class Maker {
      public:
	Maker(std::string mkfs, const std::string &directory)
	    : mkfs_(std::move(mkfs)),
	      directory_(fs::absolute(directory).string()),
	      tree_(scratch_.path() + "/tree")
	{
		fs::create_directory(tree_);
		make_tree(find_tree(kCaseTree), tree_);
		find_values();
		own_.resize(find_tree(kCaseTree).file("own").size);
		fill_content(find_tree(kCaseTree).file("own"), 0,
			     std::as_writable_bytes(std::span(own_)));
	}

	void run()
	{
		std::string verdicts;

		for (const FingerprintCase &one : fingerprint_cases()) {
			make(one);
			verdicts += one.name + " " +
				    case_verdict_name(one.verdict) + "\n";
		}
		write_file(directory_ + "/verdicts", verdicts);
		mkfs({"-b4096", kDigest}, image("honest"), {tree_});
		other_modes();
		compressed();
	}

      private:
	void find_values()
	{
		const std::vector<std::string> values =
			hash_files({{.path = tree_ + "/low"},
				    {.path = tree_ + "/own"},
				    {.path = tree_ + "/high"}},
				   "");

		values_ = {values[0], values[1], values[2]};
		// mkfs.erofs sorts entries of one name by value.
		if (!(values_.low < values_.own && values_.own < values_.high))
			throw_error(EINVAL,
				    std::string("fingerprints of the tree ") +
					    kCaseTree +
					    " are not in the order of its "
					    "names: choose other seeds");
	}

	[[nodiscard]] std::string image(const std::string &name) const
	{
		return directory_ + "/" + name + ".erofs";
	}

	/// An archive of the one file of a case.
	std::string archive(const std::vector<Attribute> &attributes) const
	{
		std::string path = scratch_.path() + "/archive.tar";
		std::string all;

		if (!attributes.empty()) {
			const std::string records =
				attribute_records(attributes);

			all += tar_header("pax", records.size(), 'x');
			tar_append(all, records);
		}
		all += tar_header(kCaseFile, own_.size(), '0');
		tar_append(all, own_);
		write_file(path, all + tar_end());
		return path;
	}

	void make(const FingerprintCase &one) const
	{
		if (one.build) {
			RawImage raw = one.build(values_);

			raw.files.front().data = own_;
			write_file(image(one.name), build_image(raw));
			return;
		}
		std::vector<std::string> options = one.options;

		options.emplace_back("--tar=f");
		mkfs(options, image(one.name),
		     {archive(one.attributes(values_))});
	}

	/// Images that refer to others, which they need as devices: two layers
	/// merged, with the named form, and an index of an archive.
	void other_modes() const
	{
		const std::string named =
			std::string(kDigest) + "=trusted.erofs.fingerprint";
		const std::string tar = directory_ + "/index.tar";

		for (const auto &[form, option] :
		     {std::pair{std::string("named"), named},
		      std::pair{std::string("hidden"), std::string(kDigest)}}) {
			const std::string lower = image("layer-1-" + form);
			const std::string upper = image("layer-2-" + form);

			mkfs({"-b4096", "-Enoinline_data", option}, lower,
			     {tree_});
			mkfs({"-b4096", "-Enoinline_data", "--tar=f", option},
			     upper, {archive({})});
			mkfs({"-b4096", option}, image("merged-" + form),
			     {upper, lower});
		}
		fs::copy_file(archive({}), tar);
		mkfs({"--tar=i", kDigest}, image("index"), {tar});
		mkfs({"--tar=f", "-b512", kDigest}, image("full"), {tar});
	}

	/// Two compressed files with an index that tests rewrite: of two
	/// entries each, in its full form. Big physical clusters are declared.
	void compressed() const
	{
		const std::string directory = scratch_.path() + "/compressed";

		fs::create_directory(directory);
		for (const std::string name : {"a", "z"}) {
			std::string text;

			for (int line = 0; line < 128; line++)
				text.append(63, name[0]).append("\n");
			write_file(directory + "/" + name, text);
		}
		mkfs({"-b4096", "-zlz4", "-Elegacy-compress", "-C8192",
		      kDigest},
		     image("clusters"), {directory});
	}

	/// Runs mkfs.erofs with a fixed time and UUID. Throws.
	void mkfs(const std::vector<std::string> &options,
		  const std::string &to,
		  const std::vector<std::string> &from) const
	{
		std::vector<std::string> argv = {
			mkfs_,
			"--quiet",
			"-T1700000000",
			"--all-time",
			"--all-root",
			"-U00000000-0000-4000-8000-000000000000"};

		argv.insert(argv.end(), options.begin(), options.end());
		argv.push_back(to);
		argv.insert(argv.end(), from.begin(), from.end());
		const ProgramResult result =
			run_program("/", argv, Capture::kAll);
		if (result.status != 0 || fs::file_size(to) == 0)
			throw_error(EIO, "mkfs.erofs " + to + ": " +
						 last_line(result.output));
	}

	std::string mkfs_;
	std::string directory_;
	TemporaryDirectory scratch_;
	std::string tree_;
	CaseValues values_;
	std::string own_; ///< contents of a case's file
};

} // namespace

void make_fingerprint_cases(const std::string &mkfs,
			    const std::string &directory)
{
	Maker(mkfs, directory).run();
}

} // namespace erofs_share
