// SPDX-License-Identifier: GPL-2.0-only
// sim_test.cc - the simulator as a program: what it prints and writes, and how it exits.
#include <cppland/simulate.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/signals.h"
#include "cli/sim_progress.h"
#include "kernel/sim/machine.h"
#include "policies/fifo.h"

namespace cppland::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The kernel throws it out.
struct Outcast : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) {
    sim::Machine::current().detach();
    return {};
  }
};

struct Done {
  int status = -1;
  std::string out;
  std::string err;
};

class SimTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { fs::remove_all(folder_); }

  template <Policy P = policies::Fifo>
  static int status_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"bin/sim_mine", "--duration=0.5"});
    if (std::ranges::none_of(arguments, [](const auto& each) { return each.contains("--workl"); }))
      arguments.emplace_back("--workload=browser");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return simulate_main<P>("mine", static_cast<int>(argv.size()), argv.data());
  }

  template <Policy P = policies::Fifo>
  static Done run(const std::vector<std::string>& arguments) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = status_of<P>(arguments);
    return {status, ::testing::internal::GetCapturedStdout(),
            ::testing::internal::GetCapturedStderr()};
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] json json_file(const std::string& name) const {
    std::ifstream file(path(name));
    return json::parse(file);
  }
  [[nodiscard]] std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

 private:
  std::string folder_ = ::testing::TempDir() + "cppland_sim_test.XXXXXX";
};

TEST_F(SimTest, PrintsATableOfOneRun) {
  const Done done = run({});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.out, StartsWith("browser under mine: 4 CPUs, seed 1, 0.5 s\n"));
  EXPECT_EQ(done.err, "");
}

TEST_F(SimTest, ComparesWithThePoliciesThatComeWithIt) {
  const Done done = run({"--compare=deadline", "--seeds=2", "--json", path("f.json")});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.out, StartsWith("browser: 4 CPUs, seeds 1 to 2, 0.5 s each\n"));
  EXPECT_THAT(done.out, HasSubstr("mine"));
  EXPECT_THAT(done.out, HasSubstr("deadline"));
  const json report = json_file("f.json");
  std::vector<std::string> runs;
  for (const json& each : report.at("runs"))
    runs.push_back(each.at("policy").get<std::string>() + each.at("seed").dump());
  EXPECT_THAT(runs, ::testing::ElementsAre("mine1", "mine2", "deadline1", "deadline2"));
  EXPECT_EQ(report.at("comparison").at("baseline"), "mine");
}

TEST_F(SimTest, IsTheSameToTheLastByteForOneSeed) {
  std::array<std::string, 2> told;
  for (std::string& each : told) {
    const Done done = run({"--seed=5", "--json", path("f.json"), "--trace", path("f.trace")});
    EXPECT_EQ(done.status, 0);
    each = done.out + read_file(path("f.json")).value() +
           read_file(path("f.trace"), std::size_t{1} << 30U).value();
  }
  EXPECT_EQ(told[0], told[1]);
  EXPECT_GT(json_file("f.trace").at("traceEvents").size(), 100U);
}

TEST_F(SimTest, PrintsJsonInsteadOfATable) {
  const Done done = run({"--json=-"});
  EXPECT_EQ(json::parse(done.out).at("version"), 1);
}

TEST_F(SimTest, ListsItsOwnPolicyFirst) {
  const Done done = run({"--list"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.out, StartsWith("Policies:\n  mine "));
  EXPECT_THAT(done.out, HasSubstr("\n  deadline "));
}

TEST_F(SimTest, CallsItselfByTheProgramsName) {
  const Done done = run({"--policy=nobody"});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, StartsWith("sim_mine: --policy: there is no policy \"nobody\""));
  EXPECT_EQ(done.out, "");
}

TEST_F(SimTest, SaysThatTheKernelEndedTheScheduler) {
  const Done done = run<Outcast>({"--json", path("f.json")});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.err, StartsWith("sim_mine: the kernel ended the policy mine after 0.0"));
  EXPECT_THAT(done.err, HasSubstr("unregistered (64): unregistered from user space\n"));
  EXPECT_EQ(json_file("f.json").at("runs").at(0).at("exit").at("kind"), 64);
}

TEST_F(SimTest, RunsASeedAloneAsAmongOthers) {
  EXPECT_EQ(run({"--seed=3", "--json", path("one.json")}).status, 0);
  EXPECT_EQ(run({"--seeds=3", "--compare=deadline", "--json", path("all.json")}).status, 0);
  EXPECT_EQ(json_file("one.json").at("runs").at(0), json_file("all.json").at("runs").at(2));
}

TEST_F(SimTest, RefusesAWorkloadThatIsNone) {
  const Done done = run({"--workload=nonsense"});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, StartsWith("sim_mine: --workload: there is no workload \"nonsense\""));
}

TEST_F(SimTest, RefusesAWorkloadThatCannotBeRead) {
  const Done done = run({"--workload=" + path("none.json"), "--json", path("f.json")});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.err, HasSubstr(path("none.json")));
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, SaysThatAFileCannotBeMade) {
  for (const std::string flag : {"--json", "--trace"}) {
    const Done done = run({flag, path("none/f")});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.err, "sim_mine: open " + path("none/f") + ": No such file or directory\n");
    EXPECT_EQ(done.out, "");
  }
}

TEST_F(SimTest, SaysThatTheDiskIsFull) {
  for (const std::string flag : {"--json", "--trace"}) {
    const Done done = run({flag, "/dev/full"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.err, "sim_mine: write /dev/full: No space left on device\n");
  }
}

TEST_F(SimTest, LeavesNoFileBehindIfAnotherFails) {
  EXPECT_EQ(run({"--json", path("f.json"), "--trace", "/dev/full"}).status, 1);
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, StopsAtASignalAndLeavesNothing) {
  ASSERT_EXIT(
      {
        const auto signals = StopSignals::block();  // so that it waits to be taken
        std::raise(SIGTERM);
        std::exit(status_of({"--trace", path("f.trace")}));
      },
      ::testing::ExitedWithCode(128 + SIGTERM), "");
  EXPECT_EQ(files(), 0);
}

TEST(Progress, IsALineWithABar) {
  EXPECT_EQ(progress_line("fifo, seed 3", 0),
            "[                                        ]   0 %  fifo, seed 3");
  EXPECT_EQ(progress_line("fifo, seed 3", 0.5),
            "[====================                    ]  50 %  fifo, seed 3");
  EXPECT_EQ(progress_line("x", 1), "[========================================] 100 %  x");
}

}  // namespace
}  // namespace cppland::cli
