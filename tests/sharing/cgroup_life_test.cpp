// SPDX-License-Identifier: GPL-2.0-only
// A page is charged to the control group of who read it first, and kernels that
// do not move the charge keep that group, long removed, for as long as the
// page. With sharing, pages outlive their first reader's container for as long
// as others use them. Documentation/inode_share.rst says what to do about it.
#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/cgroup.h"
#include "support/access_fixture.h"

#include <fcntl.h>
#include <sstream>

namespace erofs_share {
namespace {

/// Groups that were removed and that something still holds.
std::uint64_t dying_groups()
{
	std::istringstream lines(read_text("/sys/fs/cgroup/cgroup.stat"));
	std::string name;
	std::uint64_t value = 0;

	while (lines >> name >> value)
		if (name == "nr_dying_descendants")
			return value;
	throw_error(ENOENT, "nr_dying_descendants in cgroup.stat");
}

class CgroupLife : public AccessPath {
      protected:
	/// Reads all of the file at @path in a group that is then removed.
	static void read_in_a_group(const std::string &path)
	{
		const Cgroup group;
		Child reader([&] {
			group.enter();
			read_through(path);
			return 0;
		});

		EXPECT_EQ(reader.wait(), 0);
	}
};

TEST_P(CgroupLife, OfTheFirstReaderLastsAsLongAsItsPages)
{
	const std::uint64_t before = dying_groups();

	// It has the file, as a running container would.
	const UniqueFd user = open_file(b().at(kCommon), O_RDONLY);
	read_in_a_group(a().at(kCommon));
	ASSERT_EQ(resident_pages(a().at(kCommon)), kCommonPages);
	if (soon([&] { return dying_groups() == before; }))
		GTEST_SKIP() << "this kernel moves the charge of a group that "
				"is removed";
	EXPECT_EQ(dying_groups(), before + 1);
	// The container's image goes as well.
	EXPECT_EQ(take_a().try_unmount(), 0);
	if (shared()) {
		EXPECT_FALSE(soon([&] { return dying_groups() == before; }))
			<< "nothing holds the group any more";
		EXPECT_EQ(resident_pages(b().at(kCommon)), kCommonPages);
		EXPECT_EQ(posix_fadvise(user.get(), 0, 0, POSIX_FADV_DONTNEED),
			  0);
	}
	EXPECT_TRUE(soon([&] { return dying_groups() == before; }));
}

INSTANTIATE_ON_PLAIN_IMAGES(CgroupLife);

} // namespace
} // namespace erofs_share
