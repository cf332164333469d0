// SPDX-License-Identifier: GPL-2.0-only
// sim_test.cc - the simulator as a program: what it prints and writes, and how it exits.
#include <cppland/simulate.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "cli/sim_progress.h"
#include "cli/sim_runs.h"
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

// Asked to stop while it decides.
struct Stopped : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    if (!std::exchange(raised, true)) std::raise(SIGTERM);
    return Fifo::next(moment);
  }
  bool raised = false;
};

struct StoppedTwice : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) {
    std::raise(SIGINT);
    std::raise(SIGTERM);
    std::fputs("went on", stderr);
    return {};
  }
};

struct Endless : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) {
    std::raise(SIGTERM);
    for (;;) ::pause();
  }
};

// In a worker, which leaves signals to who started it.
struct EndlessWorker : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) {
    ::kill(::getppid(), SIGTERM);
    for (;;) ::pause();
  }
};

struct Thrower : policies::Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) { throw std::runtime_error("no idea"); }
};

struct ThrowerAtFirst : policies::Fifo {
  explicit ThrowerAtFirst(const PolicyConfig& config) : Fifo(config) {
    throw std::runtime_error("no beginning");
  }
};

// Whoever read stdout is gone.
void print_to_nobody() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::exit(1);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[0]);
}

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

TEST_F(SimTest, WritesNamesThatAreNoUtf8) {
  ASSERT_TRUE(write_file(path("w.json"), "{\"tasks\":{\"\xff\":{\"run\":1000}}}"));
  const Done done = run({"--workload=" + path("w.json"), "--json", path("f.json")});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("\xff"));
  EXPECT_EQ(json_file("f.json").at("runs").at(0).at("classes").count("\uFFFD"), 1U);
  const Done several = run({"--workload=" + path("w.json"), "--seeds=2"});  // in workers
  EXPECT_EQ(several.status, 0) << several.err;
  EXPECT_THAT(several.out, HasSubstr("\uFFFD"));
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

TEST_F(SimTest, RefusesToRunForAsLongAsAnyFileSays) {
  cli::SimOptions options{.workload = path("w.json"),
                          .topology = Topology(std::vector{Cpu{.id = 0}})};
  ASSERT_TRUE(
      write_file(options.workload,
                 R"({"global":{"duration":86401},"tasks":{"t":{"run":1000,"sleep":5000}}})"));
  const auto prepared = cli::prepare(options);
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().tried(), HasSubstr("lasts 86401 s: say with --duration"));
  options.duration_ns = 1;
  EXPECT_TRUE(cli::prepare(options));
}

// What comes through a pipe is there once, but not once for each run.
TEST_F(SimTest, ReadsAWorkloadOnce) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string flag : {"--seeds=1", "--compare=deadline"}) {
    std::jthread writer(
        [&] { EXPECT_TRUE(write_file(pipe, R"({"tasks":{"t":{"run":1000,"sleep":5000}}})")); });
    const Done done = run({"--workload=" + pipe, flag});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr(pipe));
  }
}

TEST_F(SimTest, RefusesOneFileByTwoNames) {
  std::filesystem::create_symlink("f", path("link"));
  for (const std::string& other : {path("f"), path("./f"), path("link")}) {
    const Done done = run({"--trace", path("f"), "--json", other});
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, StartsWith("sim_mine: --trace and --json name the same file\n"));
  }
  EXPECT_EQ(files(), 1);
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
  EXPECT_EQ(run({"--json", "/dev/full", "--trace", path("f.trace")}).status, 1);
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, LeavesNoFileBehindIfFiguresCannotBePrinted) {
  ASSERT_EXIT(
      {
        if (std::freopen("/dev/full", "w", stdout) == nullptr) std::exit(2);
        std::exit(status_of<>({"--trace", path("f.trace"), "--json", path("f.json")}));
      },
      ::testing::ExitedWithCode(1), "^sim_mine: write to stdout: No space left on device\n$");
  EXPECT_EQ(files(), 0);
}

// The file would be what stdout was.
TEST_F(SimTest, PrintsNothingIntoItsFiles) {
  ASSERT_EXIT(
      {
        ::close(STDOUT_FILENO);
        std::exit(status_of<>({"--json", path("f.json")}));
      },
      ::testing::ExitedWithCode(1), "^sim_mine: write to stdout: Bad file descriptor\n$");
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, EndsQuietlyIfNobodyReadsItsOutput) {
  for (const std::string flag : {"--seeds=1", "--seeds=2"}) {
    ASSERT_EXIT((print_to_nobody(), std::exit(status_of<>({flag, "--json", path("f.json")}))),
                ::testing::ExitedWithCode(128 + SIGPIPE), "^$");
  }
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, StopsAtASignalAndLeavesNothing) {
  ASSERT_EXIT(
      {
        const int status = status_of<Stopped>({"--trace", path("f.trace")});
        std::fputs("returned", stderr);
        std::exit(status);
      },
      ::testing::ExitedWithCode(128 + SIGTERM), "returned");
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, EndsAtTheSecondSignalWhateverThePolicyDoes) {
  ASSERT_EXIT(std::exit(status_of<StoppedTwice>({"--trace", path("f.trace")})),
              ::testing::ExitedWithCode(128 + SIGINT), "^$");
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, EndsASecondAfterASignalIfThePolicyDoesNotReturn) {
  ASSERT_EXIT(std::exit(status_of<Endless>({"--trace", path("f.trace")})),
              ::testing::ExitedWithCode(128 + SIGTERM), "^$");
  ASSERT_EXIT(std::exit(status_of<EndlessWorker>({"--seeds=2", "--json", path("f.json")})),
              ::testing::ExitedWithCode(128 + SIGTERM), "^$");
  EXPECT_EQ(files(), 0);
}

TEST_F(SimTest, SaysWhatThePolicyThrew) {
  for (const std::string flag : {"--seeds=1", "--compare=fifo"}) {
    ASSERT_EXIT(std::exit(status_of<Thrower>({flag, "--json", path("f.json")})),
                ::testing::ExitedWithCode(1), "^sim_mine: the policy threw: no idea\n$");
    ASSERT_EXIT(std::exit(status_of<ThrowerAtFirst>({flag, "--json", path("f.json")})),
                ::testing::ExitedWithCode(1), "^sim_mine: the policy threw: no beginning\n$");
  }
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
