// SPDX-License-Identifier: GPL-2.0-only
// Modules in turn in one guest, and their records apart on the host.
#include "lab/module_batch.h"

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/kernel_module.h"
#include "machine/kmemleak.h"
#include "wire/record.h"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace erofs_share {

namespace {

/// What tests load again when they have unloaded erofs.
constexpr const char *kModuleFile = "/modules/erofs.ko";
constexpr const char *kBatchDirectory = "/modules/batch/";
constexpr std::string_view kMarker = "[ MODULE ] ";

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
int load_erofs(const std::string &file)
{
	std::filesystem::remove(kModuleFile);
	std::filesystem::create_symlink(file, kModuleFile);
	return load_module(kModuleFile);
}

/// What the console @path shows of each module, by its name.
std::map<std::string, std::string> console_parts(const std::string &path)
{
	std::map<std::string, std::string> parts;
	std::string *part = nullptr;
	std::istringstream lines(std::filesystem::exists(path) ? read_text(path)
							       : "");

	for (std::string line; std::getline(lines, line);) {
		const std::size_t marker = line.find(kMarker);

		if (marker != std::string::npos) {
			std::string name = line.substr(marker + kMarker.size());

			while (!name.empty() && name.back() == '\r')
				name.pop_back();
			part = &parts[name];
		} else if (part != nullptr) {
			*part += line + '\n';
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
		const int in_use = unload_erofs();

		if (in_use != 0)
			throw_error(in_use,
				    "unload erofs to try " + trial.name);
		// What a module before it has lost is not this one's.
		if (kmemleak_works())
			kmemleak_clear();
		std::cerr << kMarker << trial.name << std::endl;
		records.send({{"event", "module"}, {"name", trial.name}});
		const int error =
			load_erofs(kBatchDirectory + trial.name + ".ko");
		if (error == 0) {
			std::vector<std::string> argv = {
				program, "--gtest_filter=" + trial.pattern};

			argv.insert(argv.end(), arguments.begin(),
				    arguments.end());
			run_program("/", argv, Capture::kNone);
		} else {
			std::cerr << "cannot load " << trial.name << ": "
				  << std::generic_category().message(error)
				  << '\n';
		}
		records.send({{"event", "module-end"}, {"name", trial.name}});
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

	auto consoles = console_parts(guest + "/console.log");
	for (std::size_t i = 0; i < names.size(); ++i) {
		const auto directory =
			next_guest(std::filesystem::path(out) / names[i]);

		write_file(directory / "records", texts[i]);
		write_file(directory / "console.log", consoles[names[i]]);
	}
	return names;
}

} // namespace erofs_share
