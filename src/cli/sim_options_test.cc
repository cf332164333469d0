// SPDX-License-Identifier: GPL-2.0-only
// sim_options_test.cc - the simulator's flags and their defaults, and what is refused.
#include "cli/sim_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "policies/fifo.h"
#include "sim/workload.h"

namespace cppland::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

template <int N>
struct Other : policies::Fifo {
  using Fifo::Fifo;
};

constexpr std::array kPolicies{policy_entry<policies::Fifo>("first", "the default one"),
                               policy_entry<Other<1>>("second", "another one"),
                               policy_entry<Other<2>>("third", "one more")};
constexpr SchedulerInfo kInfo{"sim_test", "1.2.3", kPolicies};

std::expected<SimOptions, Goodbye> parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"sim_test"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_sim_options(kInfo, static_cast<int>(argv.size()), argv.data());
}

// What a command line that makes sense comes to. A workload is added.
SimOptions accepted(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--workload", "some.json"});
  auto options = parse(arguments);
  EXPECT_TRUE(options) << options.error().text;
  return options ? *std::move(options) : SimOptions{.topology = Topology({Cpu{}})};
}

// The line that says what is wrong, without the second, which says where to look.
std::string refused_alone(const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  if (options) return "accepted";
  const Goodbye& goodbye = options.error();
  EXPECT_EQ(goodbye.status, 2);
  EXPECT_THAT(goodbye.text, StartsWith("sim_test: "));
  EXPECT_THAT(goodbye.text, EndsWith("\nTry 'sim_test --help'.\n"));
  EXPECT_EQ(std::ranges::count(goodbye.text, '\n'), 2) << goodbye.text;
  return goodbye.text.substr(0, goodbye.text.find('\n'));
}

std::string refused(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--workload", "some.json"});
  return refused_alone(arguments);
}

std::string farewell(const std::string& argument) {
  const auto options = parse({argument});
  if (options) return "accepted";
  EXPECT_EQ(options.error().status, 0);
  return options.error().text;
}

std::vector<std::string> names(const SimOptions& options) {
  std::vector<std::string> names;
  for (const PolicyEntry& entry : options.policies) names.emplace_back(entry.name);
  return names;
}

TEST(SimOptions, HaveDefaults) {
  const SimOptions options = accepted({});
  EXPECT_THAT(names(options), ElementsAre("first"));
  EXPECT_EQ(options.workload, "some.json");
  EXPECT_EQ(options.topology.nr_online(), 4U);
  EXPECT_EQ(options.first_seed, 1U);
  EXPECT_EQ(options.seeds, 1U);
  EXPECT_FALSE(options.duration_ns);
  EXPECT_EQ(options.parameters.policy.slice_ns, 20'000'000U);
  EXPECT_EQ(options.json, "");
  EXPECT_EQ(options.trace, "");
}

TEST(SimOptions, TakeEveryFlag) {
  const SimOptions options =
      accepted({"--policy", "second", "--compare", "third,first", "--topology=cores=4,threads=2",
                "--cpus=8", "--seed", "7", "--seeds", "3", "--duration", "0.25", "--set",
                "slice-us=5000", "--set=slice-us-min=100", "--json", "f"});
  EXPECT_THAT(names(options), ElementsAre("second", "third", "first"));
  EXPECT_EQ(options.topology.nr_online(), 8U);
  EXPECT_TRUE(options.topology.smt());
  EXPECT_EQ(options.first_seed, 7U);
  EXPECT_EQ(options.seeds, 3U);
  EXPECT_EQ(options.duration_ns, 250'000'000U);
  EXPECT_EQ(options.parameters.policy.slice_ns, 5'000'000U);
  EXPECT_EQ(options.parameters.policy.slice_min_ns, 100'000U);
  EXPECT_EQ(options.json, "f");
  EXPECT_EQ(accepted({"--trace", "t"}).trace, "t");
}

TEST(SimOptions, CompareOverFiveSeedsUnlessTold) {
  EXPECT_EQ(accepted({"--compare", "second"}).seeds, 5U);
  EXPECT_EQ(accepted({"--compare", "second", "--seeds", "1"}).seeds, 1U);
}

TEST(SimOptions, CpusFollowTheTopology) {
  EXPECT_EQ(accepted({"--topology", "cores=2"}).topology.nr_online(), 2U);
  EXPECT_EQ(accepted({"--cpus", "1024"}).topology.nr_online(), 1024U);
}

TEST(SimOptions, RefuseWhatMakesNoSense) {
  EXPECT_THAT(refused({"--policy", "fourth"}),
              HasSubstr("--policy: there is no policy \"fourth\"; there are first, second, third"));
  EXPECT_THAT(refused({"--compare", "second,nobody"}), HasSubstr("there is no policy \"nobody\""));
  EXPECT_THAT(refused({"--compare", "first"}), HasSubstr("--compare: first is there twice"));
  EXPECT_THAT(refused({"--compare", "second,second"}), HasSubstr("second is there twice"));
  for (const std::string number : {"0", "1025", "x", "-1", ""})
    EXPECT_THAT(refused({"--cpus", number}), HasSubstr("--cpus")) << number;
  EXPECT_THAT(refused({"--topology", "cores=2", "--cpus", "4"}),
              HasSubstr("--topology cores=2: makes 2 CPUs, but --cpus says 4"));
  EXPECT_THAT(refused({"--seed", "x"}), HasSubstr("--seed"));
  EXPECT_THAT(refused({"--seeds", "0"}), HasSubstr("--seeds"));
  for (const std::string duration : {"0", "-1", "x", "1x", "", "nan", "inf", "1e9"})
    EXPECT_THAT(refused({"--duration", duration}), HasSubstr("--duration")) << duration;
  EXPECT_THAT(refused({"--set", "slice=1"}),
              HasSubstr("--set: there is no parameter \"slice\"; there are slice-us, "));
  EXPECT_THAT(refused({"--set", "slice-us-min=20001"}),
              HasSubstr("slice-us-min (20001) is greater than slice-us (20000)"));
  EXPECT_THAT(refused({"--set", "slice-us=5", "slice-us-min=1"}), HasSubstr("slice-us-min=1"));
  EXPECT_THAT(refused({"--trace", "t", "--seeds", "2"}), HasSubstr("--trace is of one run"));
  EXPECT_THAT(refused({"--trace", "t", "--compare", "second"}), HasSubstr("--trace is of one run"));
  EXPECT_THAT(refused({"--trace", "t", "--json", "t"}), HasSubstr("name the same file"));
  EXPECT_THAT(refused({"--trace", "-"}), HasSubstr("--trace needs a file"));
  for (const std::string flag : {"--cpus=", "--compare=", "--json=", "--set"})
    EXPECT_THAT(refused_alone({"--workload=hogs", flag}), HasSubstr(" needs a value")) << flag;
  EXPECT_THAT(refused({"--json=a", "--json=b"}), EndsWith("--json may be there only once"));
  EXPECT_THAT(refused({"--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(refused({"word"}), HasSubstr("word"));
}

TEST(SimOptions, DoNotWriteOverTheWorkload) {
  for (const std::string flag : {"--json", "--trace"}) {
    for (const std::string file : {"some.json", "./some.json"})
      EXPECT_THAT(refused({flag, file}), EndsWith(flag + " and --workload name the same file"));
    EXPECT_THAT(refused_alone({"--workload=hogs+./a+b.json", flag, "b.json"}),
                EndsWith(flag + " and --workload name the same file"));
  }
  EXPECT_TRUE(parse({"--workload", "hogs", "--json", "hogs"}));
}

TEST(SimOptions, NeedAWorkloadThatThereIs) {
  EXPECT_THAT(refused_alone({}), HasSubstr("--workload is missing"));
  EXPECT_THAT(refused_alone({"--workload", ""}), HasSubstr("--workload is missing"));
  const std::string unknown = refused_alone({"--workload", "nonsense"});
  EXPECT_THAT(unknown, HasSubstr("there is no workload \"nonsense\"; there are "));
  for (const sim::WorkloadName& workload : sim::workload_names()) {
    EXPECT_THAT(unknown, HasSubstr(std::string(workload.name)));
    EXPECT_TRUE(parse({"--workload", std::string(workload.name)}));
  }
  EXPECT_TRUE(parse({"--workload", "./nonsense"}));
}

TEST(SimOptions, ListWhatThereIs) {
  const std::string list = farewell("--list");
  EXPECT_THAT(list, HasSubstr("  second                      another one\n"));
  for (const sim::WorkloadName& workload : sim::workload_names())
    EXPECT_THAT(list, HasSubstr(std::string(workload.summary)));
  EXPECT_EQ(farewell("--version"), "sim_test version 1.2.3\n");
}

// Every flag or parameter that a text names, as `NAME` at the beginning of a table's row or as the
// first word of a line of --help.
std::set<std::string> named(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern, std::regex::multiline);
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i)
    found.insert(i->str(1));
  return found;
}

class SimHelp : public ::testing::Test {
 protected:
  static std::string docs() {
    const char* data = std::getenv("CPPLAND_TEST_DATA");  // NOLINT(concurrency-mt-unsafe)
    if (data == nullptr) return "CPPLAND_TEST_DATA is not set: run by ctest";
    return read_file(std::string(data) + "/../../docs/simulator.md").value_or("");
  }
};

TEST_F(SimHelp, HasTheFlagsOfTheDocs) {
  const auto in_help = named(farewell("--help"), "^  (?:-[a-zA-Z],)?(--[a-z-]+)");
  EXPECT_EQ(in_help.size(), 16U);
  EXPECT_EQ(in_help, named(docs(), "^\\| `(--[a-z-]+)"));
}

TEST_F(SimHelp, HasTheParametersOfTheDocsAndTheirDefaults) {
  std::set<std::string> rows;
  for (const sim::Parameter& parameter : sim::all_parameters()) {
    rows.insert(fmt::format("{}` | {} |", parameter.name, parameter.default_value()));
    EXPECT_THAT(farewell("--help"), HasSubstr(fmt::format("\n  {} ", parameter.name)));
  }
  EXPECT_EQ(named(docs(), "^\\| `([a-z-]+-(?:ns|us|ms|us-min|percent)` \\| [0-9]+ \\|)"), rows);
}

}  // namespace
}  // namespace cppland::cli
