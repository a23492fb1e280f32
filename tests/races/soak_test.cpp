// SPDX-License-Identifier: GPL-2.0-only
// Nothing is left behind by mounting, reading and unmounting. scripts/check/soak does
// the same for longer.
#include "machine/kernel_module.h"
#include "stress/soak.h"
#include "support/fixture.h"

#include <filesystem>

namespace erofs_share {
namespace {

class SoakTest : public ErofsTest {
      protected:
	void SetUp() override
	{
		ErofsTest::SetUp();
		if (!module_loaded("erofs"))
			GTEST_SKIP() << "erofs is built into this kernel";
	}
	void TearDown() override
	{
		const std::string file = SoakPlan().module;

		if (!module_loaded("erofs") && std::filesystem::exists(file)) {
			EXPECT_EQ(load_module(file), 0);
		}
		ErofsTest::TearDown();
	}
};

TEST_F(SoakTest, HundredsOfMountsLeaveNothingBehindAndTheModuleUnloads)
{
	const SoakPlan plan = {.cycles = 600, .batch = 150};
	std::string readings;
	const SoakResult result =
		soak(images(), plan, [&](const SoakReading &reading) {
			readings += "cycle " + std::to_string(reading.cycle) +
				    ": slab " +
				    std::to_string(reading.memory.slab) +
				    " KB, used " +
				    std::to_string(reading.memory.used) +
				    " KB\n";
		});

	EXPECT_THAT(result.failures, testing::IsEmpty()) << readings;
	EXPECT_GE(result.readings.size(), 5U);
	EXPECT_GT(result.files, plan.cycles);
}

} // namespace
} // namespace erofs_share
