// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.cc - the dispatcher in the running kernel: its options, its life, its end.
#include "kernel/live/dispatcher.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "base/clock.h"

namespace cppland::live {

Dispatcher::Dispatcher(const Memory& memory, std::size_t domains, std::unique_ptr<AgentCalls> calls)
    : memory_(memory), calls_(std::move(calls)) {
  for (std::size_t d = 0; d < domains; ++d)
    kernels_.emplace_back(*memory_.shm, memory_.channels[d], calls_.get());
}

void Dispatcher::detach() noexcept {
  close_link();
  if (calls_) calls_->end();
}

ExitInfo Dispatcher::exit_info() const {
  const cppland_exit_record& record = *memory_.exit;
  ExitInfo info;
  // Pairs with the dispatcher's exchange of the kind, its last write to the record.
  info.kind = __atomic_load_n(&record.kind, __ATOMIC_ACQUIRE);
  if (info.kind == ExitInfo::kNone) return info;
  const auto text = [](const char* s, std::size_t size) {
    return std::string(s, ::strnlen(s, size));
  };
  info.code = record.exit_code;
  info.reason = text(record.reason, sizeof(record.reason));
  info.message = text(record.msg, sizeof(record.msg));
  info.dump = text(memory_.dump, memory_.dump_len);
  return info;
}

cppland_agents describe_agents(const DispatcherOptions& options, std::uint32_t reign) {
  constexpr std::uint64_t kLongestSlice = 100 * kMillisecond;  // slice_max_ns of bpf/state.bpf.h
  const std::uint64_t max_wait_ns = options.max_wait_ms * kMillisecond;
  const std::uint64_t rescue_every_ns = std::min(50 * kMillisecond, max_wait_ns / 10);
  const std::uint64_t longest_ns =
      std::min(2 * kSecond, options.timeout_ms * kMillisecond / 2);  // whatever the order is
  cppland_agents agents{.version = CPPLAND_ABI_VERSION,
                        .reign = reign,
                        .tgid = ::getpid(),
                        .nr_domains = static_cast<__u32>(options.agent_tids.size()),
                        .flags = 0,
                        .reserved = 0,
                        .slice_ns = std::min(options.slice_ns, kLongestSlice),
                        .sleeper_credit_ns = options.sleeper_credit_ns,
                        .late_ns = std::min(20 * kMillisecond, max_wait_ns),
                        .forget_ns = max_wait_ns - rescue_every_ns,
                        .rescue_every_ns = rescue_every_ns,
                        .starve_ns = longest_ns - rescue_every_ns,
                        .tid = {}};
  if (options.strict) agents.flags |= CPPLAND_AGENTS_ASK_ALWAYS;
  if (options.percpu_local) agents.flags |= CPPLAND_AGENTS_PERCPU_LOCAL;
  std::ranges::copy(options.agent_tids, agents.tid);
  return agents;
}

std::string_view target() { return CPPLAND_TARGET; }

std::string ops_name(std::string_view program, std::string_view version) {
  std::string name = fmt::format("{}_{}_{}", program, version, target());
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c) && c != '.' && c != '_'; }, '_');
  return name.substr(0, 127);
}

}  // namespace cppland::live
