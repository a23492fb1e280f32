// SPDX-License-Identifier: GPL-2.0-only
// The kernel's audit records of the system calls that mount.
#pragma once

#include "base/fd.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace erofs_share {

/// Auditing is on while this lives.
class AuditLog {
      public:
	/// Why this kernel cannot audit; "" when it can.
	static std::string unavailable();

	/// Turns auditing on, with a rule for mount(2) and its successors.
	/// Throws.
	AuditLog();
	AuditLog(const AuditLog &) = delete;
	AuditLog &operator=(const AuditLog &) = delete;
	AuditLog(AuditLog &&) = delete;
	AuditLog &operator=(AuditLog &&) = delete;
	~AuditLog();

	/// All records so far, "type=N " and their text. Throws.
	std::vector<std::string> read_all();

      private:
	/// Sends one request to the kernel. Returns the errno it answered.
	[[nodiscard]] int request(std::uint16_t type,
				  std::span<const std::byte> body);
	int enable(bool on);
	int rule(std::uint16_t type);

	UniqueFd control_;
	UniqueFd records_;
};

} // namespace erofs_share
