// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.h - the dispatcher in the running kernel: load, attach, watch, let go.
#pragma once

#include <abi/cppland_abi.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/result.h"
#include "kernel/kernel.h"
#include "kernel/shared_rings.h"
#include "topology/domains.h"
#include "topology/topology.h"

struct bpf_link;
struct ring_buffer;
struct dispatcher;  // NOLINT(readability-identifier-naming): the skeleton's name

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

// By which the dispatcher wakes an agent that sleeps when it has nothing to do. wait() is for the
// agent's thread, end() for any.
class AgentCalls {
 public:
  // @map: the dispatcher's ring of calls.
  [[nodiscard]] static Result<std::unique_ptr<AgentCalls>> make(int map_fd);

  // Returns when the agent has been called, or after end().
  void wait() noexcept;
  void end() noexcept { ended_.raise(); }

 private:
  struct Closer {
    void operator()(ring_buffer* calls) const noexcept;
  };

  AgentCalls(ring_buffer* calls, Event ended) noexcept : calls_(calls), ended_(std::move(ended)) {}

  std::unique_ptr<ring_buffer, Closer> calls_;
  Event ended_;
};

// The agent's view of one domain. For the thread that `agent_tids` names for it.
class AgentKernel final : public Kernel {
 public:
  // With @calls the agent sleeps until it is called. Does not own what it refers to.
  AgentKernel(cppland_channel& channel, AgentCalls* calls) noexcept
      : rings_(channel), calls_(calls) {}

  [[nodiscard]] bool attached() const noexcept override { return rings_.attached(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override;
  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return rings_.nr_waiting(); }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return rings_.nr_online(); }
  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    return rings_.read_events(out);
  }
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override {
    return rings_.write_decisions(decisions);
  }
  void park(std::uint32_t nr_scheduled) noexcept override;

 private:
  SharedRings rings_;
  AgentCalls* calls_;
};

// One dispatcher, from load to exit. For the thread that owns the object.
class Dispatcher final {
 public:
  // Opens, configures and loads; does not schedule yet. In partial mode there must be one domain.
  [[nodiscard]] static Result<std::unique_ptr<Dispatcher>> load(const DispatcherOptions& options,
                                                                const Topology& topology,
                                                                const Domains& domains);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // For the agent of that domain.
  [[nodiscard]] Kernel& kernel(std::size_t domain) noexcept { return kernels_[domain]; }

  // Takes over the machine's tasks. Fails with EBUSY when another scheduler was faster.
  [[nodiscard]] Result<void> attach();

  // Gives them back; returns when the kernel's own scheduler has them all. Harmless if it has
  // already.
  void detach() noexcept;

  // Why the kernel let go; kind 0 as long as it has not.
  [[nodiscard]] ExitInfo exit_info() const;

  [[nodiscard]] const cppland_shm& shm() const noexcept;

 private:
  struct SkeletonCloser {
    void operator()(dispatcher* skeleton) const noexcept;
  };
  using Skeleton = std::unique_ptr<dispatcher, SkeletonCloser>;

  explicit Dispatcher(Skeleton skeleton) noexcept;

  Skeleton skeleton_;
  bpf_link* link_ = nullptr;
  std::unique_ptr<AgentCalls> calls_;  // if the agent sleeps
  std::deque<AgentKernel> kernels_;
};

// The platform, as in "x86_64_linux_gnu".
[[nodiscard]] std::string_view target();

// The name as sysfs shows it: @program, @version and the platform, joined by '_', with what a name
// may not contain replaced by '_'.
[[nodiscard]] std::string ops_name(std::string_view program, std::string_view version);

// CPUs that have gone or come since the kernel was started.
[[nodiscard]] Result<std::uint64_t> hotplug_events();

}  // namespace cppland::live
