// SPDX-License-Identifier: GPL-2.0-only
// Makes of an image one of the same tree with right fingerprints: reads it into
// an archive that mkfs.erofs reads, and compares what comes out.
#include "tool/fingerprint_image.h"

#include "base/error.h"
#include "base/pending_file.h"
#include "base/progress.h"
#include "base/quote.h"
#include "base/running_hash.h"
#include "base/text_table.h"
#include "erofs/erofs_utils.h"
#include "erofs/mkfs_erofs.h"
#include "erofs/pax_stream.h"
#include "erofs/tree_record.h"
#include "tool/check_image.h"
#include "tool/fingerprint_options.h"
#include "tool/image_contents.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <iostream>
#include <set>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What mkfs.erofs 1.9.4 can write without a word and without a loss: longer
/// ones wrap around, and what is behind them becomes attributes, too.
constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostValue = 65535;
/// Of all attributes of a file with their heads, with room for a fingerprint.
constexpr std::size_t kMostAttributes = std::size_t{65534} * 4 - 512;

/// Says that @what begins: where the bar of Progress comes, in its place.
void say_step(const std::string &what)
{
	if (isatty(STDERR_FILENO) == 1)
		std::cerr << '\r' << what << "\033[K" << std::flush;
	else
		std::cerr << what << std::endl;
}

/// Who reads the contents of the old image's files.
class OldContents {
      public:
	OldContents(const FingerprintRequest &request, const ErofsImage &image)
	    : files_(image.files()),
	      contents_(image, request.devices, files_, request.contents)
	{
		const bool fragments = image.has_fragments();

		for (const ErofsFile &file : files_)
			by_number_[file.nid] = &file;
		if (fragments && contents_.by_program())
			throw_error(EOPNOTSUPP,
				    quote_name(request.image) +
					    ": it has fragments, of which "
					    "fsck.erofs 1.9.4 reads some "
					    "wrong; run this as root, to have "
					    "the kernel read them");
	}

	/// Gives all bytes of the regular file @node to @sink.
	void read(const ErofsNode &node, const DataSink &sink) const
	{
		contents_.read(*by_number_.at(node.nid), 0, sink);
	}
	/// Removes what it needed. Throws if something of it is left.
	void close()
	{
		contents_.close();
	}

      private:
	std::vector<ErofsFile> files_;
	std::unordered_map<std::uint64_t, const ErofsFile *> by_number_;
	ImageContents contents_;
};

/// The work on one image.
class Fingerprinter {
      public:
	explicit Fingerprinter(const FingerprintRequest &request)
	    : request_(request), old_(open_old(request.image)),
	      name_(quote_name(request.image))
	{
	}

	FingerprintResult run();

      private:
	static ErofsImage open_old(const std::string &path);
	void survey();
	void survey_node(const std::string &path, const ErofsNode &node);
	void survey_attributes(const std::string &path, const ErofsNode &node);
	[[noreturn]] void refuse(const std::string &path,
				 const std::string &why) const;
	void need_space() const;
	[[nodiscard]] ProcessLimits limits() const;
	[[nodiscard]] ErofsNode cleaned(ErofsNode node) const;
	void write_tree(int to);
	void make(PendingFile &image, const std::string &mkfs);
	void compare(const std::string &path);
	[[noreturn]] void differs(const std::string &path,
				  const NodeFacts &facts) const;

	const FingerprintRequest &request_;
	ErofsImage old_;
	std::string name_;
	ImageForm form_ = {};
	std::vector<std::string> options_;
	std::string digest_;
	/// How often the inodes came that say they have more than one name.
	std::map<std::uint64_t, std::uint32_t> linked_;
	std::set<std::uint64_t> single_;
	TreeRecord tree_;
	std::unordered_map<std::string, std::string> fingerprints_;
	std::uint64_t attribute_bytes_ = 0;
	FingerprintResult result_ = {};
};

ErofsImage Fingerprinter::open_old(const std::string &path)
{
	return open_image_with_names(path);
}

void Fingerprinter::refuse(const std::string &path,
			   const std::string &why) const
{
	throw_error(EOPNOTSUPP, name_ + ": " +
					quote_name(path.empty() ? "/" : path) +
					" cannot be kept: " + why);
}

void Fingerprinter::survey_attributes(const std::string &path,
				      const ErofsNode &node)
{
	std::size_t all = 0;

	for (const ErofsAttribute &attribute : node.attributes) {
		if (attribute.fingerprint) {
			result_.stale++;
			continue;
		}
		if (!pax_can_name(attribute))
			refuse(path, "there is a \"=\" in the name of its "
				     "attribute " +
					     quote_name(attribute.name));
		if (attribute.name.size() > kMostName ||
		    attribute.value.size() > kMostValue)
			refuse(path, "its attribute " +
					     quote_name(attribute.name) +
					     " is longer than 255 bytes of "
					     "name and 65535 of value");
		all += 8 + attribute.name.size() + attribute.value.size();
	}
	attribute_bytes_ += all;
	if (all > kMostAttributes)
		refuse(path,
		       "it has " + std::to_string(all) +
			       " bytes of attributes, of which mkfs.erofs "
			       "can write " +
			       std::to_string(kMostAttributes));
}

void Fingerprinter::survey_node(const std::string &path, const ErofsNode &node)
{
	constexpr std::uint32_t kSecond = 1000000000;

	result_.names++;
	if (node.nanoseconds >= kSecond)
		refuse(path, "its time has " +
				     std::to_string(node.nanoseconds) +
				     " nanoseconds");
	switch (node.mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		break;
	case S_IFSOCK:
		refuse(path, "it is a socket, which no archive has");
	default:
		refuse(path, "it is of no known kind");
	}
	if (!S_ISDIR(node.mode)) {
		const bool first = node.links == 1
					   ? single_.insert(node.nid).second
					   : linked_[node.nid]++ == 0;

		if (!first && node.links == 1)
			refuse(path, "it has more names than it says");
		if (!first)
			return;
	}
	survey_attributes(path, node);
	if (!S_ISREG(node.mode) || node.size == 0)
		return;
	if (node.size > INT64_MAX - result_.bytes)
		refuse(path, "the files up to it are longer than can be");
	result_.files++;
	result_.bytes += node.size;
	form_.compressed = form_.compressed || node.compressed;
	if (node.chunk > 0)
		form_.chunk = form_.chunk == 0
				      ? node.chunk
				      : std::min(form_.chunk, node.chunk);
}

/// Looks at all that is to be kept, before anything is made.
void Fingerprinter::survey()
{
	say_step(name_ + ": reading its directories");
	form_.block_size = old_.block_size();
	form_.label = old_.label();
	old_.visit_nodes([&](const std::string &path, const ErofsNode &node) {
		survey_node(path, cleaned(node));
	});
	single_.clear();
	linked_.clear();
	if (old_.extra_devices() != request_.devices.size())
		throw_error(EINVAL,
			    name_ + ": it has data on " +
				    std::to_string(old_.extra_devices()) +
				    " extra devices, and --device=FILE is "
				    "there " +
				    std::to_string(request_.devices.size()) +
				    " times; name them in the order in which "
				    "mkfs.erofs got them");
}

/// mkfs.erofs keeps all contents in the image's file until it is complete.
void Fingerprinter::need_space() const
{
	const std::string directory = std::filesystem::absolute(request_.result)
					      .parent_path()
					      .string();
	struct statvfs space {};

	if (statvfs(directory.c_str(), &space) != 0)
		throw_errno(quote_name(request_.result) +
			    ": its directory must exist");
	const std::uint64_t room =
		std::uint64_t{space.f_bavail} * space.f_frsize;
	if (room < result_.bytes)
		throw_error(ENOSPC, quote_name(directory) + ": the files of " +
					    name_ + " take " +
					    human_bytes(result_.bytes) +
					    " on the way, and it has " +
					    human_bytes(room) +
					    "; free some, or make the image "
					    "elsewhere");
}

/// More than an honest mkfs.erofs ever takes for that tree: it may be another
/// one, or be taken over by what it reads.
ProcessLimits Fingerprinter::limits() const
{
	constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
	/// Of a name: its inode, entry, and the largest block that is begun.
	constexpr std::uint64_t kPerName = 68 * 1024;
	/// What the slowest of its compressors make in a second.
	constexpr std::uint64_t kBytesPerSecond = 64 * 1024;

	return {.seconds = 3600 + result_.bytes / kBytesPerSecond,
		// Each thread has a stack, and an arena that is reserved.
		.memory = 4096 * kMiB +
			  128 * kMiB * std::thread::hardware_concurrency() +
			  result_.names * 8192,
		// The contents as they are come before what they become.
		.file = 64 * kMiB + 2 * result_.bytes + 2 * attribute_bytes_ +
			result_.names * kPerName};
}

/// @node, with all that was or will be a fingerprint marked as such.
ErofsNode Fingerprinter::cleaned(ErofsNode node) const
{
	for (ErofsAttribute &attribute : node.attributes)
		if (attribute.name == kHiddenFingerprint ||
		    attribute.name == digest_)
			attribute.fingerprint = true;
	return node;
}

/// Writes the old tree as an archive, and records it.
void Fingerprinter::write_tree(int to)
{
	OldContents contents(request_, old_);
	PaxStream out(to, "mkfs.erofs");
	LinkNames links;
	Progress progress(name_, result_.bytes);

	old_.visit_nodes([&](const std::string &path, const ErofsNode &read) {
		const ErofsNode node = cleaned(read);
		const std::string first = links.first(path, node);
		std::string fingerprint;

		if (first != path) {
			out.link(path, first);
			fingerprint = fingerprints_[first];
		} else {
			out.begin(path, node);
			if (S_ISREG(node.mode) && node.size > 0) {
				RunningHash hash;

				contents.read(node, [&](auto bytes) {
					hash.add(bytes);
					out.data(bytes);
					progress.add(bytes.size());
				});
				out.end_data();
				fingerprint = hash.fingerprint();
				fingerprints_[path] = fingerprint;
			}
		}
		tree_.add(path, node_facts(node, first, fingerprint));
	});
	out.end();
	contents.close();
}

void Fingerprinter::make(PendingFile &image, const std::string &mkfs)
{
	MkfsErofs program(mkfs, options_, image, limits());

	say_step(name_ + ": reading " + human_bytes(result_.bytes) + " in " +
		 std::to_string(result_.files) + " files");
	try {
		write_tree(program.input());
	} catch (const std::system_error &error) {
		// It has ended, and says why.
		if (error.code().value() != EPIPE)
			throw;
	}
	say_step(quote_name(request_.result) + ": mkfs.erofs writes it");
	program.finish();
	if (tree_.size() != result_.names)
		throw_error(EIO, name_ + ": mkfs.erofs took " +
					 std::to_string(tree_.size()) + " of " +
					 std::to_string(result_.names) +
					 " names");
}

/// Says in what @path of the new image, with @facts, is not as in the old one.
void Fingerprinter::differs(const std::string &path,
			    const NodeFacts &facts) const
{
	std::string text = "it was not in the old one";
	LinkNames links;

	old_.visit_nodes([&](const std::string &at, const ErofsNode &read) {
		const std::string first = links.first(at, read);

		if (at != path)
			return;
		const auto known = fingerprints_.find(first);
		const NodeFacts old = node_facts(
			cleaned(read), first,
			known == fingerprints_.end() ? "" : known->second);
		text = "what it has";
		for (std::size_t i = 0; i < old.size() || i < facts.size(); i++)
			if (i >= old.size() || i >= facts.size() ||
			    old[i] != facts[i]) {
				text = i < old.size() ? old[i].first
						      : facts[i].first;
				break;
			}
		text += " differs";
	});
	throw_error(EIO,
		    quote_name(request_.result) +
			    ": not made, the tree would not be the same: " +
			    quote_name(path.empty() ? "/" : path) + ", " +
			    one_line(text) +
			    "; leave out options of mkfs.erofs that "
			    "change the tree");
}

/// Compares the image at @path with what was read of the old one.
void Fingerprinter::compare(const std::string &path)
{
	const ErofsImage image = open_old(path);
	std::unordered_map<std::uint64_t, std::string> made;
	std::size_t names = 0;
	LinkNames links;

	for (const ErofsFile &file : image.files())
		made[file.nid] = file.fingerprint;
	image.visit_nodes([&](const std::string &at, const ErofsNode &read) {
		const ErofsNode node = cleaned(read);
		const auto fingerprint = made.find(node.nid);
		const NodeFacts facts = node_facts(
			node, links.first(at, node),
			fingerprint == made.end() ? "" : fingerprint->second);

		if (!tree_.has(at, facts))
			differs(at, facts);
		names++;
	});
	if (names != result_.names)
		throw_error(EIO, quote_name(request_.result) +
					 ": not made, it would have " +
					 std::to_string(names) + " of " +
					 std::to_string(result_.names) +
					 " names; leave out options of "
					 "mkfs.erofs that change the tree");
	if (result_.files == 0)
		return;
	say_step(quote_name(request_.result) +
		 ": comparing it with its fingerprints");
	const ImageCheck check = check_image(path, {}, request_.contents);
	if (!check.right())
		throw_error(EIO,
			    quote_name(request_.result) + ": not made, " +
				    std::to_string(check.files) +
				    " files would not all have had the right "
				    "fingerprint (wrong: " +
				    std::to_string(check.wrong.size()) +
				    ", missing: " +
				    std::to_string(check.missing.size()) +
				    ", ambiguous: " +
				    std::to_string(check.ambiguous.size()) +
				    "): a fault of mkfs.erofs or of who reads "
				    "its images; try without options");
}

FingerprintResult Fingerprinter::run()
{
	const std::string mkfs = find_mkfs();

	digest_ = digest_name(request_.options);
	survey();
	options_ = mkfs_options(form_, request_.options);
	need_space();
	PendingFile image(request_.result);
	make(image, mkfs);
	say_step(quote_name(request_.result) + ": comparing the trees");
	compare(image.path());
	image.commit();
	struct stat status {};
	if (fstat(image.fd(), &status) == 0)
		result_.size = static_cast<std::uint64_t>(status.st_size);
	result_.unpacked = form_.compressed && !compresses(options_);
	return result_;
}

} // namespace

FingerprintResult fingerprint_image(const FingerprintRequest &request)
{
	// mkfs.erofs may end before it has read all.
	std::signal(SIGPIPE, SIG_IGN);
	return Fingerprinter(request).run();
}

} // namespace erofs_share
