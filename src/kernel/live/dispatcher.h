// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.h - the dispatcher in the running kernel: its options, its life, its end.
#pragma once

#include <abi/cppland_abi.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/kernel.h"
#include "kernel/live/agent_kernel.h"

namespace cppland::live {

// Options of libbpf itself, as every scx scheduler has them.
struct LibbpfOptions {
  bool relaxed_maps = false;
  std::string pin_root_path;  // "" for libbpf's own
  std::string kconfig;        // the text, not the file's name
  std::string btf_custom_path;
  std::string bpf_token_path;
};

struct DispatcherOptions {
  std::string name;  // as root/ops shows it: letters, digits, '.' and '_', at most 127
  std::vector<pid_t> agent_tids{};     // a thread of this process for each domain
  std::uint64_t slice_ns = 1'000'000;  // for what is placed without the agent
  std::uint64_t sleeper_credit_ns = 20'000'000;
  bool strict = false;  // ask the agent about every choice
  bool percpu_local = false;
  bool numa_local = false;
  bool partial = false;
  bool verbose = false;
  std::uint32_t exit_dump_len = 0;  // bytes; 0 for the kernel's default
  std::uint32_t timeout_ms = 5000;  // of the kernel's watchdog
  // At the latest then a task that the agent does not decide for is next, and an agent that does
  // not answer is gone on without (after 20 ms, if this is longer). At least 10.
  std::uint32_t max_wait_ms = 500;
  LibbpfOptions libbpf{};
};

// Why the kernel let go of the dispatcher. The numbers are the kernel's, the same since sched_ext
// began.
struct ExitInfo {
  static constexpr int kNone = 0;
  static constexpr int kUnregister = 64;  // by its own user
  static constexpr int kUnregisterBpf = 65;
  static constexpr int kUnregisterKernel = 66;  // the greatest of the normal ones
  static constexpr std::int64_t kCodeRestart = std::int64_t{1} << 48;
  static constexpr std::int64_t kCodeHotplug = std::int64_t{1} << 32;

  int kind = kNone;
  std::int64_t code = 0;
  std::string reason{};
  std::string message{};
  std::string dump{};  // the kernel's debug dump, if there is one

  [[nodiscard]] bool failed() const noexcept { return kind > kUnregisterKernel; }
  [[nodiscard]] bool wants_restart() const noexcept {
    return (kind == kUnregisterBpf || kind == kUnregisterKernel) && (code & kCodeRestart) != 0;
  }
};

// One dispatcher, from load to exit. For the thread that owns the object.
class Dispatcher {
 public:
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  virtual ~Dispatcher() = default;

  // Makes this process's agents those that decide. The dispatcher takes over the machine's tasks,
  // if it does not have them already. Fails with EBUSY when somebody else was faster.
  [[nodiscard]] virtual Result<void> attach() = 0;

  // Lets go of the dispatcher. If no other process keeps it, it gives back the machine's tasks:
  // then this returns when the kernel's own scheduler has them all. Harmless if it has already.
  void detach() noexcept;

  // For the agent of that domain.
  [[nodiscard]] Kernel& kernel(std::size_t domain) noexcept { return kernels_[domain]; }

  // Why the kernel let go; kind 0 as long as it has not.
  [[nodiscard]] ExitInfo exit_info() const;

  [[nodiscard]] const cppland_shm& shm() const noexcept { return *memory_.shm; }

 protected:
  // What it shares with its agents.
  struct Memory {
    const cppland_shm* shm;
    cppland_channel* channels;  // of its agents, by domain
    const cppland_exit_record* exit;
    const char* dump;
    std::uint32_t dump_len;
  };

  // @calls: if the agent sleeps.
  Dispatcher(const Memory& memory, std::size_t domains, std::unique_ptr<AgentCalls> calls);

  // By which the kernel keeps the scheduler, as long as somebody has it.
  virtual void close_link() noexcept = 0;

 private:
  Memory memory_;
  std::unique_ptr<AgentCalls> calls_;
  std::deque<AgentKernel> kernels_;
};

// How the dispatcher shall go about with the agents of this process, in @reign.
[[nodiscard]] cppland_agents describe_agents(const DispatcherOptions& options, std::uint32_t reign);

// The platform, as in "x86_64_linux_gnu".
[[nodiscard]] std::string_view target();

// The name as sysfs shows it: @program, @version and the platform, joined by '_', with what a name
// may not contain replaced by '_'.
[[nodiscard]] std::string ops_name(std::string_view program, std::string_view version);

}  // namespace cppland::live
