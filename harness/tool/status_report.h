// SPDX-License-Identifier: GPL-2.0-only
// What mounts share, for people, for programs and for Prometheus.
#pragma once

#include "tool/status.h"

#include <iosfwd>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace erofs_share {

/// How much of a status is printed.
struct StatusLimits {
	std::size_t mounts = std::numeric_limits<std::size_t>::max();
	std::size_t domains = std::numeric_limits<std::size_t>::max();
};

/// Two tables, as df(1) has them, and the sum of what is saved; where nothing
/// shares, why. Names are quoted. Says how many rows @limits left out.
void print_status(const Status &status, std::ostream &out,
		  const StatusLimits &limits = {});

/// The same in bytes; erofs-share(8) documents the members. Names have the
/// bytes that they have.
nlohmann::json to_json(const Status &status);

/// The same as OpenMetrics, which is also Prometheus' text format. Names that
/// are no UTF-8 have U+FFFD in place of what is none.
std::string to_openmetrics(const Status &status);

} // namespace erofs_share
