// SPDX-License-Identifier: GPL-2.0-only
// Reads a tar archive by libarchive, in a process without root's rights: what
// comes back are the members, in a pipe.
//
// libarchive is loaded when it is needed: with what it depends on itself, it is
// ten times as big as this program, which guests hold in memory.
#include "tool/archive_reader.h"

#include "base/child.h"
#include "base/confinement.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/progress.h"
#include "base/quote.h"
#include "base/running_hash.h"
#include "base/unprivileged.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <clocale>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <new>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

using Member = ArchiveTree::Member;
using Kind = ArchiveTree::Member::Kind;

/// Contents of one archive, unpacked, holes too: all of it is hashed.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
/// Longer names than that are no files' anyway.
constexpr std::uint32_t kMostText = 65536;
/// What a message begins with that is no member.
constexpr std::uint8_t kFailure = 0xff;
constexpr std::uint8_t kEnd = 0xfe;
constexpr std::uint8_t kOtherDigest = 0xfd;
/// The status of a process that would keep what it must not.
constexpr int kNotConfined = 126;
/// Computing: for an archive of any size, and how much of one in a second.
constexpr std::uint64_t kStartSeconds = 600;
constexpr std::uint64_t kBytesPerSecond = std::uint64_t{1} << 20;
/// Memory beside what the program has already.
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 30;

/// The functions of libarchive that are used.
struct Library {
	explicit Library(void *handle);

	decltype(&::archive_read_new) read_new;
	decltype(&::archive_read_free) read_free;
	decltype(&::archive_read_support_format_tar) format_tar;
	decltype(&::archive_read_support_filter_gzip) filter_gzip;
	decltype(&::archive_read_support_filter_bzip2) filter_bzip2;
	decltype(&::archive_read_support_filter_xz) filter_xz;
	decltype(&::archive_read_support_filter_zstd) filter_zstd;
	decltype(&::archive_read_open) open;
	decltype(&::archive_read_next_header) next_header;
	decltype(&::archive_read_data_block) data_block;
	decltype(&::archive_filter_bytes) filter_bytes;
	decltype(&::archive_error_string) error_string;
	decltype(&::archive_entry_pathname) pathname;
	decltype(&::archive_entry_hardlink) hardlink;
	decltype(&::archive_entry_filetype) filetype;
	decltype(&::archive_entry_size) size;
	decltype(&::archive_entry_size_is_set) size_is_set;
};

template <typename Function>
void find(void *handle, const char *name, Function &function)
{
	function = reinterpret_cast<Function>(dlsym(handle, name));
	if (function == nullptr)
		throw_error(ENOSYS, std::string("libarchive has no ") + name);
}

Library::Library(void *handle)
{
	find(handle, "archive_read_new", read_new);
	find(handle, "archive_read_free", read_free);
	find(handle, "archive_read_support_format_tar", format_tar);
	find(handle, "archive_read_support_filter_gzip", filter_gzip);
	find(handle, "archive_read_support_filter_bzip2", filter_bzip2);
	find(handle, "archive_read_support_filter_xz", filter_xz);
	find(handle, "archive_read_support_filter_zstd", filter_zstd);
	find(handle, "archive_read_open", open);
	find(handle, "archive_read_next_header", next_header);
	find(handle, "archive_read_data_block", data_block);
	find(handle, "archive_filter_bytes", filter_bytes);
	find(handle, "archive_error_string", error_string);
	find(handle, "archive_entry_pathname", pathname);
	find(handle, "archive_entry_hardlink", hardlink);
	find(handle, "archive_entry_filetype", filetype);
	find(handle, "archive_entry_size", size);
	find(handle, "archive_entry_size_is_set", size_is_set);
}

const Library &library()
{
	static const Library loaded([] {
		void *handle =
			dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);

		if (handle == nullptr)
			throw_error(ENOENT,
				    "libarchive is needed to read archives; "
				    "install libarchive13, or "
				    "libarchive13t64");
		return handle;
	}());

	return loaded;
}

/// What goes through the pipe.
class Sender {
      public:
	explicit Sender(int fd) : fd_(fd)
	{
	}
	void number(std::uint64_t value)
	{
		raw(&value, sizeof(value));
	}
	void kind(std::uint8_t value)
	{
		raw(&value, sizeof(value));
	}
	void text(const std::string &value)
	{
		number(value.size());
		raw(value.data(), value.size());
	}
	void flush()
	{
		write_all(fd_, std::as_bytes(std::span(buffer_)), "pipe");
		buffer_.clear();
	}

      private:
	void raw(const void *data, std::size_t size)
	{
		buffer_.append(static_cast<const char *>(data), size);
		if (buffer_.size() > 65536)
			flush();
	}

	int fd_;
	std::string buffer_;
};

/// The pipe ends, or has what no reader sends.
struct Cut : std::exception {};

/// The other end of it, which trusts nobody.
class Receiver {
      public:
	explicit Receiver(int fd) : fd_(fd)
	{
	}
	/// False at the end.
	bool raw(void *data, std::size_t size)
	{
		auto *to = static_cast<char *>(data);

		while (size > 0) {
			if (at_ == end_ && !fill())
				return false;
			const std::size_t part = std::min(size, end_ - at_);

			std::memcpy(to, buffer_.data() + at_, part);
			at_ += part;
			to += part;
			size -= part;
		}
		return true;
	}
	std::uint64_t number()
	{
		std::uint64_t value = 0;

		if (!raw(&value, sizeof(value)))
			cut();
		return value;
	}
	std::string text()
	{
		const std::uint64_t size = number();
		std::string value;

		if (size > kMostText)
			cut();
		value.resize(size);
		if (!raw(value.data(), size))
			cut();
		return value;
	}
	[[noreturn]] static void cut()
	{
		throw Cut();
	}

      private:
	bool fill()
	{
		ssize_t got = 0;

		do
			got = read(fd_, buffer_.data(), buffer_.size());
		while (got < 0 && errno == EINTR);
		at_ = 0;
		end_ = got > 0 ? static_cast<std::size_t>(got) : 0;
		return got > 0;
	}

	int fd_;
	std::vector<char> buffer_ = std::vector<char>(65536);
	std::size_t at_ = 0;
	std::size_t end_ = 0;
};

/// The bytes of an archive, which are hashed as they are read: whoever may
/// write it can change it at any time.
class Bytes {
      public:
	explicit Bytes(const ArchiveFile &archive) : archive_(archive)
	{
	}
	/// What comes next; empty at the end.
	std::span<const std::byte> next()
	{
		const auto part =
			std::span(buffer_).first(std::min<std::uint64_t>(
				buffer_.size(), archive_.size - done_));
		const std::size_t got =
			read_at(archive_.fd.get(), part, done_, archive_.name);

		if (!archive_.digest.empty())
			hash_.add(part.first(got));
		done_ += got;
		return part.first(got);
	}
	/// Whether all of it, also what nobody asked for, is what it must be.
	bool are_right()
	{
		if (archive_.digest.empty())
			return true;
		while (!next().empty())
			;
		return hex_digest(hash_) == archive_.digest;
	}
	/// For libarchive.
	static la_ssize_t read(archive * /*all*/, void *self, const void **data)
	{
		auto *bytes = static_cast<Bytes *>(self);

		// No exception through a library in C.
		try {
			const auto part = bytes->next();

			*data = part.data();
			return static_cast<la_ssize_t>(part.size());
		} catch (const std::system_error &error) {
			bytes->failure_ = error.what();
			return ARCHIVE_FATAL;
		}
	}
	/// Why it could not be read; empty if it could.
	[[nodiscard]] const std::string &failure() const
	{
		return failure_;
	}

      private:
	const ArchiveFile &archive_;
	std::uint64_t done_ = 0;
	RunningHash hash_;
	std::string failure_;
	std::vector<std::byte> buffer_ =
		std::vector<std::byte>(std::size_t{1} << 18);
};

/// Reads one archive, in the process without rights.
class Reader {
      public:
	Reader(Bytes &bytes, Progress &progress, Sender &out)
	    : out_(out), bytes_(bytes), progress_(progress),
	      archive_(lib_.read_new(), lib_.read_free)
	{
		archive *const all = archive_.get();

		if (all == nullptr || lib_.format_tar(all) != ARCHIVE_OK)
			fail("libarchive cannot read tar archives");
		// Where it lacks one, it would start a program.
		for (auto *filter : {lib_.filter_gzip, lib_.filter_bzip2,
				     lib_.filter_xz, lib_.filter_zstd})
			if (filter(all) != ARCHIVE_OK)
				fail("libarchive cannot unpack all of gzip, "
				     "bzip2, xz and zstd");
		if (lib_.open(all, &bytes, nullptr, Bytes::read, nullptr) !=
		    ARCHIVE_OK)
			fail(error());
	}

	void read()
	{
		archive_entry *entry = nullptr;

		for (;;) {
			const int rc = lib_.next_header(archive_.get(), &entry);

			if (rc == ARCHIVE_EOF)
				return;
			// A warning is about a name in another alphabet.
			if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
				fail(error());
			send(entry);
		}
	}

      private:
	[[noreturn]] static void fail(const std::string &why)
	{
		throw_error(EBADMSG, why);
	}
	std::string error()
	{
		const char *text = lib_.error_string(archive_.get());

		if (!bytes_.failure().empty())
			return bytes_.failure();
		return text == nullptr ? "damaged" : text;
	}

	void send(archive_entry *entry)
	{
		const char *path = lib_.pathname(entry);
		const char *link = lib_.hardlink(entry);
		const auto type = lib_.filetype(entry);
		const std::int64_t size =
			lib_.size_is_set(entry) != 0 ? lib_.size(entry) : 0;
		std::string fingerprint;
		Kind kind = Kind::kOther;

		if (path == nullptr)
			fail("a member has a name that cannot be read");
		if (std::strlen(path) > kMostText ||
		    (link != nullptr && std::strlen(link) > kMostText))
			fail("a member has a name longer than " +
			     std::to_string(kMostText) + " bytes");
		if (link != nullptr)
			kind = Kind::kLink;
		else if (type == AE_IFREG)
			kind = Kind::kFile;
		else if (type == AE_IFDIR)
			kind = Kind::kDirectory;
		if (kind == Kind::kFile && size > 0)
			fingerprint =
				hash(path, static_cast<std::uint64_t>(size));
		out_.kind(static_cast<std::uint8_t>(kind));
		out_.text(path);
		out_.text(link == nullptr ? "" : link);
		out_.number(kind == Kind::kFile && size > 0
				    ? static_cast<std::uint64_t>(size)
				    : 0);
		out_.text(fingerprint);
		tell();
	}

	/// The fingerprint of the contents of @size bytes that come next.
	std::string hash(const std::string &path, std::uint64_t size)
	{
		RunningHash hash;
		std::uint64_t done = 0;

		if (size > kMostBytes - all_)
			fail("member " + quote_name(path) + " of " +
			     std::to_string(size) + " bytes: more than " +
			     std::to_string(kMostBytes) +
			     " in all are not read");
		all_ += size;
		for (;;) {
			const void *data = nullptr;
			std::size_t length = 0;
			la_int64_t offset = 0;
			const int rc = lib_.data_block(archive_.get(), &data,
						       &length, &offset);

			if (rc == ARCHIVE_EOF)
				break;
			if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
				fail("member " + quote_name(path) + ": " +
				     error());
			const auto at = static_cast<std::uint64_t>(offset);
			if (offset < 0 || at < done || at > size ||
			    length > size - at)
				fail("member " + quote_name(path) +
				     " has contents where none can be");
			zeroes(hash, at - done);
			hash.add(
				{static_cast<const std::byte *>(data), length});
			done = at + length;
			tell();
		}
		zeroes(hash, size - done);
		return hash.fingerprint();
	}

	void zeroes(RunningHash &hash, std::uint64_t count)
	{
		while (count > 0) {
			const std::size_t part =
				std::min<std::uint64_t>(zeroes_.size(), count);

			hash.add(std::span(zeroes_).first(part));
			count -= part;
		}
	}

	/// The bar is about the archive as it lies on the disk.
	void tell()
	{
		const auto now = static_cast<std::uint64_t>(
			lib_.filter_bytes(archive_.get(), -1));

		progress_.add(now - told_);
		told_ = now;
	}

	const Library &lib_ = library();
	Sender &out_;
	Bytes &bytes_;
	Progress &progress_;
	std::unique_ptr<archive, decltype(&::archive_read_free)> archive_;
	std::vector<std::byte> zeroes_ =
		std::vector<std::byte>(std::size_t{1} << 16);
	std::uint64_t all_ = 0;
	std::uint64_t told_ = 0;
};

/// What the process without rights does.
int read_and_send(const ArchiveFile &archive, Progress &progress, int to)
{
	Sender out(to);
	Bytes bytes(archive);
	std::string failure;

	try {
		Reader(bytes, progress, out).read();
	} catch (const std::system_error &error) {
		failure = error.what();
		// What is said is about the archive, not about a call.
		if (error.code().value() == EBADMSG)
			failure = failure.substr(0, failure.rfind(": "));
	} catch (const std::bad_alloc &) {
		failure = "more memory than there is for it";
	}
	// That is why, then.
	if (!bytes.are_right()) {
		out.kind(kOtherDigest);
	} else if (!failure.empty()) {
		out.kind(kFailure);
		out.text(failure.substr(0, kMostText));
	} else {
		out.kind(kEnd);
	}
	out.flush();
	return 0;
}

/// How much memory this process has mapped, which the one without rights
/// begins with.
std::uint64_t mapped_memory()
{
	const std::string pages = read_text("/proc/self/statm");

	return std::stoull(pages) *
	       static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// In the process that is to read: the bar, which asks for the terminal, before
/// there is no more asking.
int read_confined(const ArchiveFile &archive, const Permission &permission,
		  int to)
{
	Progress progress(quote_name(archive.name), archive.size);
	Confinement found;

	for (const int signal : {SIGINT, SIGTERM, SIGHUP})
		std::signal(signal, SIG_DFL);
	if (!confine(permission, found))
		return kNotConfined;
	return read_and_send(archive, progress, to);
}

[[noreturn]] void unsound(const std::string &name, const std::string &why)
{
	if (why == "Unrecognized archive format")
		throw_error(EINVAL, quote_name(name) +
					    ": expected an erofs image or a "
					    "directory, or a tar archive");
	throw_error(EBADMSG, quote_name(name) +
				     ": expected a sound tar archive (" +
				     one_line(why) + ")");
}

/// Why the process that reads @archive gave no end, by its @status.
[[noreturn]] void ended(const ArchiveFile &archive, int status,
			std::uint64_t seconds)
{
	if (status == kNotConfined)
		throw_error(EPERM,
			    quote_name(archive.name) +
				    ": the privileges of the process that "
				    "reads it cannot be taken away here, so it "
				    "was not read");
	unsound(archive.name,
		"the process that reads it has ended, status " +
			std::to_string(status) +
			(status == 128 + SIGKILL || status == 128 + SIGXCPU
				 ? "; it may compute for " +
					   std::to_string(seconds) + " seconds"
				 : ""));
}

} // namespace

ArchiveFile open_archive(const std::string &path)
{
	ArchiveFile archive = {
		.fd = UniqueFd(
			open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
		.size = 0,
		.name = path,
		.digest = {}};
	struct stat status {};

	if (!archive.fd.valid() || fstat(archive.fd.get(), &status) != 0)
		throw_errno(quote_name(path));
	if (!S_ISREG(status.st_mode))
		throw_error(EINVAL, quote_name(path) +
					    ": expected an archive, it is no "
					    "regular file");
	archive.size = static_cast<std::uint64_t>(status.st_size);
	return archive;
}

void read_archive(const ArchiveFile &archive,
		  const std::function<void(Member)> &visit)
{
	const std::string &name = archive.name;
	const std::uint64_t seconds =
		kStartSeconds + archive.size / kBytesPerSecond;
	const Permission permission = {
		.parent = getpid(),
		.user = make_stranger().id,
		.limits = {.seconds = seconds,
			   .memory = mapped_memory() + kMostMemory,
			   .file = 0},
		.program = -1,
		.readable = {},
		.writable = -1};
	std::array<int, 2> ends{};

	// Before rights go with which it may have to be found, and libgcrypt
	// has looked at the system.
	library();
	RunningHash().fingerprint();
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe");
	UniqueFd from(ends[0]);
	UniqueFd to(ends[1]);
	// Names are to come as they are: so no alphabet may be in the way.
	const std::string locale = std::setlocale(LC_CTYPE, nullptr);
	std::setlocale(LC_CTYPE, "C.UTF-8");
	Child child(
		[&] { return read_confined(archive, permission, to.get()); });
	std::setlocale(LC_CTYPE, locale.c_str());
	to.reset();
	Receiver in(from.get());
	try {
		for (;;) {
			Member member;
			std::uint8_t kind = 0;

			if (!in.raw(&kind, 1))
				Receiver::cut();
			if (kind == kEnd)
				return;
			if (kind == kOtherDigest)
				throw_error(EBADMSG,
					    quote_name(name) +
						    ": expected contents with "
						    "the digest that it is "
						    "named for: the layout is "
						    "damaged");
			if (kind == kFailure)
				unsound(name, in.text());
			if (kind > static_cast<std::uint8_t>(Kind::kOther))
				Receiver::cut();
			member.kind = static_cast<Kind>(kind);
			member.path = in.text();
			member.link = in.text();
			member.size = in.number();
			member.fingerprint = in.text();
			visit(std::move(member));
		}
	} catch (const Cut &) {
		// It may go on with what nobody reads.
		from.reset();
		ended(archive, child.wait(), seconds);
	}
}

} // namespace erofs_share
