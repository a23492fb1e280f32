// SPDX-License-Identifier: GPL-2.0-only
// SHA-256 of whole files, by libgcrypt.
#include "erofs/content_hash.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/progress.h"
#include "base/quote.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fcntl.h>
#include <gcrypt.h>
#include <memory>
#include <mutex>
#include <span>
#include <sys/stat.h>
#include <thread>

namespace erofs_share {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;
constexpr std::size_t kDigest = 32;

void need_gcrypt()
{
	static std::once_flag once;

	std::call_once(once, [] {
		if (gcry_check_version(GCRYPT_VERSION) == nullptr)
			throw_error(ENOSYS,
				    "libgcrypt is older than " GCRYPT_VERSION);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	});
}

/// A running SHA-256.
class Sha256 {
      public:
	Sha256()
	{
		gcry_md_hd_t handle = nullptr;

		if (gcry_md_open(&handle, GCRY_MD_SHA256, 0) != 0)
			throw_error(ENOMEM, "SHA-256");
		handle_.reset(handle);
	}
	void add(std::span<const std::byte> bytes)
	{
		gcry_md_write(handle_.get(), bytes.data(), bytes.size());
	}
	std::string value()
	{
		const unsigned char *digest =
			gcry_md_read(handle_.get(), GCRY_MD_SHA256);

		return "sha256:" +
		       std::string(reinterpret_cast<const char *>(digest),
				   kDigest);
	}

      private:
	struct Close {
		void operator()(gcry_md_hd_t handle) const
		{
			gcry_md_close(handle);
		}
	};
	std::unique_ptr<gcry_md_handle, Close> handle_;
};

void read_file(const HashJob &job, const DataSink &sink)
{
	const std::string &path = job.path;
	// Not to wait for the other end of what took the file's place.
	const UniqueFd fd =
		open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	std::vector<std::byte> buffer(kChunk);
	struct stat status {};
	std::uint64_t done = 0;

	if (fstat(fd.get(), &status) != 0)
		throw_errno(path);
	if (!S_ISREG(status.st_mode))
		throw_error(EINVAL, path + ": expected a regular file");
	for (;;) {
		const std::size_t got = read_at(fd.get(), buffer, done, path);

		sink(std::span(buffer.data(), got));
		done += got;
		if (got < buffer.size())
			break;
	}
	std::fill(buffer.begin(), buffer.end(), std::byte{0});
	while (job.pad && done < job.size) {
		const std::size_t part =
			std::min<std::uint64_t>(buffer.size(), job.size - done);

		sink(std::span(buffer.data(), part));
		done += part;
	}
}

} // namespace

std::vector<std::string> hash_files(const std::vector<HashJob> &jobs,
				    const std::string &what)
{
	std::uint64_t total = 0;

	for (const HashJob &job : jobs)
		total += job.size;
	return hash_contents(
		jobs.size(), total, what,
		[&](std::size_t index, unsigned int, const DataSink &sink) {
			read_file(jobs[index], sink);
		});
}

std::vector<std::string> hash_contents(std::size_t count, std::uint64_t total,
				       const std::string &what,
				       const ReadContents &read)
{
	std::vector<std::string> digests(count);
	std::atomic<std::size_t> next = 0;
	std::exception_ptr failure;
	std::mutex failing;

	need_gcrypt();
	Progress progress(quote_name(what), total);
	const auto work = [&](unsigned int thread) {
		try {
			for (std::size_t i = next++; i < count; i = next++) {
				Sha256 digest;

				read(i, thread,
				     [&](std::span<const std::byte> bytes) {
					     digest.add(bytes);
					     progress.add(bytes.size());
				     });
				digests[i] = digest.value();
			}
		} catch (...) {
			const std::lock_guard lock(failing);

			if (!failure)
				failure = std::current_exception();
			next = count;
		}
	};
	{
		const auto most = std::min<std::size_t>(
			{std::max(1U, std::thread::hardware_concurrency()),
			 kHashThreads, count});
		std::vector<std::jthread> threads;

		for (unsigned int i = 0; i < most; i++)
			threads.emplace_back(work, i);
	}
	if (failure)
		std::rethrow_exception(failure);
	return digests;
}

} // namespace erofs_share
