// SPDX-License-Identifier: GPL-2.0-only
// Revealing, and using, a domain id.
#include "support/secrecy_fixture.h"

#include "base/error.h"

#include <array>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace erofs_share {

namespace {

// The numbers are the same on all architectures; Debian 12's headers are older.
constexpr long kStatmount = 457;
constexpr long kListmount = 458;

/// struct mnt_id_req of linux/mount.h, its first version.
struct MountIdRequest {
	std::uint32_t size = sizeof(MountIdRequest);
	std::uint32_t spare = 0;
	std::uint64_t id = 0;
	std::uint64_t parameter = 0;
};

constexpr std::uint64_t kRootMount = ~std::uint64_t{0};

std::string hexadecimal(std::string_view text)
{
	static constexpr std::string_view kDigits = "0123456789ABCDEF";
	std::string hex;

	for (const char c : text) {
		hex += kDigits[static_cast<unsigned char>(c) >> 4];
		hex += kDigits[static_cast<unsigned char>(c) & 15];
	}
	return hex;
}

} // namespace

bool Secrecy::reveals(const std::string &text) const
{
	const DomainId::Revealed id = domain().reveal();
	const std::string_view half = id.view().substr(0, 16);

	return text.find(half) != std::string::npos ||
	       text.find(hexadecimal(half)) != std::string::npos;
}

void Secrecy::use_domain_id() const
{
	const std::string &good = images().find("enc-plain").disk();
	MountOptions bad = sharing();

	bad.extra.emplace_back("dax=always");
	for (const MountApi api : {MountApi::kFsopen, MountApi::kMount}) {
		const Mount mount = mount_erofs(good, sharing(), api);
		const MountOutcome outcome = mount.remount(sharing(), api);

		if (outcome.error != 0)
			throw_error(outcome.error, outcome.text());
		read_through(mount.at("twin1"));
	}
	for (const MountApi api : {MountApi::kFsopen, MountApi::kMount}) {
		// Refused: what the kernel says of it is what the tests look
		// at.
		static_cast<void>(try_mount_erofs(good, bad, api));
		static_cast<void>(try_mount_erofs(
			find_disk("images").value_or("none"), sharing(), api));
	}
}

std::vector<std::string> statmount_everything()
{
	std::array<std::uint64_t, 256> ids{};
	std::vector<std::string> answers;
	MountIdRequest request;

	request.id = kRootMount;
	const long count =
		syscall(kListmount, &request, ids.data(), ids.size(), 0);
	if (count < 0 && errno == ENOSYS)
		return answers;
	if (count < 0)
		throw_errno("listmount");
	for (long i = 0; i < count; i++) {
		std::string answer(65536, '\0');

		request.id = ids.at(static_cast<std::size_t>(i));
		request.parameter = ~std::uint64_t{0};
		if (syscall(kStatmount, &request, answer.data(), answer.size(),
			    0) != 0)
			throw_errno("statmount");
		std::uint32_t size = 0;
		std::memcpy(&size, answer.data(), sizeof(size));
		answer.resize(size);
		answers.push_back(std::move(answer));
	}
	return answers;
}

} // namespace erofs_share
