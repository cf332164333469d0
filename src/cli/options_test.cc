// SPDX-License-Identifier: GPL-2.0-only
// options_test.cc - every flag and its default, what is refused and in which words.

#include "cli/options.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "policies/fifo.h"

namespace cppland::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct OtherFifo : policies::Fifo {
  using Fifo::Fifo;
};

constexpr std::array kPolicies{policy_entry<policies::Fifo>("first", "the default one"),
                               policy_entry<OtherFifo>("second", "another one")};
constexpr SchedulerInfo kInfo{"scx_test", "1.2.3", kPolicies};

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() { ::unsetenv("SCX_TIMEOUT_MS"); }
  ~OptionsTest() override { ::unsetenv("SCX_TIMEOUT_MS"); }
  OptionsTest(const OptionsTest&) = delete;
  OptionsTest& operator=(const OptionsTest&) = delete;

  static std::expected<Options, Goodbye> parse(const std::vector<std::string>& arguments,
                                               const SchedulerInfo& info = kInfo) {
    std::vector<const char*> argv{"scx_test"};
    for (const std::string& argument : arguments) {
      argv.push_back(argument.c_str());
    }
    return parse_options(info, static_cast<int>(argv.size()), argv.data());
  }

  // What a command line that makes sense comes to.
  static Options accepted(const std::vector<std::string>& arguments) {
    const auto options = parse(arguments);
    EXPECT_TRUE(options) << options.error().text;
    return options.value_or(Options{});
  }

  // The one line that says what is wrong. Its second line, with where to look, is left out.
  static std::string refused(const std::vector<std::string>& arguments) {
    const auto options = parse(arguments);
    if (options) {
      return "accepted";
    }
    const Goodbye& goodbye = options.error();
    EXPECT_EQ(goodbye.status, 2);
    EXPECT_THAT(goodbye.text, StartsWith("scx_test: "));
    EXPECT_THAT(goodbye.text, EndsWith("\nTry 'scx_test --help'.\n"));
    EXPECT_EQ(std::ranges::count(goodbye.text, '\n'), 2) << goodbye.text;
    return goodbye.text.substr(0, goodbye.text.find('\n'));
  }
};

TEST_F(OptionsTest, HasDefaults) {
  const Options options = accepted({});
  EXPECT_EQ(options.slice_us, 20'000U);
  EXPECT_EQ(options.slice_min_us, 1'000U);
  EXPECT_EQ(options.policy, "first");
  EXPECT_FALSE(options.percpu_local);
  EXPECT_FALSE(options.numa_local);
  EXPECT_FALSE(options.partial);
  EXPECT_FALSE(options.no_sandbox);
  EXPECT_FALSE(options.verbose);
  EXPECT_EQ(options.exit_dump_len, 0U);
  EXPECT_EQ(options.timeout_ms, 5'000U);
  EXPECT_EQ(options.max_wait_ms, 500U);
  EXPECT_FALSE(options.libbpf.relaxed_maps);
  EXPECT_EQ(options.libbpf.pin_root_path, "");
  EXPECT_EQ(options.libbpf.kconfig, "");
  EXPECT_EQ(options.libbpf.btf_custom_path, "");
  EXPECT_EQ(options.libbpf.bpf_token_path, "");
}

TEST_F(OptionsTest, TakesSlices) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"-s", "5000", "-S", "300"},
                                             {"--slice-us", "5000", "--slice-us-min", "300"},
                                             {"--slice-us=5000", "--slice-us-min=300"},
                                             {"-s5000", "-S300"}}) {
    const Options options = accepted(arguments);
    EXPECT_EQ(options.slice_us, 5'000U) << arguments.front();
    EXPECT_EQ(options.slice_min_us, 300U) << arguments.front();
  }
}

TEST_F(OptionsTest, TakesSlicesFromOneMicrosecondToOneSecond) {
  EXPECT_EQ(accepted({"-s", "1", "-S", "1"}).slice_us, 1U);
  EXPECT_EQ(accepted({"-s", "1000000", "-S", "1000000"}).slice_min_us, 1'000'000U);
}

TEST_F(OptionsTest, TakesNumbersAsDecimal) {
  EXPECT_EQ(accepted({"-s", "05000"}).slice_us, 5'000U);
  EXPECT_EQ(accepted({"--exit-dump-len", "010"}).exit_dump_len, 10U);
}

TEST_F(OptionsTest, TakesSwitches) {
  struct Case {
    std::string brief;
    std::string full;
    std::function<bool(const Options&)> set;
  };
  const auto percpu_local = [](const Options& o) { return o.percpu_local; };
  const auto numa_local = [](const Options& o) { return o.numa_local; };
  const auto partial = [](const Options& o) { return o.partial; };
  const auto no_sandbox = [](const Options& o) { return o.no_sandbox; };
  const auto upgrade = [](const Options& o) { return o.upgrade && !o.force; };
  const auto verbose = [](const Options& o) { return o.verbose; };
  for (const Case& c : {Case{"-l", "--percpu-local", percpu_local},
                        {"-n", "--numa-local", numa_local},
                        {"-p", "--partial", partial},
                        {"--no-sandbox", "--no-sandbox", no_sandbox},
                        {"--upgrade", "--upgrade", upgrade},
                        {"-v", "--verbose", verbose}}) {
    EXPECT_TRUE(c.set(accepted({c.brief}))) << c.brief;
    EXPECT_TRUE(c.set(accepted({c.full}))) << c.full;
  }
  const Options all = accepted({"-lnpv"});
  EXPECT_TRUE(all.percpu_local && all.numa_local && all.partial && all.verbose);
}

TEST_F(OptionsTest, ForcesOnlyAnUpgrade) {
  EXPECT_TRUE(accepted({"--upgrade", "--force"}).force);
  EXPECT_THAT(refused({"--force"}), AllOf(HasSubstr("--force"), HasSubstr("--upgrade")));
}

TEST_F(OptionsTest, TakesThePolicy) {
  EXPECT_EQ(accepted({"--policy", "second"}).policy, "second");
}

TEST_F(OptionsTest, OffersNoChoiceWhereThereIsOnePolicy) {
  const SchedulerInfo one{"scx_test", "1", std::span(kPolicies).first(1)};
  const auto options = parse({}, one);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->policy, "first");
  EXPECT_EQ(parse({"--policy", "first"}, one).error().status, 2);
  EXPECT_THAT(parse({"--help"}, one).error().text, Not(HasSubstr("--policy")));
}

TEST_F(OptionsTest, TakesTheDumpLength) {
  EXPECT_EQ(accepted({"--exit-dump-len", "65536"}).exit_dump_len, 65'536U);
  EXPECT_EQ(accepted({"--exit-dump-len", "16777216"}).exit_dump_len, 16'777'216U);
}

TEST_F(OptionsTest, TakesTheLongestWait) {
  EXPECT_EQ(accepted({"--max-wait-ms", "10"}).max_wait_ms, 10U);
  EXPECT_EQ(accepted({"--max-wait-ms", "2000"}).max_wait_ms, 2'000U);
}

TEST_F(OptionsTest, TakesLibbpfsOptions) {
  const std::string folder = ::testing::TempDir();
  const std::string file = fmt::format("{}cppland_options_{}", folder, ::getpid());
  std::ofstream(file) << "CONFIG_HZ=250\n";
  const live::LibbpfOptions bpf =
      accepted({"--relaxed-maps", "--pin-root-path", "/sys/fs/bpf/mine", "--kconfig", file,
                "--btf-custom-path", file, "--bpf-token-path", folder})
          .libbpf;
  std::filesystem::remove(file);
  EXPECT_TRUE(bpf.relaxed_maps);
  EXPECT_EQ(bpf.pin_root_path, "/sys/fs/bpf/mine");
  EXPECT_EQ(bpf.kconfig, "CONFIG_HZ=250\n");
  EXPECT_EQ(bpf.btf_custom_path, file);
  EXPECT_EQ(bpf.bpf_token_path, folder);
}

// --- refused ---

TEST_F(OptionsTest, RefusesNumbersThatMakeNoSense) {
  for (const std::string flag : {"--slice-us", "--slice-us-min"}) {
    for (const std::string value :
         {"0", "1000001", "-5", "abc", "1.5", "5ms", "0x10", " ", "+5", "99999999999999999999"}) {
      EXPECT_THAT(refused({flag, value}), AllOf(StartsWith("scx_test: " + flag + ": "),
                                                HasSubstr(value), HasSubstr("1 to 1000000")))
          << value;
    }
  }
  for (const std::string value : {"-1", "16777217", "99999999999", "1k"}) {
    EXPECT_THAT(refused({"--exit-dump-len", value}),
                AllOf(StartsWith("scx_test: --exit-dump-len: "), HasSubstr(value),
                      HasSubstr("0 to 16777216")));
  }
}

// The watchdog ends the scheduler for a task that waits for as long as its timeout.
TEST_F(OptionsTest, RefusesALongestWaitThatTheWatchdogDoesNotForgive) {
  for (const std::string value : {"9", "2001", "-1", "0.5"}) {
    EXPECT_THAT(refused({"--max-wait-ms", value}),
                AllOf(StartsWith("scx_test: --max-wait-ms: "), HasSubstr("10 to 2000")));
  }
  ::setenv("SCX_TIMEOUT_MS", "1000", 1);
  accepted({"--max-wait-ms", "500"});
  EXPECT_EQ(refused({"--max-wait-ms", "501"}),
            "scx_test: --max-wait-ms (501) is more than half of the watchdog's timeout (1000 ms, "
            "SCX_TIMEOUT_MS)");
}

TEST_F(OptionsTest, RefusesALeastSliceThatIsGreaterThanTheSlice) {
  EXPECT_EQ(refused({"-s", "100", "-S", "200"}),
            "scx_test: --slice-us-min (200) is greater than --slice-us (100)");
  EXPECT_EQ(refused({"-s", "999"}),
            "scx_test: --slice-us-min (1000) is greater than --slice-us (999)");
  accepted({"-s", "200", "-S", "200"});
}

TEST_F(OptionsTest, RefusesPoliciesThatThereAreNot) {
  EXPECT_THAT(refused({"--policy", "third"}),
              AllOf(StartsWith("scx_test: --policy: "), HasSubstr("third"), HasSubstr("first"),
                    HasSubstr("second")));
}

TEST_F(OptionsTest, RefusesFilesThatThereAreNot) {
  for (const std::string flag : {"--kconfig", "--btf-custom-path", "--bpf-token-path"}) {
    EXPECT_THAT(refused({flag, "/no/such/file"}),
                AllOf(StartsWith("scx_test: " + flag + ": "), HasSubstr("/no/such/file")));
  }
}

TEST_F(OptionsTest, RefusesAFlagWithoutItsValue) {
  for (const std::string flag :
       {"--slice-us", "--slice-us-min", "--policy", "--max-wait-ms", "--exit-dump-len",
        "--pin-root-path", "--kconfig", "--btf-custom-path", "--bpf-token-path"}) {
    EXPECT_THAT(refused({flag}), StartsWith("scx_test: " + flag)) << flag;
  }
}

TEST_F(OptionsTest, RefusesWhatItDoesNotKnow) {
  for (const std::string argument : {"--nope", "-x", "extra", "--slice-u"}) {
    EXPECT_THAT(refused({argument}), HasSubstr(argument));
  }
}

TEST_F(OptionsTest, RefusesAValueGivenTwice) {
  EXPECT_THAT(refused({"-s", "5000", "-s", "6000"}), HasSubstr("--slice-us"));
}

// --- the environment ---

TEST_F(OptionsTest, TakesTheWatchdogsTimeoutFromTheEnvironment) {
  for (const char* value : {"1000", "12345", "30000"}) {
    ::setenv("SCX_TIMEOUT_MS", value, 1);
    EXPECT_EQ(accepted({}).timeout_ms, std::stoul(value));
  }
}

TEST_F(OptionsTest, RefusesATimeoutThatMakesNoSense) {
  for (const std::string value : {"", "0", "999", "30001", "-1", "abc", "5s", "99999999999"}) {
    ::setenv("SCX_TIMEOUT_MS", value.c_str(), 1);
    EXPECT_EQ(refused({}), "scx_test: SCX_TIMEOUT_MS is \"" + value +
                               "\", but must be a number of milliseconds from 1000 to 30000");
  }
}

// --- help and version ---

TEST_F(OptionsTest, PrintsTheVersion) {
  EXPECT_EQ(version_line(kInfo), fmt::format("scx_test version 1.2.3 {}", live::target()));
  for (const std::string flag : {"-V", "--version"}) {
    const auto options = parse({flag});
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().status, 0);
    EXPECT_EQ(options.error().text, version_line(kInfo) + "\n");
  }
}

TEST_F(OptionsTest, HelpsWithEveryFlag) {
  const auto options = parse({"--help"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().status, 0);
  const std::string& help = options.error().text;
  for (const char* flag : {"-s,--slice-us ",
                           "-S,--slice-us-min ",
                           "-l,--percpu-local ",
                           "-n,--numa-local ",
                           "-p,--partial ",
                           "--max-wait-ms ",
                           "--exit-dump-len ",
                           "--upgrade ",
                           "--force ",
                           "-v,--verbose ",
                           "-V,--version ",
                           "-h,--help ",
                           "--relaxed-maps ",
                           "--pin-root-path ",
                           "--kconfig ",
                           "--btf-custom-path ",
                           "--bpf-token-path ",
                           "--policy ",
                           "SCX_TIMEOUT_MS ",
                           "first: the default one",
                           "second: another one",
                           "=20000",
                           "=1000",
                           "=first"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
  EXPECT_LT(help.find("--verbose"), help.find("Libbpf options:"));
  EXPECT_LT(help.find("Libbpf options:"), help.find("--relaxed-maps")) << "in a group of their own";
}

TEST_F(OptionsTest, HelpsBriefly) {
  EXPECT_EQ(parse({"-h"}).error().text, parse({"--help"}).error().text);
}

}  // namespace
}  // namespace cppland::cli
