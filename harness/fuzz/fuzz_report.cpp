// SPDX-License-Identifier: GPL-2.0-only
// The results of hostile images.
#include "fuzz/fuzz_report.h"

#include "base/fd.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutator.h"
#include "results/console.h"
#include "results/report.h"
#include "wire/record.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <iomanip>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace erofs_share {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStockMark = "# Stock: ";

bool is_recipe(const std::string &line)
{
	return line.find(' ') != std::string::npos;
}

std::string seed_of(const std::string &line)
{
	return line.substr(0, line.find_first_of(": "));
}

std::vector<std::string> read_lines(const std::string &path)
{
	std::istringstream text(read_text(path));
	std::vector<std::string> lines;

	for (std::string line; std::getline(text, line);)
		if (!line.empty())
			lines.push_back(line);
	return lines;
}

std::string recipe_of(const std::string &images, const std::string &seed,
		      std::uint64_t number)
{
	return mutator_of(images, seed).make(number).recipe();
}

std::string text_of(const Record &record, const char *key)
{
	return record.contains(key) ? record.at(key).get<std::string>() : "";
}

} // namespace

Mutator mutator_of(const std::string &images, const std::string &seed)
{
	const std::string path = images + "/" + seed + ".erofs";
	const UniqueFd fd = open_file(path, O_RDONLY);
	std::vector<std::byte> image(fs::file_size(path));

	read_at(fd.get(), image, 0, path);
	return {seed, std::move(image)};
}

std::vector<Regression> Regression::read_all(const std::string &directory)
{
	std::vector<Regression> all;
	std::set<fs::path> files;

	if (fs::exists(directory))
		for (const auto &entry : fs::directory_iterator(directory))
			if (entry.path().extension() == ".txt")
				files.insert(entry.path());
	for (const fs::path &file : files) {
		Regression regression;

		regression.name = file.stem().string();
		for (const std::string &line : read_lines(file.string())) {
			if (line.rfind(kStockMark, 0) == 0)
				regression.stock =
					line.substr(kStockMark.size());
			else if (line.front() != '#')
				regression.recipe = line;
		}
		if (regression.recipe.empty())
			throw std::runtime_error(file.string() +
						 " has no recipe");
		all.push_back(std::move(regression));
	}
	return all;
}

FuzzReport::FuzzReport(const std::vector<std::string> &runs, std::string images,
		       std::vector<Regression> known)
    : images_(std::move(images)), known_(std::move(known))
{
	for (const std::string &run : runs) {
		for (std::string &line : read_lines(run + "/plan"))
			plan_.push_back(std::move(line));
		if (!fs::exists(run + "/guest-1"))
			continue;
		for (const std::string &guest : guest_directories(run))
			read_guest(guest);
	}
}

void FuzzReport::read_guest(const std::string &directory)
{
	FuzzFailure current;
	bool began = false;
	bool told = false;

	ended_ = false;
	current.console = directory + "/console.log";
	if (!fs::exists(directory + "/records"))
		return;
	for (const Record &record : read_records(directory + "/records")) {
		const std::string event = record.at("event");

		if (event == "mutant") {
			began = true;
			current.seed = record.at("seed");
			current.recipe = text_of(record, "recipe");
			current.number.clear();
			SeedSums &sums = seeds_[current.seed];
			sums.mutants++;
			if (!current.recipe.empty()) {
				recipes_[current.recipe]++;
				continue;
			}
			const std::uint64_t number = record.at("number");
			current.number = std::to_string(number);
			next_[current.seed] =
				std::max(next_[current.seed], number + 1);
		} else if (event == "fuzz") {
			SeedSums &sums = seeds_[record.at("seed")];

			sums.mounted += record.at("mounted").get<unsigned>();
			sums.refused += record.at("refused").get<unsigned>();
			sums.files += record.at("files").get<unsigned>();
			sums.errors += record.at("errors").get<unsigned>();
			sums.timed += record.at("mutants").get<unsigned>();
			sums.seconds += record.at("seconds").get<double>();
		} else if (event == "fuzz-failure") {
			told = true;
			current.kind = record.at("kind");
			current.text = record.at("text");
			if (record.contains("seed"))
				current.seed = record.at("seed");
			add_failure(current);
		} else if (event == "fuzz-skip") {
			skips_[record.at("seed")] = record.at("text");
		} else if (event == "fuzz-end") {
			ended_ = true;
		}
	}
	if (told || (ended_ && console_complaint(current.console).empty()))
		return;
	// At its end init looks for memory that was lost.
	current.kind = ended_  ? "complaint at the end"
		       : began ? "crash"
			       : "lost";
	if (ended_) {
		current.number.clear();
		current.recipe.clear();
	}
	current.text = console_excerpt(current.console);
	add_failure(current);
}

void FuzzReport::add_failure(FuzzFailure failure)
{
	failure.complaint = console_complaint(failure.console);
	if (failure.recipe.empty() && !failure.number.empty())
		failure.recipe = recipe_of(images_, failure.seed,
					   std::stoull(failure.number));
	// What does not end complains of nothing: only the mutant tells.
	const bool silent = failure.kind == "hang" && failure.complaint.empty();
	for (const Regression &regression : known_)
		if (!regression.stock.empty() &&
		    (silent ? failure.recipe == regression.recipe
			    : failure.complaint == regression.stock))
			failure.known = regression.name;
	SeedSums &sums = seeds_[failure.seed];
	(failure.known.empty() ? sums.failed : sums.known)++;
	failures_.push_back(std::move(failure));
}

std::vector<std::string> FuzzReport::remaining() const
{
	std::vector<std::string> left;

	for (const std::string &line : plan_) {
		if (skips_.count(seed_of(line)) != 0)
			continue;
		if (is_recipe(line)) {
			if (recipes_.count(line) == 0)
				left.push_back(line);
			continue;
		}
		const MutantRange range = MutantRange::parse(line);
		const auto found = next_.find(range.seed);
		const std::uint64_t next = std::max(
			range.from, found == next_.end() ? 0 : found->second);
		if (next < range.from + range.count)
			left.push_back(range.seed + ":" + std::to_string(next) +
				       ":" +
				       std::to_string(range.from + range.count -
						      next));
	}
	return left;
}

std::uint64_t FuzzReport::planned() const
{
	std::uint64_t count = 0;

	for (const std::string &line : plan_)
		count += is_recipe(line) ? 1 : MutantRange::parse(line).count;
	return count;
}

std::size_t FuzzReport::failed() const
{
	std::set<std::string> bad;

	// A recipe is a test, and so is a seed with all its numbers.
	for (const FuzzFailure &failure : failures_)
		if (failure.known.empty())
			bad.insert(failure.number.empty()
					   ? failure.seed + failure.recipe
					   : failure.seed);
	for (const std::string &line : remaining())
		bad.insert(is_recipe(line) ? seed_of(line) + line
					   : seed_of(line));
	return bad.size();
}

std::size_t FuzzReport::skipped() const
{
	return static_cast<std::size_t>(std::count_if(
		plan_.begin(), plan_.end(), [this](const std::string &line) {
			return skips_.count(seed_of(line)) != 0;
		}));
}

std::size_t FuzzReport::passed() const
{
	const std::size_t others = failed() + skipped();

	return plan_.size() > others ? plan_.size() - others : 0;
}

void FuzzReport::print(std::ostream &out) const
{
	SeedSums all;
	const auto row = [&](const std::string &name, const SeedSums &sums) {
		out << std::left << std::setw(16) << name << std::right
		    << std::setw(8) << sums.mutants << std::setw(9)
		    << sums.mounted << std::setw(9) << sums.refused
		    << std::setw(12) << sums.files << std::setw(13)
		    << sums.errors << std::setw(8) << sums.failed
		    << std::setw(7) << sums.known << std::setw(9) << std::fixed
		    << std::setprecision(1)
		    << (sums.seconds > 0
				? static_cast<double>(sums.timed) / sums.seconds
				: 0)
		    << '\n';
	};

	for (const FuzzFailure &failure : failures_) {
		out << (failure.known.empty() ? "FAILED " : "known ")
		    << failure.kind << ": " << failure.seed
		    << (failure.number.empty() ? "" : " " + failure.number)
		    << (failure.complaint.empty() ? ""
						  : ": " + failure.complaint)
		    << '\n';
		if (!failure.known.empty()) {
			out << "  the stock module has it, see "
			       "tests/regressions/"
			    << failure.known << ".txt\n";
			continue;
		}
		out << "  recipe: " << failure.recipe << '\n'
		    << "  console: " << failure.console << '\n';
		std::istringstream text(failure.text);
		std::string line;
		for (int i = 0; i < 30 && std::getline(text, line); i++)
			out << "    " << line << '\n';
	}
	for (const auto &[seed, why] : skips_)
		out << "skipped " << seed << ": " << why << '\n';
	for (const std::string &line : remaining())
		out << "FAILED " << line << ": no guest came to run it\n";

	out << std::left << std::setw(16) << "seed" << std::right
	    << " mutants  mounted  refused  files read  failed calls  failed  "
	       "known  rate/s\n";
	for (const auto &[seed, sums] : seeds_) {
		row(seed, sums);
		all.mutants += sums.mutants;
		all.mounted += sums.mounted;
		all.refused += sums.refused;
		all.files += sums.files;
		all.errors += sums.errors;
		all.failed += sums.failed;
		all.known += sums.known;
		all.timed += sums.timed;
		all.seconds += sums.seconds;
	}
	row("all", all);
	if (all.failed == 0 && remaining().empty()) {
		out << "Each of " << all.mutants - all.known
		    << " hostile images gave data or an error, and harmed "
		       "nobody else";
		if (all.known != 0)
			out << "; on " << all.known
			    << " more the kernel's own module fails as well";
		out << ".\n";
	} else {
		out << all.failed << " of " << planned()
		    << " hostile images did what no image may do; see above.\n";
	}
}

} // namespace erofs_share
