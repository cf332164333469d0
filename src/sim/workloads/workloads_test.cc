// SPDX-License-Identifier: GPL-2.0-only
// workloads_test.cc - every workload that has a name plays, is the same for one seed, and files
// load.
//
// CPPLAND_WORKLOAD_FILES=FOLDER: also plays the *.json below it, such as the examples that come
// with rt-app, and tells of each what became of it.
#include "sim/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "policies/table.h"
#include "sim/agent_task.h"
#include "tests/support/play.h"

namespace cppland::sim {
namespace {

using namespace cppland::sim::testing;  // NOLINT(google-build-using-namespace): these tests' words
using ::testing::AllOf;
using ::testing::HasSubstr;

std::unique_ptr<Workload> loaded(const std::string& name) {
  auto workload = load_workload(name);
  EXPECT_TRUE(workload) << workload.error().message();
  return std::move(*workload);
}

std::string message(const std::string& name) {
  const auto workload = load_workload(name);
  EXPECT_FALSE(workload) << name;
  return workload ? "" : workload.error().message();
}

class EveryWorkload : public ::testing::TestWithParam<WorkloadName> {
 protected:
  static std::string name() { return std::string(GetParam().name); }
};

TEST_P(EveryWorkload, PlaysWithoutAPolicy) {
  for (const unsigned cpus : {1U, 4U}) {
    Play play(loaded(name()), cpus);
    play.run(2 * kSec);
    EXPECT_EQ(play.machine().exit().kind, Exit::kNone) << play.machine().exit().message;
    for (const Play::Started& each : play.started()) {
      EXPECT_FALSE(each.group.empty());
      EXPECT_FALSE(each.task->name.empty());
    }
    std::uint64_t units = 0;
    for (const Play::Started& each : play.started()) units += each.program->progress().units;
    EXPECT_GT(units, 10U);
  }
}

TEST_P(EveryWorkload, PlaysUnderAPolicy) {
  const auto policy = policies::all().front().make({.nr_cpus = 2});
  Play play(loaded(name()), 2, {.strict = policy->strict()});
  play.machine().start_agent(
      {.name = "agent", .behaviour = std::make_unique<AgentTask>(play.machine(), *policy)});
  play.run(2 * kSec);
  EXPECT_EQ(play.machine().exit().kind, Exit::kNone) << play.machine().exit().message;
}

TEST_P(EveryWorkload, IsTheSameForOneSeedToTheNanosecond) {
  const auto diary_of = [&](std::uint64_t seed) {
    Play play(loaded(name()), 3, {}, seed);
    play.run(kSec / 2);
    return play.diary().text();
  };
  const std::string once = diary_of(7);
  EXPECT_GT(once.size(), 100U);
  EXPECT_EQ(once, diary_of(7));
}

INSTANTIATE_TEST_SUITE_P(Names, EveryWorkload, ::testing::ValuesIn(workload_names()),
                         [](const auto& each) {
                           std::string name(each.param.name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Workloads, AnotherSeedIsAnotherPlay) {
  const auto diary_of = [](std::uint64_t seed) {
    Play play(loaded("desktop"), 2, {}, seed);
    play.run(kSec / 10);
    return play.diary().text();
  };
  EXPECT_NE(diary_of(1), diary_of(2));
}

// 2 s of each chain: every 23.2 ms, every 66.7 ms twice, and what a page takes.
TEST(Workloads, TheShippedFilesKeepTheirRhythm) {
  Play mp3(loaded("mp3"), 4);
  mp3.run(2 * kSec);
  for (const std::string_view group : {"mixer", "track", "decoder", "codec"})
    EXPECT_NEAR(static_cast<double>(mp3.progress(group).units), 84, 1) << group;
  EXPECT_EQ(mp3.progress("audio_clock").missed, 0U);
  Play video(loaded("video"), 4);
  video.run(2 * kSec);
  for (const std::string_view group : {"app", "compositor", "player", "player_service", "codec"})
    EXPECT_NEAR(static_cast<double>(video.progress(group).units), 59, 2) << group;
  EXPECT_EQ(video.progress("vsync").missed, 0U);
  Play browser(loaded("browser"), 4);
  browser.run(2 * kSec);
  for (const std::string_view group : {"compositor", "surface", "display"})
    EXPECT_NEAR(static_cast<double>(browser.progress(group).units), 41, 3) << group;
  EXPECT_EQ(loaded("browser")->duration(), 10 * kSec);
}

TEST(Workloads, SeveralPlayTogether) {
  const auto workload = loaded("mp3+hogs:per-cpu=2+frames");
  EXPECT_EQ(workload->duration(), 10 * kSec);
  Play play(loaded("mp3+hogs:per-cpu=2+frames"), 2);
  play.run(kSec);
  EXPECT_EQ(play.count("hog"), 4U);
  EXPECT_EQ(play.count("frame"), 1U);
  EXPECT_EQ(play.count("mixer"), 1U);
}

TEST(Workloads, AnUnknownNameIsToldTheKnownOnes) {
  EXPECT_THAT(message("frame"), AllOf(HasSubstr("there is no workload \"frame\""),
                                      HasSubstr("desktop, mp3, video, browser, frames")));
  EXPECT_THAT(message("hogs+"), HasSubstr("there is no workload \"\""));
  EXPECT_THAT(message("mp3:loud=1"), HasSubstr("takes no parameters"));
  EXPECT_THAT(message("hogs:per-cpu=0"), HasSubstr("workload \"hogs\": \"per-cpu=0\""));
  EXPECT_THAT(message("./nowhere.json"), HasSubstr("./nowhere.json: No such file"));
}

class Folder {
 public:
  Folder() : path_(::testing::TempDir() + "workloads-" + std::to_string(getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name, std::string_view text) const {
    const std::string path = path_ + '/' + name;
    EXPECT_TRUE(write_file(path, text));
    return path;
  }

 private:
  std::string path_;
};

TEST(Workloads, AFileIsToldByItsNameAndItsBeginning) {
  const Folder folder;
  constexpr std::string_view kApp = R"({ "tasks" : { "a" : { "run" : 1, "sleep" : 9 } } })";
  constexpr std::string_view kTrace =
      "x 1 [0] 1.1: sched_switch: i:0 [120] R ==> a:1 [120]\n"
      "x 1 [0] 1.2: sched_switch: a:1 [120] S ==> i:0 [120]\n";
  EXPECT_EQ(loaded(folder.file("x+y.json", kApp))->duration(), 0U);
  EXPECT_EQ(loaded(folder.file("x.conf", kApp))->duration(), 0U);
  EXPECT_EQ(loaded(folder.file("x.txt", kTrace))->duration(), 100'000'000U);
  EXPECT_EQ(loaded(folder.file("x.txt", kTrace) + "+hogs")->duration(), 100'000'000U);
  EXPECT_THAT(message(folder.file("z.json", "{ \"tasks\" : {\n \"a\" : {} } }")),
              HasSubstr("/z.json: line 2: key \"a\": has no events"));
  EXPECT_THAT(message(folder.file("perf.data", "PERFILE2 and more")),
              HasSubstr("perf sched script -i"));
  EXPECT_THAT(message(folder.file("empty.txt", "")), HasSubstr("/empty.txt: none of its 0 lines"));
}

// What became of a file: "plays" or why not.
std::string outcome_of(const std::string& path) {
  auto workload = load_workload(path);
  if (!workload) return workload.error().message();
  if (const auto checked = (*workload)->check(cpus(4)); !checked) return checked.error().message();
  Play play(std::move(*workload), 4);
  play.run(2 * kSec);
  if (play.machine().exit().kind != Exit::kNone) return play.machine().exit().message;
  return fmt::format("plays, {} tasks", play.started().size());
}

TEST(Workloads, FilesOfAFolderPlayOrSayWhyNot) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const char* folder = std::getenv("CPPLAND_WORKLOAD_FILES");
  if (folder == nullptr) GTEST_SKIP() << "CPPLAND_WORKLOAD_FILES names no folder";
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".json" || extension == ".txt") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  ASSERT_FALSE(paths.empty());
  for (const std::string& path : paths) {
    const std::string outcome = outcome_of(path);
    std::printf("%s: %s\n", path.c_str() + std::string_view(folder).size(),
                outcome.starts_with(path) ? outcome.c_str() + path.size() + 2 : outcome.c_str());
    EXPECT_TRUE(outcome.starts_with("plays") || outcome.find("line ") != std::string::npos) << path;
  }
}

}  // namespace
}  // namespace cppland::sim
