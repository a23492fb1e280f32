// SPDX-License-Identifier: GPL-2.0-only
// Blocking signals, and giving them back.
#include "base/held_signals.h"

#include <array>
#include <csignal>

namespace erofs_share {

namespace {

constexpr std::array<int, 4> kHeld = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// What each of them did before.
std::array<struct sigaction, kHeld.size()> before{};

void on_signal(int /*signal*/)
{
	// It only has to end the wait for the id.
}

sigset_t held_set()
{
	sigset_t set;

	sigemptyset(&set);
	for (const int signal : kHeld)
		sigaddset(&set, signal);
	return set;
}

} // namespace

void hold_signals()
{
	const sigset_t held = held_set();
	struct sigaction action {};

	sigprocmask(SIG_BLOCK, &held, nullptr);
	action.sa_handler = on_signal;
	for (std::size_t i = 0; i < kHeld.size(); i++)
		sigaction(kHeld[i], &action, &before[i]);
}

SignalsLetThrough::SignalsLetThrough()
{
	const sigset_t held = held_set();

	for (std::size_t i = 0; i < kHeld.size(); i++)
		sigaction(kHeld[i], &before[i], nullptr);
	sigprocmask(SIG_UNBLOCK, &held, nullptr);
}

SignalsLetThrough::~SignalsLetThrough()
{
	hold_signals();
}

} // namespace erofs_share
