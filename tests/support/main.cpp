// SPDX-License-Identifier: GPL-2.0-only
// Runs the tests in a guest and reports to the host.
#include "support/fixture.h"
#include "support/record_listener.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>

namespace {

/// Lets GoogleTest run the part "INDEX/COUNT" of the tests only. It reads this
/// from the environment, which a guest's command line cannot set.
void take_shard(const std::string &part)
{
	const std::size_t slash = part.find('/');

	if (slash == std::string::npos)
		throw CLI::ValidationError(
			"--shard", "'" + part + "': expected INDEX/COUNT");
	setenv("GTEST_SHARD_INDEX", part.substr(0, slash).c_str(), 1);
	setenv("GTEST_TOTAL_SHARDS", part.substr(slash + 1).c_str(), 1);
}

} // namespace

int main(int argc, char **argv)
{
	constexpr const char *kXml = "/tmp/results.xml";
	unsigned int limit = 120;
	CLI::App app("tests of page cache sharing between erofs images");

	testing::GTEST_FLAG(output) = std::string("xml:") + kXml;
	testing::InitGoogleTest(&argc, argv);
	app.add_option("--test-seconds", limit,
		       "end the guest when one test takes longer");
	app.add_option_function<std::string>(
		"--shard", take_shard, "INDEX/COUNT: one part of the tests");
	app.add_flag_callback(
		"--without-sharing",
		[] {
			erofs_share::disregard_inode_share(
				"sharing is not what this run is about");
		},
		"skip the tests of sharing, whatever the module can");
	CLI11_PARSE(app, argc, argv);
	if (testing::GTEST_FLAG(list_tests))
		return RUN_ALL_TESTS();

	auto listener = std::make_unique<erofs_share::RecordListener>(
		std::chrono::seconds(limit));
	const erofs_share::RecordListener *sender = listener.get();
	// GoogleTest owns the listener until the process ends.
	testing::UnitTest::GetInstance()->listeners().Append(
		listener.release());
	testing::AddGlobalTestEnvironment(new erofs_share::ImageEnvironment);
	const int status = RUN_ALL_TESTS();
	sender->send_xml(kXml);
	return status;
}
