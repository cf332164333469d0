// SPDX-License-Identifier: GPL-2.0-only
// process_tree_test.cc - reading /proc.
#include "process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace cppland::load {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Process process_of(pid_t pid, pid_t parent, double cpu_seconds = 0) {
  return {.pid = pid, .parent = parent, .cpu_seconds = cpu_seconds};
}

TEST(ParseProcess, ReadsParentAndTimes) {
  const auto process =
      parse_process("42 (sh) S 7 42 42 0 -1 4194560 1 2 3 4 50 25 100 25 20 0 1 0 9 8 7", 100);
  EXPECT_EQ(process, process_of(42, 7, 2.0));
}

TEST(ParseProcess, CopesWithAnyName) {
  const auto process = parse_process("42 (a) S 1 (b c) R 9 42 42 0 -1 0 1 2 3 4 0 0 0 0 20", 100);
  EXPECT_EQ(process, process_of(42, 9));
}

TEST(ParseProcess, RejectsWhatIsNoStat) {
  for (const char* text :
       {"", "42", "42 (sh)", "42 (sh) S", "x (sh) S 7", "42 (sh) S 7 42 42 0 -1 0 1 2 3 4 50"}) {
    EXPECT_FALSE(parse_process(text, 100)) << text;
  }
}

TEST(ReadProcesses, FindsThisOne) {
  bool found = false;
  for (const Process& process : read_processes()) {
    found |= process.pid == getpid() && process.parent == getppid();
  }
  EXPECT_TRUE(found);
}

TEST(ReadProcesses, FindsNoneWithoutProc) {
  EXPECT_THAT(read_processes("/nonexistent"), IsEmpty());
}

TEST(Descendants, AreFoundInAnyOrderAndDepth) {
  const std::vector<Process> all = {process_of(5, 4), process_of(4, 3), process_of(9, 1),
                                    process_of(3, 2), process_of(6, 3), process_of(2, 1)};
  EXPECT_THAT(descendants(all, 3),
              UnorderedElementsAre(process_of(4, 3), process_of(5, 4), process_of(6, 3)));
  EXPECT_THAT(descendants(all, 4), ElementsAre(process_of(5, 4)));
  EXPECT_THAT(descendants(all, 9), IsEmpty());
}

}  // namespace
}  // namespace cppland::load
