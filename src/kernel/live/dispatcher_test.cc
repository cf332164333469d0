// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_test.cc - the names and numbers that sysfs and users see; no kernel is needed for
// these.

#include "kernel/live/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cppland::live {
namespace {

using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(Target, NamesMachineAndSystem) {
  EXPECT_THAT(std::string(target()), MatchesRegex("[a-z0-9_]+_linux_gnu"));
}

TEST(OpsName, JoinsProgramVersionAndTarget) {
  EXPECT_EQ(ops_name("scx_mine", "1.2.3"), "scx_mine_1.2.3_" + std::string(target()));
}

TEST(OpsName, ReplacesWhatANameMayNotContain) {
  EXPECT_THAT(ops_name("my prog", "1.0-rc1+git~5/x"), StartsWith("my_prog_1.0_rc1_git_5_x_"));
  EXPECT_THAT(ops_name("\xC3\xA4", "\n\t\""), StartsWith("_______"));
  EXPECT_THAT(ops_name("", ""), StartsWith("__"));
}

TEST(OpsName, FitsTheKernelsField) {
  EXPECT_EQ(ops_name(std::string(500, 'a'), "1"), std::string(127, 'a'));
  const std::size_t rest = std::string(target()).size() + 3;  // "_1_TARGET"
  EXPECT_EQ(ops_name(std::string(127 - rest, 'a'), "1").size(), 127U);
  EXPECT_EQ(ops_name(std::string(128 - rest, 'a'), "1").size(), 127U);
}

TEST(ExitInfo, FailsWithWhatTheKernelCallsAnError) {
  struct Case {
    int kind;
    bool failed;
  };
  for (const Case& c : {Case{0, false},
                        {1, false},
                        {64, false},
                        {65, false},
                        {66, false},
                        {67, true},
                        {1024, true},
                        {1025, true},
                        {1026, true}}) {
    EXPECT_EQ(ExitInfo{.kind = c.kind}.failed(), c.failed) << c.kind;
  }
}

TEST(ExitInfo, WantsARestartWhenBpfOrTheKernelSaysSo) {
  constexpr std::int64_t kHotplug = 0x1000100000000;
  EXPECT_EQ(kHotplug, ExitInfo::kCodeRestart | ExitInfo::kCodeHotplug);
  for (const int kind : {65, 66}) {
    EXPECT_TRUE((ExitInfo{.kind = kind, .code = kHotplug}.wants_restart())) << kind;
    EXPECT_FALSE((ExitInfo{.kind = kind, .code = ExitInfo::kCodeHotplug}.wants_restart())) << kind;
    EXPECT_FALSE((ExitInfo{.kind = kind}.wants_restart())) << kind;
  }
  for (const int kind : {0, 64, 67, 1024}) {
    EXPECT_FALSE((ExitInfo{.kind = kind, .code = kHotplug}.wants_restart())) << kind;
  }
}

}  // namespace
}  // namespace cppland::live
