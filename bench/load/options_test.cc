// SPDX-License-Identifier: GPL-2.0-only
// options_test.cc - what the command line means, and what it must not say.
#include "options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

namespace cppland::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::expected<Options, EarlyExit> parse(const std::vector<const char*>& given, unsigned cpus = 2) {
  std::vector<const char*> arguments = {"cppland-load"};
  std::ranges::copy(given, std::back_inserter(arguments));
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), cpus);
}

// Expects the arguments to be refused with a one-line message that holds TEXT.
void expect_refused(const std::vector<const char*>& arguments, const std::string& text) {
  const auto options = parse(arguments);
  ASSERT_FALSE(options) << text;
  EXPECT_EQ(options.error().status, 2);
  EXPECT_THAT(options.error().message, HasSubstr(text));
  EXPECT_EQ(std::count(options.error().message.begin(), options.error().message.end(), '\n'), 1);
}

TEST(Options, DefaultsAreTheDocumentedOnes) {
  const auto options = parse({"--frames", "1"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->frames, 1U);
  EXPECT_EQ(options->frame_hz, 60);
  EXPECT_EQ(options->frame_work_us, 2000);
  EXPECT_EQ(options->audio, 0U);
  EXPECT_TRUE(options->hog_nices.empty());
  EXPECT_EQ(options->loops_per_us, 0);
}

TEST(Options, EveryFlagIsUnderstood) {
  const auto options =
      parse({"--frames=2", "--frame-hz=120.5", "--frame-work-us=500", "--audio=1",
             "--audio-period-us=2500", "--audio-work-us=100", "--pairs=3", "--pair-think-us=900",
             "--pair-work-us=20", "--hogs=2", "--hog-nice=-5,5", "--with=make -j3", "--seconds=0.5",
             "--warmup=0", "--seed=18446744073709551615", "--loops-per-us=123.25", "--json=-",
             "--weights", "--hog-pauses"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->frame_hz, 120.5);
  EXPECT_EQ(options->audio_period_us, 2500);
  EXPECT_EQ(options->pairs, 3U);
  EXPECT_THAT(options->hog_nices, ElementsAre(-5, 5));
  EXPECT_EQ(options->background, "make -j3");
  EXPECT_EQ(options->seconds, 0.5);
  EXPECT_EQ(options->warmup, 0);
  EXPECT_EQ(options->seed, UINT64_MAX);
  EXPECT_EQ(options->loops_per_us, 123.25);
  EXPECT_EQ(options->json, "-");
  EXPECT_TRUE(options->weights);
}

TEST(Options, NiceValuesAreDealtOutInTurn) {
  EXPECT_THAT(parse({"--hogs", "5", "--hog-nice", "0,10"})->hog_nices,
              ElementsAre(0, 10, 0, 10, 0));
  EXPECT_THAT(parse({"--hogs-per-cpu", "2", "--hog-nice", "-3"}, 3)->hog_nices,
              ElementsAre(-3, -3, -3, -3, -3, -3));
  EXPECT_THAT(parse({"--hogs", "2"})->hog_nices, ElementsAre(0, 0));
  EXPECT_EQ(parse({"--hogs", "20000"})->hog_nices.size(), 20'000U);
}

TEST(Options, CalibratingNeedsNothingElse) {
  const auto options = parse({"--calibrate"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->calibrate);
}

TEST(Options, HelpEndsWithSuccessAndNamesEveryFlag) {
  const auto options = parse({"--help"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().status, 0);
  for (const char* flag :
       {"--frames", "--audio", "--pairs", "--hogs", "--hogs-per-cpu", "--hog-nice", "--with",
        "--seconds", "--warmup", "--seed", "--loops-per-us", "--json", "--weights", "--hog-pauses",
        "--calibrate"}) {
    EXPECT_THAT(options.error().message, HasSubstr(flag));
  }
}

TEST(Options, NonsenseIsRefusedWithOneMessage) {
  expect_refused({}, "nothing to run");
  expect_refused({"--frames", "0"}, "nothing to run");
  expect_refused({"--frames"}, "--frames");
  expect_refused({"--frames", "-1"}, "'-1' is no whole number");
  expect_refused({"--frames", "1.5"}, "'1.5' is no whole number");
  expect_refused({"--frames", "99999999999999999999"}, "is no whole number");
  expect_refused({"--frames", "1001"}, "is no whole number");
  expect_refused({"--hogs", "20001"}, "is no whole number");
  expect_refused({"--frames", "1", "--frame-hz", "0"}, "'0' is no number");
  expect_refused({"--frames", "1", "--frame-hz", "nan"}, "'nan' is no number");
  expect_refused({"--frames", "1", "--frame-work-us", "17000"}, "does not fit");
  expect_refused({"--audio", "1", "--audio-work-us", "5000"}, "does not fit");
  expect_refused({"--hogs", "1", "--hogs-per-cpu", "1"}, "exclude each other");
  expect_refused({"--frames", "1", "--hog-nice", "5"}, "--hog-nice needs");
  expect_refused({"--frames", "1", "--weights"}, "--weights needs");
  expect_refused({"--frames", "1", "--hog-pauses"}, "--hog-pauses needs");
  expect_refused({"--hogs", "1", "--hog-nice", "20"}, "20 is not from -20 to 19");
  expect_refused({"--hogs", "1", "--hog-nice", "x"}, "--hog-nice");
  expect_refused({"--hogs", "1", "--hog-nice", ""}, "--hog-nice takes a list");
  expect_refused({"--hogs", "1", "--hog-nice", "0,,1"}, "'' in '0,,1' is no whole number");
  expect_refused({"--hogs", "1", "--hog-nice", "0,"}, "'' in '0,' is no whole number");
  expect_refused({"--hogs", "1", "--hog-nice", "0,1.5"}, "'1.5' in '0,1.5' is no whole number");
  expect_refused({"--hogs", "1", "--seconds", "0"}, "'0' is no number");
  expect_refused({"--hogs", "1", "--seconds", "inf"}, "'inf' is no number");
  expect_refused({"--hogs", "1", "--warmup", "-1"}, "'-1' is no number");
  expect_refused({"--hogs", "1", "--seed", "-1"}, "'-1' is no whole number");
  expect_refused({"--hogs", "1", "--loops-per-us", "0"}, "'0' is no number");
  expect_refused({"--hogs", "1", "--no-such-flag"}, "--no-such-flag");
  expect_refused({"--hogs", "1", "stray"}, "stray");
}

}  // namespace
}  // namespace cppland::load
