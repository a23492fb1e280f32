// SPDX-License-Identifier: GPL-2.0-only
// Reads through io_uring: cold and hot, many in flight, with registered files
// and buffers.
#include "base/error.h"
#include "base/fd.h"
#include "support/access_fixture.h"

#include <array>
#include <fcntl.h>
#include <liburing.h>

namespace erofs_share {
namespace {

constexpr unsigned int kDepth = 16;

/// A submission and completion ring; torn down when it goes out of scope.
class Ring {
      public:
	/// Not valid() where the kernel has no io_uring.
	Ring()
	{
		const int error = io_uring_queue_init(kDepth, &ring_, 0);

		if (error != 0 && error != -ENOSYS && error != -EPERM)
			throw_error(-error, "io_uring_queue_init");
		valid_ = error == 0;
	}
	Ring(const Ring &) = delete;
	Ring &operator=(const Ring &) = delete;
	Ring(Ring &&) = delete;
	Ring &operator=(Ring &&) = delete;
	~Ring()
	{
		if (valid_)
			io_uring_queue_exit(&ring_);
	}
	[[nodiscard]] bool valid() const
	{
		return valid_;
	}
	io_uring *get()
	{
		return &ring_;
	}
	/// The next free request, of which there are kDepth, to be prepared;
	/// its result will be that of @number.
	io_uring_sqe *request(std::uint64_t number)
	{
		io_uring_sqe *sqe = io_uring_get_sqe(&ring_);

		if (sqe == nullptr)
			throw_error(EBUSY, "io_uring_get_sqe");
		sqe->user_data = number;
		return sqe;
	}
	/// Submits and returns the results of all @count requests by number.
	std::vector<int> run(unsigned int count)
	{
		std::vector<int> results(count, -EIO);
		const int sent = io_uring_submit(&ring_);

		if (sent < 0)
			throw_error(-sent, "io_uring_submit");
		for (unsigned int i = 0; i < count; i++) {
			io_uring_cqe *cqe = nullptr;
			const int error = io_uring_wait_cqe(&ring_, &cqe);

			if (error != 0)
				throw_error(-error, "io_uring_wait_cqe");
			results.at(cqe->user_data) = cqe->res;
			io_uring_cqe_seen(&ring_, cqe);
		}
		return results;
	}

      private:
	io_uring ring_{};
	bool valid_ = false;
};

class UringPath : public AccessPath {
      protected:
	static constexpr unsigned int kPart = 20000;
	static_assert(std::uint64_t{kDepth} * kPart > kCommonBytes);

	void SetUp() override
	{
		AccessPath::SetUp();
		ring_.emplace();
		if (!IsSkipped() && !ring_->valid())
			GTEST_SKIP() << "this kernel has no io_uring";
	}
	void TearDown() override
	{
		// A ring lets go of its files in a work item of its own.
		ring_.reset();
		unmount_soon();
		AccessPath::TearDown();
	}
	/// How many bytes part @i of kCommon has.
	static int part_size(unsigned int i)
	{
		const std::uint64_t from = std::uint64_t{i} * kPart;

		return from >= kCommonBytes
			       ? 0
			       : static_cast<int>(std::min<std::uint64_t>(
					 kPart, kCommonBytes - from));
	}
	/// Checks what all parts of one run have read.
	void expect_parts(const std::vector<int> &results)
	{
		for (unsigned int i = 0; i < kDepth; i++)
			EXPECT_EQ(results[i], part_size(i)) << "part " << i;
		EXPECT_EQ(difference(std::span(buffer_).first(kCommonBytes),
				     content()),
			  "");
	}
	std::byte *part(unsigned int i)
	{
		return buffer_.data() + std::size_t{i} * kPart;
	}
	/// Reads all parts of @fd at once.
	void read_parts(const UniqueFd &fd)
	{
		for (unsigned int i = 0; i < kDepth; i++)
			io_uring_prep_read(ring_->request(i), fd.get(), part(i),
					   kPart, std::uint64_t{i} * kPart);
		expect_parts(ring_->run(kDepth));
	}

	std::optional<Ring> ring_;
	std::vector<std::byte> buffer_ =
		std::vector<std::byte>(std::size_t{kDepth} * kPart);
};

TEST_P(UringPath, ManyColdReadsInFlightGiveTheBytesAndOneCopy)
{
	read_parts(open_file(a().at(kCommon), O_RDONLY));
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(UringPath, HotReadsGiveTheBytesAndOneCopy)
{
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);

	read_parts(fd);
	std::fill(buffer_.begin(), buffer_.end(), std::byte{});
	read_parts(fd);
	expect_one_copy();
}

TEST_P(UringPath, ReadsOfBothImagesInFlightTogetherGiveTheBytes)
{
	const std::array<UniqueFd, 2> fds = {
		open_file(a().at(kCommon), O_RDONLY),
		open_file(b().at(kCommon), O_RDONLY)};

	for (unsigned int i = 0; i < kDepth; i++)
		io_uring_prep_read(ring_->request(i), fds.at(i % 2).get(),
				   part(i), kPart, std::uint64_t{i} * kPart);
	expect_parts(ring_->run(kDepth));
	EXPECT_EQ(difference(a().at(kCommon), content()), "");
	EXPECT_EQ(difference(b().at(kCommon), content()), "");
}

TEST_P(UringPath, RegisteredFileAndBufferGiveTheBytesAndOneCopy)
{
	const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);
	const int number = fd.get();
	const iovec whole = {buffer_.data(), buffer_.size()};

	ASSERT_EQ(io_uring_register_files(ring_->get(), &number, 1), 0);
	ASSERT_EQ(io_uring_register_buffers(ring_->get(), &whole, 1), 0);
	for (unsigned int i = 0; i < kDepth; i++) {
		io_uring_sqe *sqe = ring_->request(i);

		io_uring_prep_read_fixed(sqe, 0, part(i), kPart,
					 std::uint64_t{i} * kPart, 0);
		sqe->flags |= IOSQE_FIXED_FILE;
	}
	expect_parts(ring_->run(kDepth));
	expect_one_copy();
	expect_rest_adds_no_copy();
}

TEST_P(UringPath, RegisteredFileKeepsTheMountBusyUntilItIsGone)
{
	{
		const UniqueFd fd = open_file(a().at(kCommon), O_RDONLY);
		const int number = fd.get();

		ASSERT_EQ(io_uring_register_files(ring_->get(), &number, 1), 0);
	}
	EXPECT_EQ(take_a().try_unmount(), EBUSY);
	ASSERT_EQ(io_uring_unregister_files(ring_->get()), 0);
	EXPECT_TRUE(soon([&] { return take_a().try_unmount() == 0; }));
}

INSTANTIATE_ON_BOTH_PAIRS(UringPath);

} // namespace
} // namespace erofs_share
