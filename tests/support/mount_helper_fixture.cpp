// SPDX-License-Identifier: GPL-2.0-only
// Programs, files and mount points of the mount helper's tests.
#include "support/mount_helper_fixture.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erofs_share {

namespace {

constexpr const char *kFstab = "/etc/fstab";

/// mount(8) without a helper for the type asks for nothing of this.
void make_etc()
{
	if (mkdir("/etc", 0755) != 0 && errno != EEXIST)
		throw_errno("mkdir /etc");
}

void write_file(const std::string &path, std::string_view text)
{
	const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

} // namespace

TemporaryFile::TemporaryFile(const Below &where)
    : path_(where.directory + "/mount-helper-XXXXXX")
{
	const UniqueFd fd(mkostemp(path_.data(), O_CLOEXEC));

	if (!fd.valid())
		throw_errno("mkostemp " + path_);
}

TemporaryFile::TemporaryFile(const std::string &source) : TemporaryFile()
{
	std::filesystem::copy_file(
		source, path_,
		std::filesystem::copy_options::overwrite_existing);
}

TemporaryFile::~TemporaryFile()
{
	unlink(path_.c_str());
}

IdFile::IdFile(const DomainId &id, const std::string &after, const Below &where)
    : TemporaryFile(where)
{
	const UniqueFd fd = open_file(path(), O_WRONLY);
	const DomainId::Revealed text = id.reveal();

	write_all(fd.get(), std::as_bytes(std::span(text.view())), path());
	write_all(fd.get(), std::as_bytes(std::span(after)), path());
}

IdFile::IdFile(const std::string &text) : TemporaryFile(Below{"/run"})
{
	write_file(path(), text);
}

MountPoint::MountPoint() : path_("/mnt/helper-XXXXXX")
{
	if (mkdtemp(path_.data()) == nullptr)
		throw_errno("mkdtemp " + path_);
}

MountPoint::~MountPoint()
{
	while (umount2(path_.c_str(), UMOUNT_NOFOLLOW) == 0)
		;
	if (rmdir(path_.c_str()) != 0)
		std::cerr << "rmdir " << path_ << ": "
			  << std::generic_category().message(errno) << '\n';
}

Fstab::Fstab(const std::string &lines)
{
	write_file(kFstab, lines);
}

Fstab::~Fstab()
{
	unlink(kFstab);
}

Namespace::Namespace()
    : keeper_([] {
	      // Nothing that is mounted here may come back to the parent's.
	      if (unshare(CLONE_NEWNS) != 0 ||
		  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) !=
			  0)
		      return 1;
	      for (;;)
		      pause();
	      return 0;
      })
{
	namespace fs = std::filesystem;
	const fs::path own("/proc/self/ns/mnt");

	// It is there when its name differs from ours.
	while (fs::read_symlink(path()) == fs::read_symlink(own))
		sched_yield();
}

std::string Namespace::path() const
{
	return "/proc/" + std::to_string(keeper_.pid()) + "/ns/mnt";
}

std::string Namespace::mounts() const
{
	return read_text("/proc/" + std::to_string(keeper_.pid()) + "/mounts");
}

std::string mounted_source(const std::string &target)
{
	std::istringstream lines(read_text("/proc/self/mounts"));
	std::string source;

	for (std::string line; std::getline(lines, line);) {
		std::istringstream fields(line);
		std::string device;
		std::string where;

		fields >> device >> where;
		if (where == target)
			source = device;
	}
	return source;
}

bool is_attached(const std::string &path)
{
	return std::filesystem::exists(
		"/sys/block/" +
		std::filesystem::path(path).filename().string() +
		"/loop/backing_file");
}

std::vector<std::string> attached_loops()
{
	std::vector<std::string> loops;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/sys/block")) {
		const std::string name = entry.path().filename().string();

		if (name.starts_with("loop") && is_attached(name))
			loops.push_back(name);
	}
	return loops;
}

ProgramResult run(const std::vector<std::string> &argv)
{
	return run_program("/", argv, Capture::kAll);
}

ProgramResult mount8(const std::string &options, const std::string &source,
		     const std::string &target)
{
	return run({"/bin/mount", "-t", "erofs-share", "-o", options, source,
		    target});
}

ProgramResult umount8(const std::string &target)
{
	return run({"/bin/umount", target});
}

ProgramResult helper(const std::vector<std::string> &arguments)
{
	std::vector<std::string> argv{"/sbin/mount.erofs-share"};

	argv.insert(argv.end(), arguments.begin(), arguments.end());
	return run(argv);
}

void PrintTo(const ProgramResult &result, std::ostream *out)
{
	*out << "status " << result.status << ", '" << result.output << "'";
}

void MountHelper::SetUp()
{
	ShareTest::SetUp();
	make_etc();
	loops_ = attached_loops();
}

void MountHelper::TearDown()
{
	ShareTest::TearDown();
	if (!IsSkipped()) {
		EXPECT_EQ(attached_loops(), loops_) << "left behind";
	}
}

bool MountHelper::reveals(const std::string &text) const
{
	const DomainId::Revealed id = domain().reveal();

	return text.find(id.view().substr(0, 16)) != std::string::npos ||
	       text.find(id.view().substr(16)) != std::string::npos;
}

} // namespace erofs_share
