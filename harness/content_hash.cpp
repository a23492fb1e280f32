// SPDX-License-Identifier: GPL-2.0-only
// SHA-256 of whole files, by libgcrypt.
#include "content_hash.h"

#include "error.h"
#include "fd.h"
#include "progress.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fcntl.h>
#include <gcrypt.h>
#include <memory>
#include <mutex>
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

std::string hash_file(const HashJob &job, std::vector<std::byte> &buffer,
		      Progress &progress)
{
	struct Close {
		void operator()(gcry_md_hd_t handle) const
		{
			gcry_md_close(handle);
		}
	};
	const std::string &path = job.path;
	const UniqueFd fd = open_file(path, O_RDONLY | O_NOFOLLOW);
	gcry_md_hd_t handle = nullptr;
	std::uint64_t done = 0;

	if (gcry_md_open(&handle, GCRY_MD_SHA256, 0) != 0)
		throw_error(ENOMEM, "SHA-256 of " + path);
	const std::unique_ptr<gcry_md_handle, Close> owner(handle);
	for (;;) {
		const std::size_t got = read_at(fd.get(), buffer, done, path);

		gcry_md_write(handle, buffer.data(), got);
		done += got;
		progress.add(got);
		if (got < buffer.size())
			break;
	}
	std::fill(buffer.begin(), buffer.end(), std::byte{0});
	while (job.pad && done < job.size) {
		const std::size_t part =
			std::min<std::uint64_t>(buffer.size(), job.size - done);

		gcry_md_write(handle, buffer.data(), part);
		done += part;
		progress.add(part);
	}
	const unsigned char *digest = gcry_md_read(handle, GCRY_MD_SHA256);
	return "sha256:" +
	       std::string(reinterpret_cast<const char *>(digest), kDigest);
}

} // namespace

std::vector<std::string> hash_files(const std::vector<HashJob> &jobs,
				    const std::string &what)
{
	std::vector<std::string> digests(jobs.size());
	std::atomic<std::size_t> next = 0;
	std::exception_ptr failure;
	std::mutex failing;
	std::uint64_t total = 0;

	need_gcrypt();
	for (const HashJob &job : jobs)
		total += job.size;
	Progress progress(what, total);
	const auto work = [&] {
		std::vector<std::byte> buffer(kChunk);

		try {
			for (std::size_t i = next++; i < jobs.size();
			     i = next++)
				digests[i] =
					hash_file(jobs[i], buffer, progress);
		} catch (...) {
			const std::lock_guard lock(failing);

			if (!failure)
				failure = std::current_exception();
			next = jobs.size();
		}
	};
	{
		const auto count = std::min<std::size_t>(
			{std::max(1U, std::thread::hardware_concurrency()), 8,
			 jobs.size()});
		std::vector<std::jthread> threads;

		for (std::size_t i = 0; i < count; i++)
			threads.emplace_back(work);
	}
	if (failure)
		std::rethrow_exception(failure);
	return digests;
}

} // namespace erofs_share
