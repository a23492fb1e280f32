// SPDX-License-Identifier: GPL-2.0-only
// Mounting hostile images, in the guest.
#include "fuzz/fuzz.h"

#include "base/child.h"
#include "base/error.h"
#include "base/proc.h"
#include "content/images.h"
#include "content/seed_tree.h"
#include "content/sound_image.h"
#include "content/walker.h"
#include "fuzz/mutator.h"
#include "machine/mount.h"
#include "os/loop_device.h"
#include "wire/complaints.h"
#include "wire/record.h"

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <linux/fs.h>
#include <memory>
#include <new>
#include <optional>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char *kStore = "/run/seeds";
constexpr const char *kWork = "/run/fuzz";
constexpr std::uint64_t kBatch = 100;
/// Without a sign of life. A walk bounds itself at a twelfth of this; the rest
/// is for a machine that is busy.
constexpr std::chrono::seconds kHang(600);

std::vector<std::byte> read_image(const std::string &path)
{
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::vector<std::byte> bytes(std::filesystem::file_size(path));

	read_at(fd.get(), bytes, 0, path);
	return bytes;
}

/// What is running, for whoever has to report it.
struct Current {
	std::string seed;
	std::optional<std::uint64_t> number;
	std::string recipe;

	[[nodiscard]] Record record(const char *event) const
	{
		Record record = {{"event", event}, {"seed", seed}};

		if (number)
			record["number"] = *number;
		else
			record["recipe"] = recipe;
		return record;
	}
};

/// Sends the failure and ends the guest: what a kernel does after it says
/// nothing about the next mutant.
[[noreturn]] void fail(const RecordWriter &records, const Current &current,
		       const char *kind, const std::string &text)
{
	Record record = current.record("fuzz-failure");

	record["kind"] = kind;
	record["text"] = text;
	records.send(record);
	reboot(RB_AUTOBOOT);
	_exit(1);
}

/// The files that mutants are laid over: an image that is rewritten for each,
/// a loop device over it, and the second device of a seed that has one.
class Backing {
      public:
	Backing(const std::vector<std::byte> &image, const std::string &blob)
	    : image_(image), path_(std::string(kWork) + "/mutant.erofs"),
	      fd_(open_file(path_, O_RDWR | O_CREAT | O_TRUNC, 0600))
	{
		write_all(fd_.get(), image_, path_);
		loop_.emplace(path_, LoopIo::kBuffered);
		loop_fd_ = open_file(loop_->path(), O_RDONLY);
		if (blob.empty())
			return;
		blob_ = blob;
		blob_loop_.emplace(blob, LoopIo::kBuffered);
	}

	void apply(const Mutant &mutant)
	{
		for (const Patch &patch : mutant.patches)
			put(patch.offset, patch.bytes);
		if (mutant.size &&
		    ftruncate(fd_.get(), static_cast<off_t>(*mutant.size)) != 0)
			throw_errno("truncate " + path_);
		// What the block device has cached of the last one.
		if (mutant.backed == Backed::kLoop)
			ioctl(loop_fd_.get(), BLKFLSBUF, 0);
	}

	/// Makes it the sound image again.
	void restore(const Mutant &mutant)
	{
		if (mutant.size)
			put(*mutant.size,
			    std::span(image_).subspan(*mutant.size));
		for (const Patch &patch : mutant.patches)
			put(patch.offset,
			    std::span(image_).subspan(patch.offset,
						      patch.bytes.size()));
	}

	[[nodiscard]] std::string source(Backed backed) const
	{
		return backed == Backed::kFile ? path_ : loop_->path();
	}
	/// Mount options for the second device.
	[[nodiscard]] std::vector<std::string> extra(Backed backed) const
	{
		if (!blob_loop_)
			return {};
		return {"device=" +
			(backed == Backed::kFile ? blob_ : blob_loop_->path())};
	}

      private:
	void put(std::size_t offset, std::span<const std::byte> bytes)
	{
		if (pwrite(fd_.get(), bytes.data(), bytes.size(),
			   static_cast<off_t>(offset)) !=
		    static_cast<ssize_t>(bytes.size()))
			throw_errno("write " + path_);
	}

	const std::vector<std::byte> &image_;
	std::string path_;
	UniqueFd fd_;
	std::string blob_;
	std::optional<LoopDevice> loop_;
	std::optional<LoopDevice> blob_loop_;
	UniqueFd loop_fd_;
};

/// What became of one mutant.
struct MutantResult {
	bool mounted = false;
	WalkCount walk;
	std::string damage; ///< what was harmed, "" if nothing
};

/// A seed, its sound mounts, and the place where its mutants are mounted.
class Arena {
      public:
	/// Mounts the sound ones if @share. Throws if the kernel cannot.
	Arena(const std::string &seed, bool share)
	    : path_(std::string(kStore) + "/" + seed + ".erofs"),
	      blob_(std::string(kStore) + "/" + seed + ".blob"), share_(share),
	      tree_(seed_tree()), contents_(contents_of(tree_)),
	      mutator_(seed, read_image(path_))
	{
		if (!std::filesystem::exists(blob_))
			blob_.clear();
		backing_.emplace(mutator_.image(), blob_);
		if (!share_)
			return;
		warm_.emplace(mount_sound(warm_domain_), tree_, contents_);
		cold_.emplace(mount_sound(cold_domain_), tree_, contents_);
		apart_.emplace(mount_sound(DomainId::random()), tree_,
			       contents_);
		for (const auto *image : {&warm_, &cold_, &apart_})
			if (const std::string damage = (*image)->damage();
			    !damage.empty())
				throw_error(EIO, std::string("sound image ")
							 .append(seed)
							 .append(": ")
							 .append(damage));
		check_unmutated();
	}

	[[nodiscard]] const Mutator &mutator() const
	{
		return mutator_;
	}

	MutantResult run(const Mutant &mutant)
	{
		MutantResult result;

		if (share_ && mutant.meeting == Meeting::kCold)
			cold_->drop_cache();
		backing_->apply(mutant);
		auto [mounted, outcome] = try_mount_erofs(
			backing_->source(mutant.backed), options(mutant));
		if (mounted) {
			result.mounted = true;
			result.walk = walk_hostile(mounted->path());
			if (const int error = mounted->try_unmount();
			    error != 0)
				result.damage =
					"unmounting it: " +
					std::generic_category().message(error);
		}
		backing_->restore(mutant);
		if (result.damage.empty())
			result.damage = result.walk.wrong;
		if (share_ && result.damage.empty())
			result.damage = bystanders(mutant.meeting);
		return result;
	}

      private:
	[[nodiscard]] Mount mount_sound(const DomainId &domain) const
	{
		MountOptions options = MountOptions::sharing(domain);

		if (!blob_.empty())
			options.extra.push_back("device=" + blob_);
		return mount_erofs(path_, options);
	}

	[[nodiscard]] MountOptions options(const Mutant &mutant) const
	{
		MountOptions options;

		if (share_)
			options = MountOptions::sharing(
				mutant.meeting == Meeting::kWarm ? warm_domain_
				: mutant.meeting == Meeting::kCold
					? cold_domain_
					: DomainId::random());
		options.extra = backing_->extra(mutant.backed);
		return options;
	}

	/// The way of all mutants, with the sound image: else a mistake in it
	/// would look like images that are refused.
	void check_unmutated()
	{
		for (const Backed backed : {Backed::kFile, Backed::kLoop}) {
			Mutant none;

			none.backed = backed;
			backing_->apply(none);
			const SoundImage image(
				mount_erofs(backing_->source(backed),
					    options(none)),
				tree_, contents_);
			if (const std::string damage = image.damage();
			    !damage.empty())
				throw_error(EIO, "unmutated " + path_ + ": " +
							 damage);
		}
	}

	/// What the mutant did to others. In its own domain it may supply what
	/// its fingerprints claim to be, but neither lengths nor errors; where
	/// the sound image's pages were there before it, and in another
	/// domain, nothing.
	[[nodiscard]] std::string bystanders(Meeting meeting) const
	{
		std::string damage = apart_->damage();

		if (!damage.empty())
			return "in another domain: " + damage;
		if (meeting == Meeting::kWarm)
			damage = warm_->damage();
		if (meeting == Meeting::kCold)
			damage = cold_->unreadable();
		return damage.empty() ? "" : "in its domain: " + damage;
	}

	std::string path_;
	std::string blob_;
	bool share_;
	const Tree &tree_;
	std::vector<std::vector<std::byte>> contents_;
	Mutator mutator_;
	std::optional<Backing> backing_;
	DomainId warm_domain_ = DomainId::random();
	DomainId cold_domain_ = DomainId::random();
	std::optional<SoundImage> warm_;
	std::optional<SoundImage> cold_;
	std::optional<SoundImage> apart_;
};

/// Sums of a batch.
struct Batch {
	std::uint64_t mutants = 0;
	std::uint64_t mounted = 0;
	WalkCount walk;
	Clock::time_point start = Clock::now();

	void add(const MutantResult &result)
	{
		mutants++;
		mounted += result.mounted ? 1 : 0;
		walk += result.walk;
	}
	[[nodiscard]] Record record(const std::string &seed) const
	{
		const std::chrono::duration<double> spent =
			Clock::now() - start;

		return {{"event", "fuzz"},
			{"seed", seed},
			{"mutants", mutants},
			{"mounted", mounted},
			{"refused", mutants - mounted},
			{"files", walk.files},
			{"bytes", walk.bytes},
			{"errors", walk.errors},
			{"seconds", spent.count()}};
	}
};

/// Lives in memory that is shared with the watching process.
struct Pulse {
	std::atomic<std::uint64_t> beats{0};
};

class Fuzzer {
      public:
	explicit Fuzzer(Pulse &pulse) : pulse_(pulse)
	{
		mkdir(kStore, 0755);
		mkdir(kWork, 0755);
		// Not tmpfs, whose files cannot be mounted as images.
		work_.emplace(mount_other("ramfs", "ramfs", kWork, 0, ""));
		store_.emplace(mount_other("ext4", disk_called("seeds"), kStore,
					   MS_RDONLY, "noload"));
	}

	void ranges(const std::vector<MutantRange> &ranges)
	{
		for (const MutantRange &range : ranges)
			if (std::unique_ptr<Arena> arena =
				    enter(range.seed, true))
				run_range(*arena, range);
	}

	void recipes(const std::vector<std::string> &recipes, bool share)
	{
		for (const std::string &recipe : recipes) {
			const Mutant mutant = Mutant::from_recipe(recipe);
			std::unique_ptr<Arena> arena =
				enter(mutant.seed, share);

			if (!arena)
				continue;
			if (arena->mutator().digest() != mutant.digest) {
				skip(mutant.seed,
				     "the recipe is for an image that another "
				     "mkfs.erofs made");
				continue;
			}
			Batch batch;

			current_ = {mutant.seed, std::nullopt, recipe};
			run_one(*arena, mutant, batch);
			records_.send(batch.record(mutant.seed));
		}
	}

	void end()
	{
		records_.send({{"event", "fuzz-end"}});
	}

      private:
	std::unique_ptr<Arena> enter(const std::string &seed, bool share)
	{
		current_ = {seed, std::nullopt, "unmutated"};
		try {
			return std::make_unique<Arena>(seed, share);
		} catch (const std::system_error &error) {
			if (error.code().value() == EIO)
				fail(records_, current_, "damage",
				     error.what());
			skip(seed, error.what());
			return nullptr;
		}
	}

	void skip(const std::string &seed, const std::string &why)
	{
		records_.send({{"event", "fuzz-skip"},
			       {"seed", seed},
			       {"text", why}});
	}

	void run_range(Arena &arena, const MutantRange &range)
	{
		Batch batch;

		for (std::uint64_t i = 0; i < range.count; i++) {
			current_ = {range.seed, range.from + i, ""};
			run_one(arena, arena.mutator().make(range.from + i),
				batch);
			if (batch.mutants < kBatch && i + 1 < range.count)
				continue;
			records_.send(batch.record(range.seed));
			batch = {};
		}
	}

	void run_one(Arena &arena, const Mutant &mutant, Batch &batch)
	{
		records_.send(current_.record("mutant"));
		pulse_.beats++;
		const MutantResult result = arena.run(mutant);

		batch.add(result);
		std::string complaints;
		bool complained = false;
		for (const std::string &line : log_.read_new()) {
			complained = complained || is_complaint(line);
			if (complained && complaints.size() < 6000)
				complaints += line + "\n";
		}
		if (!complained && result.damage.empty())
			return;
		records_.send(batch.record(arena_seed()));
		fail(records_, current_, complained ? "complaint" : "damage",
		     complained ? complaints : result.damage);
	}

	[[nodiscard]] const std::string &arena_seed() const
	{
		return current_.seed;
	}

	Pulse &pulse_;
	RecordWriter records_;
	KernelLog log_;
	std::optional<Mount> work_;
	std::optional<Mount> store_;
	Current current_;
};

/// Whether @child has not ended; it is not reaped.
bool runs(const Child &child)
{
	siginfo_t info{};

	return waitid(P_PID, static_cast<id_t>(child.pid()), &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/// Ends the guest when @child shows no life for too long.
void watch(Child &child, const Pulse &pulse)
{
	std::uint64_t last = 0;
	Clock::time_point since = Clock::now();

	while (runs(child)) {
		std::this_thread::sleep_for(std::chrono::milliseconds(100));
		if (const std::uint64_t now = pulse.beats; now != last) {
			last = now;
			since = Clock::now();
		}
		if (Clock::now() - since < kHang)
			continue;
		RecordWriter().send(
			{{"event", "fuzz-failure"},
			 {"kind", "hang"},
			 {"text", "no end after " +
					  std::to_string(kHang.count()) +
					  " s"}});
		write_text("/proc/sysrq-trigger", "w");
		write_text("/proc/sysrq-trigger", "l");
		std::this_thread::sleep_for(std::chrono::seconds(1));
		reboot(RB_AUTOBOOT);
	}
}

/// Runs @body with a Fuzzer in a process of its own, watched by this one.
void run_watched(const std::function<void(Fuzzer &)> &body)
{
	void *const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		throw_errno("mmap");
	auto *const pulse = new (page) Pulse;
	Child child([&] {
		try {
			Fuzzer fuzzer(*pulse);

			body(fuzzer);
			fuzzer.end();
			return 0;
		} catch (const std::exception &error) {
			RecordWriter().send({{"event", "fuzz-failure"},
					     {"kind", "harness"},
					     {"text", error.what()}});
			return 1;
		}
	});
	watch(child, *pulse);
	const int status = child.wait();
	munmap(page, 4096);
	if (status != 0)
		throw_error(ECHILD, "mounting hostile images: status " +
					    std::to_string(status));
}

} // namespace

MutantRange MutantRange::parse(const std::string &text)
{
	const std::size_t first = text.find(':');
	const std::size_t second = text.find(':', first + 1);

	if (first == std::string::npos || second == std::string::npos)
		throw std::invalid_argument("'" + text +
					    "': expected SEED:FROM:COUNT");
	return {text.substr(0, first),
		std::stoull(text.substr(first + 1, second - first - 1)),
		std::stoull(text.substr(second + 1))};
}

void fuzz_ranges(const std::vector<MutantRange> &ranges)
{
	run_watched([&](Fuzzer &fuzzer) { fuzzer.ranges(ranges); });
}

void fuzz_recipes(const std::vector<std::string> &recipes, bool share)
{
	run_watched([&](Fuzzer &fuzzer) { fuzzer.recipes(recipes, share); });
}

} // namespace erofs_share
