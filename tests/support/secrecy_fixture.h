// SPDX-License-Identifier: GPL-2.0-only
// What tests of the domain id's secrecy share: what counts as revealing it, and
// everything that one does with an id.
#pragma once

#include "support/fixture.h"

#include <string>
#include <vector>

namespace erofs_share {

/// A test that something does not show the domain id.
class Secrecy : public ShareTest {
      protected:
	/// Whether @text holds the domain id, or the half of it that a careless
	/// shortening would leave, as it is or in hexadecimal, as audit writes
	/// strings that it does not trust.
	[[nodiscard]] bool reveals(const std::string &text) const;

	/// Mounts, remounts, fails to mount and unmounts with the domain id, in
	/// each way. Leaves nothing mounted.
	void use_domain_id() const;
};

/// statmount(2) of every mount, all fields, as the kernel lays them out. Empty
/// on kernels without it. Throws.
std::vector<std::string> statmount_everything();

} // namespace erofs_share
