// SPDX-License-Identifier: GPL-2.0-only
// Modules in turn in one guest, and their records apart on the host.
#include "module_batch.h"

#include "child.h"
#include "error.h"
#include "fd.h"
#include "kernel_module.h"
#include "kmemleak.h"
#include "record.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace erofs_share {

namespace {

/// What tests load again when they have unloaded erofs.
constexpr const char *kModuleFile = "/modules/erofs.ko";
constexpr const char *kBatchDirectory = "/modules/batch/";
constexpr const char *kMarker = "[ MODULE ] ";

/// Bits of /proc/sys/kernel/tainted
/// (Documentation/admin-guide/tainted-kernels.rst) that say the kernel has
/// complained: bad page, died, warned, soft lockup.
constexpr unsigned long kComplained =
	(1UL << 5) | (1UL << 7) | (1UL << 9) | (1UL << 14);

bool kernel_has_complained()
{
	return (std::stoul(read_text("/proc/sys/kernel/tainted")) &
		kComplained) != 0;
}

/// Unloads erofs; waits for what ends on its own a moment after an unmount.
/// Returns the errno of the last attempt.
int unload_erofs()
{
	int error = 0;

	for (int i = 0; i < 50; ++i) {
		if (!module_loaded("erofs"))
			return 0;
		error = unload_module("erofs");
		if (error == 0)
			return 0;
		std::this_thread::sleep_for(std::chrono::milliseconds(100));
	}
	return error;
}

/// Lets kModuleFile name the module @file, and loads it. Returns the errno.
int replace_erofs(const std::string &file)
{
	const int error = unload_erofs();

	if (error != 0)
		return error;
	std::filesystem::remove(kModuleFile);
	std::filesystem::create_symlink(file, kModuleFile);
	return load_module(kModuleFile);
}

void run_trial(const ModuleTrial &trial, const std::string &program,
	       const std::vector<std::string> &arguments)
{
	std::vector<std::string> argv = {program,
					 "--gtest_filter=" + trial.pattern};

	argv.insert(argv.end(), arguments.begin(), arguments.end());
	Child child([&] {
		std::vector<char *> words;

		words.reserve(argv.size() + 1);
		for (std::string &word : argv)
			words.push_back(word.data());
		words.push_back(nullptr);
		execv(words[0], words.data());
		std::cerr << argv[0] << ": "
			  << std::generic_category().message(errno) << '\n';
		return 127;
	});
	child.wait();
}

/// The parts of the console @path that follow the marker of a module, by its
/// name.
std::vector<std::pair<std::string, std::string>>
console_parts(const std::string &path)
{
	std::vector<std::pair<std::string, std::string>> parts;
	std::istringstream lines(std::filesystem::exists(path) ? read_text(path)
							       : "");

	for (std::string line; std::getline(lines, line);) {
		const std::size_t marker = line.find(kMarker);

		if (marker != std::string::npos) {
			std::string name = line.substr(
				marker +
				std::char_traits<char>::length(kMarker));

			while (!name.empty() && name.back() == '\r')
				name.pop_back();
			parts.emplace_back(name, "");
		} else if (!parts.empty()) {
			parts.back().second += line + '\n';
		}
	}
	return parts;
}

/// The first of @directory/guest-1, guest-2, ... that is not there; makes it.
std::filesystem::path next_guest(const std::filesystem::path &directory)
{
	for (int number = 1;; ++number) {
		auto guest = directory / ("guest-" + std::to_string(number));

		if (std::filesystem::create_directories(guest))
			return guest;
	}
}

void write_lines(const std::filesystem::path &path, const std::string &text)
{
	std::ofstream file(path);

	file << text;
	if (!file.flush())
		throw_error(EIO, "write " + path.string());
}

} // namespace

ModuleTrial ModuleTrial::parse(const std::string &text)
{
	const std::size_t equals = text.find('=');

	if (equals == std::string::npos || equals == 0 ||
	    equals + 1 == text.size())
		throw std::invalid_argument(
			"'" + text +
			"': expected NAME=PATTERN, a module and its tests");
	return {text.substr(0, equals), text.substr(equals + 1)};
}

void run_module_batch(const std::vector<ModuleTrial> &trials,
		      const std::string &program,
		      const std::vector<std::string> &arguments)
{
	const RecordWriter records;

	records.share_with_children();
	for (const ModuleTrial &trial : trials) {
		const int error =
			replace_erofs(kBatchDirectory + trial.name + ".ko");

		if (error != 0)
			throw_error(error, "load " + trial.name +
						   " in the place of erofs");
		// What a module before it has lost is not this one's.
		if (kmemleak_works())
			kmemleak_clear();
		std::cerr << kMarker << trial.name << std::endl;
		records.send({{"event", "module"}, {"name", trial.name}});
		run_trial(trial, program, arguments);
		records.send({{"event", "module-end"}, {"name", trial.name}});
		if (kernel_has_complained())
			return;
	}
}

std::vector<std::string> part_module_batch(const std::string &guest,
					   const std::string &out)
{
	std::vector<std::string> names;
	std::vector<std::string> texts;
	std::string hello;
	bool inside = false;

	for (const Record &record : read_records(guest + "/records")) {
		const std::string event = record.at("event");

		if (event == "hello") {
			hello = record.dump() + '\n';
		} else if (event == "module") {
			names.push_back(record.at("name"));
			texts.push_back(hello);
			inside = true;
		} else if (event == "module-end") {
			texts.back() += Record{{"event", "bye"}}.dump() + '\n';
			inside = false;
		} else if (inside) {
			texts.back() += record.dump() + '\n';
		}
	}

	const auto consoles = console_parts(guest + "/console.log");
	for (std::size_t i = 0; i < names.size(); ++i) {
		const auto directory =
			next_guest(std::filesystem::path(out) / names[i]);

		write_lines(directory / "records", texts[i]);
		write_lines(directory / "console.log",
			    i < consoles.size() ? consoles[i].second : "");
	}
	return names;
}

} // namespace erofs_share
