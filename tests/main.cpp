// SPDX-License-Identifier: GPL-2.0-only
// Runs the tests in a guest and reports to the host.
#include "fixture.h"
#include "record_listener.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>
#include <memory>

int main(int argc, char **argv)
{
	constexpr const char *kXml = "/tmp/results.xml";
	unsigned int limit = 120;
	CLI::App app("tests of page cache sharing between erofs images");

	testing::GTEST_FLAG(output) = std::string("xml:") + kXml;
	testing::InitGoogleTest(&argc, argv);
	app.add_option("--test-seconds", limit,
		       "end the guest when one test takes longer");
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
