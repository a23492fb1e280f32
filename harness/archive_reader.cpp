// SPDX-License-Identifier: GPL-2.0-only
// Reads a tar archive by libarchive, in a process without root's rights: what
// comes back are the members, in a pipe.
//
// libarchive is loaded when it is needed: with what it depends on itself, it is
// ten times as big as this program, which guests hold in memory.
#include "archive_reader.h"

#include "child.h"
#include "error.h"
#include "fd.h"
#include "progress.h"
#include "quote.h"
#include "running_hash.h"
#include "unprivileged.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <clocale>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <memory>
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
	decltype(&::archive_read_open_fd) open_fd;
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
	find(handle, "archive_read_open_fd", open_fd);
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

/// Reads one archive, in the process without rights.
class Reader {
      public:
	Reader(int fd, std::uint64_t size, const std::string &name, Sender &out)
	    : out_(out), progress_(quote_name(name), size),
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
		if (lib_.open_fd(all, fd, std::size_t{1} << 18) != ARCHIVE_OK)
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
	Progress progress_;
	std::unique_ptr<archive, decltype(&::archive_read_free)> archive_;
	std::vector<std::byte> zeroes_ =
		std::vector<std::byte>(std::size_t{1} << 16);
	std::uint64_t all_ = 0;
	std::uint64_t told_ = 0;
};

/// What the process without rights does.
int read_and_send(int fd, std::uint64_t size, const std::string &name, int to)
{
	Sender out(to);

	try {
		Reader(fd, size, name, out).read();
		out.kind(kEnd);
	} catch (const std::system_error &error) {
		std::string text = error.what();

		// What is said is about the archive, not about a call.
		if (error.code().value() == EBADMSG)
			text = text.substr(0, text.rfind(": "));
		out.kind(kFailure);
		out.text(text.substr(0, kMostText));
	}
	out.flush();
	return 0;
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

UniqueFd open_archive(const std::string &path, const std::string &name,
		      struct stat &status)
{
	UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));

	if (!fd.valid() || fstat(fd.get(), &status) != 0)
		throw_errno(quote_name(name));
	if (!S_ISREG(status.st_mode))
		throw_error(EINVAL, quote_name(name) +
					    ": expected an archive, it is no "
					    "regular file");
	return fd;
}

} // namespace

void read_archive(const std::string &path, const std::string &name,
		  const std::function<void(Member)> &visit)
{
	struct stat status {};
	const UniqueFd file = open_archive(path, name, status);
	const Stranger stranger = make_stranger();
	const pid_t parent = getpid();
	std::array<int, 2> ends{};

	// Before rights go with which it may have to be found.
	library();
	if (pipe2(ends.data(), O_CLOEXEC) != 0)
		throw_errno("pipe");
	const UniqueFd from(ends[0]);
	UniqueFd to(ends[1]);
	// Names are to come as they are: so no alphabet may be in the way.
	const std::string locale = std::setlocale(LC_CTYPE, nullptr);
	std::setlocale(LC_CTYPE, "C.UTF-8");
	Child child([&] {
		if (!become_stranger(stranger, parent))
			return 1;
		return read_and_send(file.get(),
				     static_cast<std::uint64_t>(status.st_size),
				     name, to.get());
	});
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
		unsound(name, "the process that reads it has ended");
	}
}

} // namespace erofs_share
