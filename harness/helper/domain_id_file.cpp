// SPDX-License-Identifier: GPL-2.0-only
// Opening, checking, reading and wiping a file with a domain id.
#include "helper/domain_id_file.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/hmac.h"
#include "base/trusted_path.h"
#include "helper/mount_failure.h"

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr std::size_t kPage = 4096;
/// Where in the page the id of another domain is, and what it is made in.
constexpr std::size_t kDerived = 512;
constexpr std::size_t kHmac = 1024;
static_assert(kDerived + kHmacDigits < kHmac);
static_assert(kHmac + sizeof(HmacMemory) <= kPage);
static_assert(kHmac % alignof(HmacMemory) == 0);
/// An id, its newline, and a byte that shows that there is more.
constexpr std::size_t kReadMax = kDomainIdMax + 2;

/// @text as it stands in messages about a file.
[[noreturn]] void refuse(const std::string &path, const std::string &text)
{
	throw MountFailure(MountStatus::kUsage,
			   "domain_id_file " + path + ": " + text);
}

[[noreturn]] void refuse_errno(const std::string &path)
{
	refuse(path, std::generic_category().message(errno));
}

/// Opens @path, if nobody else can make it lead elsewhere.
UniqueFd open_path(const std::string &path)
{
	try {
		return open_trusted(path);
	} catch (const UntrustedPath &error) {
		refuse(path, error.what());
	}
}

void check_file(int fd, bool is_descriptor, const std::string &path)
{
	struct stat info {};
	std::array<char, 8> mode{};

	if (fstat(fd, &info) != 0)
		refuse_errno(path);
	// Who else holds the other end, only the caller knows.
	if (is_descriptor && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)))
		return;
	if (!S_ISREG(info.st_mode))
		refuse(path, is_descriptor
				     ? "is no regular file, pipe or socket"
				     : "is not a regular file");
	if (info.st_uid != 0 && info.st_uid != geteuid())
		refuse(path, "belongs to user " + std::to_string(info.st_uid) +
				     "; expected root: chown root " + path);
	if ((info.st_mode & 077) == 0)
		return;
	*std::to_chars(mode.data(), mode.data() + mode.size() - 1,
		       static_cast<unsigned int>(info.st_mode & 07777), 8)
		 .ptr = '\0';
	refuse(path, std::string("others may use it (mode ") + mode.data() +
			     "); expected 0600 or 0400: chmod 600 " + path);
}

/// Waits until @fd can be read. The helper's signals are blocked while it holds
/// an id, so that none ends it before it has wiped that; here they may come.
void wait_readable(int fd, const std::string &path)
{
	pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(&wanted, 1, nullptr, &none) >= 0)
		return;
	if (errno == EINTR)
		throw MountFailure(MountStatus::kInterrupted, "interrupted");
	refuse_errno(path);
}

} // namespace

std::optional<int> descriptor_in(const std::string &path)
{
	static constexpr std::array<std::string_view, 2> kDirectories = {
		"/dev/fd/", "/proc/self/fd/"};

	if (path == "/dev/stdin")
		return STDIN_FILENO;
	for (const std::string_view directory : kDirectories) {
		const char *const end = path.data() + path.size();
		int fd = -1;

		if (path.compare(0, directory.size(), directory) != 0)
			continue;
		const auto [rest, error] = std::from_chars(
			path.data() + directory.size(), end, fd);
		if (error == std::errc() && rest == end && fd >= 0)
			return fd;
	}
	return std::nullopt;
}

DomainIdFile::DomainIdFile(const std::string &path) : path_(path)
{
	const std::optional<int> given = descriptor_in(path);

	if (!given)
		opened_ = open_path(path);
	fd_ = given ? *given : opened_.get();
	check_file(fd_, given.has_value(), path);
}

void DomainIdFile::load()
{
	void *const page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		throw_errno("memory for the domain id");
	text_ = static_cast<char *>(page);
	if (mlock(text_, kPage) != 0 ||
	    madvise(text_, kPage, MADV_DONTDUMP) != 0)
		throw_errno("locking the domain id's memory");
	check_content(read_all());
}

DomainIdFile::~DomainIdFile()
{
	wipe();
}

void DomainIdFile::wipe()
{
	if (text_ == nullptr)
		return;
	explicit_bzero(text_, kPage);
	munmap(text_, kPage);
	text_ = nullptr;
}

const char *DomainIdFile::derive(std::string_view purpose)
{
	char *const derived = text_ + kDerived;
	const volatile char *const bytes = text_;
	std::size_t size = 0;

	while (bytes[size] != '\0')
		size++;
	hmac_sha256(text_, size, purpose, *new (text_ + kHmac) HmacMemory,
		    derived);
	return derived;
}

std::size_t DomainIdFile::read_all()
{
	std::size_t size = 0;

	while (size < kReadMax) {
		wait_readable(fd_, path_);
		const ssize_t got = read(fd_, text_ + size, kReadMax - size);

		if (got == 0)
			break;
		if (got > 0)
			size += static_cast<std::size_t>(got);
		else if (errno != EINTR && errno != EAGAIN)
			refuse_errno(path_);
	}
	return size;
}

void DomainIdFile::check_content(std::size_t size)
{
	// Volatile, a byte at a time: nothing of the id may stay in vector
	// registers, which the kernel saves where we cannot wipe.
	volatile char *const bytes = text_;

	if (size > 0 && bytes[size - 1] == '\n')
		bytes[--size] = '\0';
	if (size == 0)
		refuse(path_, "is empty; expected a domain id of 1 to " +
				      std::to_string(kDomainIdMax) + " bytes");
	if (size > kDomainIdMax)
		refuse(path_, "is too long; expected a domain id of 1 to " +
				      std::to_string(kDomainIdMax) + " bytes");
	for (std::size_t i = 0; i < size; i++)
		if (bytes[i] == '\0' || bytes[i] == '\n' || bytes[i] == ',')
			refuse(path_, "holds a comma, a second line or a NUL; "
				      "expected a domain id and nothing else");
}

} // namespace erofs_share
