// SPDX-License-Identifier: GPL-2.0-only
// The command lines of erofs-share-lab, by what they are about. Each function
// adds its commands to @app.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>

namespace erofs_share {

/// Test trees and images (content_commands.cpp).
void add_content_commands(CLI::App &app);
/// What guests have reported: tables, comparisons, coverage
/// (results_commands.cpp).
void add_results_commands(CLI::App &app);
/// The demonstration, and many modules in a guest (guest_commands.cpp).
void add_guest_commands(CLI::App &app);
/// The search for the domain id in a guest's memory (secrecy_commands.cpp).
void add_secrecy_commands(CLI::App &app);
/// Hostile images (fuzz_commands.cpp).
void add_fuzz_commands(CLI::App &app);
/// Stress and soak (stress_commands.cpp).
void add_stress_commands(CLI::App &app);
/// What scripts/bench/bench and its parts call (bench_commands.cpp,
/// bench_cost_commands.cpp).
void add_bench_commands(CLI::App &app);
void add_bench_cost_commands(CLI::App &app);

/// Prints the line that scripts read: tests passed, failed and skipped.
void print_total(std::size_t passed, std::size_t failed, std::size_t skipped);

} // namespace erofs_share
