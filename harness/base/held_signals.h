// SPDX-License-Identifier: GPL-2.0-only
// When signals may end the mount helper: not while it holds a domain id, which
// it has to wipe first.
#pragma once

namespace erofs_share {

/// Holds back the signals that would end the process, from now on.
void hold_signals();

/// While it lives, these signals do what they did before hold_signals(): for
/// waits of unknown length, when there is nothing to wipe.
class SignalsLetThrough {
      public:
	SignalsLetThrough();
	SignalsLetThrough(const SignalsLetThrough &) = delete;
	SignalsLetThrough &operator=(const SignalsLetThrough &) = delete;
	SignalsLetThrough(SignalsLetThrough &&) = delete;
	SignalsLetThrough &operator=(SignalsLetThrough &&) = delete;
	~SignalsLetThrough();
};

} // namespace erofs_share
