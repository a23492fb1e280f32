// SPDX-License-Identifier: GPL-2.0-only
// Two images with files in common, with sharing and without.
#include "support/access_fixture.h"

#include <chrono>
#include <cstring>
#include <sched.h>

namespace erofs_share {

namespace {

/// Whether cachestat(2) sees the cache of a shared file at all; asked once.
bool cachestat_sees_shared_files()
{
	static const bool kSees = [] {
		const Mount mount =
			mount_erofs(images().find("enc-plain").disk(),
				    MountOptions::sharing(DomainId::random()));

		read_through(mount.at("twin1"));
		return cachestat_pages(mount.at("twin1")).value_or(0) > 0;
	}();

	return kSees;
}

} // namespace

void AccessPath::SetUp()
{
	ErofsTest::SetUp();
	if (shared() && !no_inode_share().empty())
		GTEST_SKIP() << no_inode_share();
	if (shared())
		options_ = MountOptions::sharing(DomainId::random());
	need({GetParam().first, GetParam().second});
	if (IsSkipped())
		return;
	a_ = mount_erofs(images().find(GetParam().first).disk(), options_);
	b_ = mount_erofs(images().find(GetParam().second).disk(), options_);
}

void AccessPath::TearDown()
{
	a_.reset();
	b_.reset();
	ErofsTest::TearDown();
}

void AccessPath::unmount_soon()
{
	for (std::optional<Mount> *mount : {&a_, &b_}) {
		if (!mount->has_value() || (*mount)->path().empty())
			continue;
		EXPECT_TRUE(soon([&] { return (*mount)->try_unmount() == 0; }))
			<< (*mount)->path() << " stays busy";
	}
}

const FileSpec &AccessPath::content(const std::string &file)
{
	return images().find(GetParam().first).tree->file(file);
}

void AccessPath::expect_one_copy(const std::string &file) const
{
	const bool counts = !shared() || cachestat_sees_shared_files();

	if (counts) {
		EXPECT_TRUE(wait_for_read_ahead(a().at(file)))
			<< "reading ahead does not end";
	}
	std::uint64_t mine = 0;
	std::uint64_t other = 0;
	// Where nothing tells the end of reading ahead, it may go on between
	// the two readings: then both are taken again.
	soon([&] {
		mine = resident_pages(a().at(file));
		other = resident_pages(b().at(file));
		return counts || !shared() || (mine != 0 && mine == other);
	});
	const std::uint64_t expected = shared() ? mine : 0;

	EXPECT_GT(mine, 0U) << file << " was not cached at all";
	EXPECT_EQ(other, expected)
		<< "pages of " << file << " in the other image";
	if (!counts || !cachestat_pages(a().at(file)))
		return;
	EXPECT_EQ(cachestat_pages(a().at(file)), mine)
		<< "by cachestat, the same image";
	EXPECT_EQ(cachestat_pages(b().at(file)), expected)
		<< "by cachestat, the other image";
}

void AccessPath::expect_rest_adds_no_copy(const std::string &file) const
{
	const std::uint64_t mine = resident_pages(a().at(file));
	const std::uint64_t all = total_pages(a().at(file));

	EXPECT_EQ(difference(b().at(file), content(file)), "");
	EXPECT_EQ(resident_pages(b().at(file)), all);
	EXPECT_EQ(resident_pages(a().at(file)), shared() ? all : mine)
		<< "pages that reading through the other image added to this";
}

void AccessPath::observe(const std::string &what, const std::string &value)
{
	RecordProperty("observed_" + what, value);
}

void AccessPath::observe(const std::string &what, std::int64_t value)
{
	observe(what, std::to_string(value));
}

void AccessPath::expect_as_stock(
	const std::function<Observations(const std::string &)> &look)
{
	const std::string disk = images().find(GetParam().first).disk();
	Observations stock;

	if (shared()) {
		// One disk has one superblock, which is shared or is not.
		a_.reset();
		drop_caches(Drop::kAll);
		{
			const Mount plain = mount_erofs(disk);
			stock = look(plain.path());
		}
		drop_caches(Drop::kAll);
		a_ = mount_erofs(disk, options_);
	}
	const Observations seen = look(a().path());
	for (const auto &[what, value] : seen)
		observe(what, value);
	if (shared()) {
		EXPECT_EQ(seen, stock) << "on the shared mount, then without";
	}
}

std::string sharing_name(const testing::TestParamInfo<AccessCase> &info)
{
	return info.param.sharing == Sharing::kOn ? "shared" : "plain";
}

bool soon(const std::function<bool()> &question)
{
	const auto deadline =
		std::chrono::steady_clock::now() + std::chrono::seconds(10);

	while (!question()) {
		if (std::chrono::steady_clock::now() >= deadline)
			return false;
		sched_yield();
	}
	return true;
}

bool wait_until_resident(const std::string &path, std::uint64_t pages)
{
	return soon([&] { return resident_pages(path) >= pages; });
}

bool wait_for_read_ahead(const std::string &path)
{
	constexpr auto kQuiet = std::chrono::milliseconds(500);
	std::uint64_t seen = resident_pages(path);
	auto since = std::chrono::steady_clock::now();

	return soon([&] {
		const auto coming = cachestat_pages(path);
		const std::uint64_t now = resident_pages(path);

		if (coming)
			return *coming <= now;
		if (now != seen) {
			seen = now;
			since = std::chrono::steady_clock::now();
		}
		return std::chrono::steady_clock::now() - since >= kQuiet;
	});
}

std::string errno_name(int error)
{
	const char *name = error == 0 ? "0" : strerrorname_np(error);

	return name != nullptr ? name : std::to_string(error);
}

} // namespace erofs_share
