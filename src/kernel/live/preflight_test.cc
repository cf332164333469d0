// SPDX-License-Identifier: GPL-2.0-only
// preflight_test.cc - each reason not to start, in its own words, on kernels made of files.

#include "kernel/live/preflight.h"

#include <bpf/btf.h>
#include <cap-ng.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "kernel/live/unique_btf.h"

namespace cppland::live {
namespace {

using ::testing::AllOf;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// The kernel functions that the dispatcher needs, with the arguments that a program gives them.
const std::map<std::string, int> kGoodKfuncs{
    {"scx_bpf_create_dsq", 2},     {"scx_bpf_kick_cpu", 2},       {"bpf_iter_scx_dsq_new", 3},
    {"scx_bpf_pick_idle_cpu", 2},  {"scx_bpf_dsq_nr_queued", 1},  {"scx_bpf_dsq_move_to_local", 1},
    {"scx_bpf_dsq_move_vtime", 4}, {"scx_bpf_select_cpu_and", 5}, {"scx_bpf_dsq_insert_vtime", 5},
};

class PreflightTest : public ::testing::Test {
 protected:
  PreflightTest() {
    std::string pattern = ::testing::TempDir() + "cppland_preflight.XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    files_ = {.sched_ext = root_ / "sched_ext",
              .btf = root_ / "btf/vmlinux",
              .pid_namespace = root_ / "none"};
    fs::create_directories(files_.sched_ext + "/root");
    fs::create_directories(root_ / "btf");
    set_state("disabled");
    describe(kGoodKfuncs);
  }
  ~PreflightTest() override { fs::remove_all(root_); }
  PreflightTest(const PreflightTest&) = delete;
  PreflightTest& operator=(const PreflightTest&) = delete;

  void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  // In one step, as the kernel's files change.
  void set_state(const std::string& state) {
    write(files_.sched_ext + "/state.new", state + "\n");
    fs::rename(files_.sched_ext + "/state.new", files_.sched_ext + "/state");
  }

  // Makes the kernel's type information describe these functions.
  void describe(const std::map<std::string, int>& kfuncs) {
    const UniqueBtf made(btf__new_empty());
    btf* types = made.get();
    const int number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
    for (const auto& [name, arguments] : kfuncs) {
      const int proto = btf__add_func_proto(types, number);
      for (int i = 0; i < arguments; ++i) {
        btf__add_func_param(types, fmt::format("a{}", i).c_str(), number);
      }
      btf__add_func(types, name.c_str(), BTF_FUNC_GLOBAL, proto);
    }
    __u32 size = 0;
    const void* data = btf__raw_data(types, &size);
    write(files_.btf, std::string(static_cast<const char*>(data), size));
  }

  static std::string message(const Result<void>& result) {
    return result ? "accepted" : result.error().tried();
  }

  fs::path root_;
  KernelFiles files_;
};

// --- the kernel ---

TEST_F(PreflightTest, AcceptsAKernelThatHasEverything) {
  EXPECT_TRUE(check_sched_ext(files_));
  EXPECT_TRUE(check_btf_exists(files_));
  EXPECT_TRUE(check_kfuncs(files_));
  EXPECT_TRUE(wait_until_free(files_));
  if (check_privileges()) {
    EXPECT_TRUE(preflight(files_));
  }
}

TEST_F(PreflightTest, MissesSchedExt) {
  fs::remove_all(files_.sched_ext);
  const auto result = preflight(files_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ENOTSUP);
  EXPECT_EQ(message(result),
            fmt::format("this kernel has no sched_ext ({} is missing): boot one of "
                        "6.16 or later with CONFIG_SCHED_CLASS_EXT=y",
                        files_.sched_ext));
}

TEST_F(PreflightTest, RefusesAPidNamespaceOfItsOwn) {
  EXPECT_TRUE(check_namespace(files_));
  write(files_.pid_namespace, "whose inode is another than that of the first namespace");
  EXPECT_THAT(message(check_namespace(files_)), ::testing::HasSubstr("PID namespace"));
}

TEST_F(PreflightTest, MissesTypeInformation) {
  fs::remove(files_.btf);
  const auto result = preflight(files_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ENOTSUP);
  EXPECT_EQ(message(result),
            fmt::format("this kernel has no type information ({} is missing): boot "
                        "one with CONFIG_DEBUG_INFO_BTF=y",
                        files_.btf));
}

TEST_F(PreflightTest, MissesAKernelFunction) {
  for (const auto& [name, arguments] : kGoodKfuncs) {
    auto kfuncs = kGoodKfuncs;
    kfuncs.erase(name);
    describe(kfuncs);
    const auto result = check_kfuncs(files_);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code(), ENOTSUP);
    EXPECT_THAT(message(result), AllOf(HasSubstr("too old or too new"), HasSubstr(name + "()"),
                                       HasSubstr("boot a kernel")));
  }
}

TEST_F(PreflightTest, KnowsAKernelThatDescribesItsFunctionsWrongly) {
  for (const auto& [name, arguments] : kGoodKfuncs) {
    auto kfuncs = kGoodKfuncs;
    ++kfuncs[name];
    describe(kfuncs);
    const auto result = check_kfuncs(files_);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code(), ENOTSUP);
    EXPECT_THAT(message(result), AllOf(HasSubstr("faulty type information"),
                                       HasSubstr(fmt::format("{}() with {} arguments instead of {}",
                                                             name, arguments + 1, arguments)),
                                       HasSubstr("boot another kernel")));
  }
}

TEST_F(PreflightTest, RefusesTypeInformationThatIsNone) {
  for (const std::string& garbage :
       {std::string(), std::string("nonsense"), std::string(4096, '\xEB'),
        std::string("\x9F\xEB\x01\x00\x18\x00\x00\x00", 8)}) {
    write(files_.btf, garbage);
    const auto result = check_kfuncs(files_);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().code(), 0);
    EXPECT_THAT(message(result), AllOf(HasSubstr("type information"), HasSubstr(files_.btf)));
  }
}

TEST_F(PreflightTest, TakesAVariableOfThatNameForNoFunction) {
  const UniqueBtf made(btf__new_empty());
  const int number = btf__add_int(made.get(), "int", 4, BTF_INT_SIGNED);
  btf__add_typedef(made.get(), "scx_bpf_create_dsq", number);
  __u32 size = 0;
  const void* data = btf__raw_data(made.get(), &size);
  write(files_.btf, std::string(static_cast<const char*>(data), size));
  EXPECT_THAT(message(check_kfuncs(files_)), HasSubstr("it has no scx_bpf_create_dsq()"));
}

// --- other schedulers ---

TEST_F(PreflightTest, NamesTheSchedulerThatRuns) {
  set_state("enabled");
  write(files_.sched_ext + "/root/ops", "scx_other_1.0\n");
  const auto result = wait_until_free(files_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), EBUSY);
  EXPECT_EQ(
      message(result),
      "another sched_ext scheduler is already running (scx_other_1.0, state enabled): stop it "
      "first");
}

TEST_F(PreflightTest, KnowsOneThatRunsWithoutAName) {
  set_state("enabled");
  EXPECT_THAT(message(wait_until_free(files_)), HasSubstr("its name is unknown, state enabled"));
}

TEST_F(PreflightTest, WaitsForOneThatIsLeaving) {
  using namespace std::chrono_literals;
  set_state("disabling");
  const auto begin = std::chrono::steady_clock::now();
  std::thread leaving([&] {
    std::this_thread::sleep_for(60ms);
    set_state("disabled");
  });
  const auto result = wait_until_free(files_);
  leaving.join();
  EXPECT_TRUE(result) << message(result);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms);
}

TEST_F(PreflightTest, RefusesOneThatHasJustBecomeReady) {
  using namespace std::chrono_literals;
  set_state("enabling");
  std::thread starting([&] {
    std::this_thread::sleep_for(60ms);
    set_state("enabled");
  });
  const auto result = wait_until_free(files_);
  starting.join();
  EXPECT_FALSE(result);
}

TEST_F(PreflightTest, FailsWhenTheStateCannotBeRead) {
  fs::remove(files_.sched_ext + "/state");
  const auto result = wait_until_free(files_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ENOENT);
}

// --- privileges ---

// Prints what is missing and exits with 1, or exits with 0.
[[noreturn]] void check_privileges_and_exit() {
  const auto result = check_privileges();
  if (!result) {
    fmt::print(stderr, "{} {}\n", result.error().code(), result.error().tried());
  }
  ::_exit(result ? 0 : 1);
}

[[noreturn]] void check_as_nobody() {
  if (::setresuid(65534, 65534, 65534) != 0) {
    ::_exit(2);
  }
  check_privileges_and_exit();
}

[[noreturn]] void check_without(unsigned capability) {
  capng_get_caps_process();
  capng_update(CAPNG_DROP, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
               capability);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
    ::_exit(2);
  }
  check_privileges_and_exit();
}

class PrivilegesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!check_privileges()) {
      GTEST_SKIP() << "no privileges to give up";
    }
  }
};

TEST_F(PrivilegesTest, NamesEachThatAUserLacks) {
  EXPECT_EXIT(check_as_nobody(), ExitedWithCode(1),
              "^1 loading a scheduler needs privileges that this process lacks \\(CAP_BPF, "
              "CAP_PERFMON, CAP_SYS_ADMIN\\): run it as root\n$");
}

TEST_F(PrivilegesTest, NamesTheOneThatIsMissing) {
  EXPECT_EXIT(check_without(CAP_PERFMON), ExitedWithCode(1), "lacks \\(CAP_PERFMON\\): ");
  EXPECT_EXIT(check_without(CAP_BPF), ExitedWithCode(1), "lacks \\(CAP_BPF\\): ");
  EXPECT_EXIT(check_without(CAP_SYS_ADMIN), ExitedWithCode(1), "lacks \\(CAP_SYS_ADMIN\\): ");
}

TEST_F(PrivilegesTest, DoesNotMindOthers) {
  EXPECT_EXIT(check_without(CAP_NET_RAW), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cppland::live
