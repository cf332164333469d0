// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.h - the dispatcher in the running kernel: load, attach, watch, let go.
#pragma once

#include <abi/cppland_abi.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/event.h"
#include "base/result.h"
#include "kernel/kernel.h"
#include "kernel/shared_rings.h"
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
  pid_t agent_tid = 0;
  std::uint64_t slice_ns = 1'000'000;  // for what is placed without the agent
  std::uint64_t sleeper_credit_ns = 20'000'000;
  bool strict = false;  // ask the agent about every choice
  bool percpu_local = false;
  bool numa_local = false;
  bool partial = false;
  bool verbose = false;
  std::uint32_t exit_dump_len = 0;  // bytes; 0 for the kernel's default
  std::uint32_t timeout_ms = 5000;  // of the kernel's watchdog
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

// One dispatcher, from load to exit. The Kernel's functions are for the agent's thread, which must
// be the one that `agent_tid` names; everything else is for the thread that owns the object.
class Dispatcher final : public Kernel {
 public:
  // Opens, configures and loads; does not schedule yet.
  [[nodiscard]] static Result<std::unique_ptr<Dispatcher>> load(const DispatcherOptions& options,
                                                                const Topology& topology);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher() override;

  // Takes over the machine's tasks. Fails with EBUSY when another scheduler was faster.
  [[nodiscard]] Result<void> attach();

  // Gives them back; returns when the kernel's own scheduler has them all. Harmless if it has
  // already.
  void detach() noexcept;

  // Why the kernel let go; kind 0 as long as it has not.
  [[nodiscard]] ExitInfo exit_info() const;

  [[nodiscard]] const cppland_shm& shm() const noexcept;

  [[nodiscard]] bool attached() const noexcept override;
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
  struct SkeletonCloser {
    void operator()(dispatcher* skeleton) const noexcept;
  };
  using Skeleton = std::unique_ptr<dispatcher, SkeletonCloser>;

  struct CallsCloser {
    void operator()(ring_buffer* calls) const noexcept;
  };

  explicit Dispatcher(Skeleton skeleton) noexcept;
  [[nodiscard]] Result<void> let_agent_sleep();

  Skeleton skeleton_;
  SharedRings rings_;
  bpf_link* link_ = nullptr;
  // For an agent that sleeps, which the dispatcher calls.
  std::unique_ptr<ring_buffer, CallsCloser> calls_;
  Event detached_;
};

// The platform, as in "x86_64_linux_gnu".
[[nodiscard]] std::string_view target();

// The name as sysfs shows it: @program, @version and the platform, joined by '_', with what a name
// may not contain replaced by '_'.
[[nodiscard]] std::string ops_name(std::string_view program, std::string_view version);

// CPUs that have gone or come since the kernel was started.
[[nodiscard]] Result<std::uint64_t> hotplug_events();

}  // namespace cppland::live
