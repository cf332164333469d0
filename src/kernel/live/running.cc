// SPDX-License-Identifier: GPL-2.0-only
// running.cc - a dispatcher of ours that another process has loaded, and how to take it over.
#include "kernel/live/running.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "kernel/domain_tables.h"
#include "kernel/shared_rings.h"

namespace cppland::live {
namespace {

constexpr std::chrono::seconds kPatience{10};  // with processes that shall end
constexpr std::chrono::milliseconds kPause{20};
constexpr std::size_t kHeader = 24;  // to `nr_cpu_ids`: the same in every version

// The processes that have the link open, but this one.
std::vector<pid_t> holders(std::uint32_t link_id) {
  namespace fs = std::filesystem;
  const std::string line = fmt::format("\nlink_id:\t{}\n", link_id);
  std::vector<pid_t> found;
  std::error_code gone;  // processes and files that end while this looks
  for (const auto& process : fs::directory_iterator("/proc", gone)) {
    const auto pid = parse_int<pid_t>(process.path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    for (const auto& file : fs::directory_iterator(process.path() / "fdinfo", gone)) {
      const auto text = read_file(file.path().string());
      if (!text || text->find(line) == std::string::npos) continue;
      found.push_back(*pid);
      break;
    }
  }
  return found;
}

const cppland_shm& shm_of(const Mapping& memory) {
  return *reinterpret_cast<const cppland_shm*>(memory.data());
}

bool is_of_our_version(const Mapping& memory) {
  return memory.size() == sizeof(cppland_shm) && shm_of(memory).version == CPPLAND_ABI_VERSION;
}

// A dispatcher that others loaded, and that ends with the last process that has it.
class TakenOver final : public Dispatcher {
 public:
  struct Parts {
    BpfLink link;
    UniqueFd succeed;
    Mapping shm;
    Mapping channels;               // from the page on in which its agents' first is,
    std::size_t first_channel = 0;  // so many bytes after its begin
    Mapping exit;
    Mapping dump;
    std::vector<BpfMap> maps;  // their timers end with the last that has them open
    std::unique_ptr<AgentCalls> calls;
    cppland_agents agents;
  };

  TakenOver(Parts parts, std::size_t domains)
      : Dispatcher({.shm = reinterpret_cast<const cppland_shm*>(parts.shm.data()),
                    .channels = reinterpret_cast<cppland_channel*>(parts.channels.data() +
                                                                   parts.first_channel),
                    .exit = reinterpret_cast<const cppland_exit_record*>(parts.exit.data()),
                    .dump = reinterpret_cast<const char*>(parts.dump.data()),
                    .dump_len = static_cast<std::uint32_t>(parts.dump.size())},
                   domains, std::move(parts.calls)),
        parts_(std::move(parts)) {}
  TakenOver(const TakenOver&) = delete;
  TakenOver& operator=(const TakenOver&) = delete;
  ~TakenOver() override { detach(); }

  [[nodiscard]] Result<void> attach() override {
    bpf_test_run_opts run{};
    run.sz = sizeof(run);
    run.ctx_in = &parts_.agents;
    run.ctx_size_in = sizeof(parts_.agents);
    if (const int err = bpf_prog_test_run_opts(parts_.succeed.get(), &run))
      return error(err, "calling the dispatcher to take it over");
    const int refused = -static_cast<int>(run.retval);
    if (refused == 0) return {};
    if (refused == EBUSY || refused == EAGAIN)
      return error(refused, "--upgrade: another process is taking over: try again");
    return error(refused, "--upgrade: the running dispatcher does not take these agents");
  }

 private:
  void close_link() noexcept override { parts_.link.fd.reset(); }

  Parts parts_;
};

}  // namespace

pid_t Running::owner() const noexcept { return regime(shm_of(shm_)).tgid; }

Result<std::optional<Running>> Running::find() {
  for (BpfLink& link : struct_ops_links()) {
    const auto ops = open_map(link.map_id);
    if (!ops || ops->name != "cppland_ops") continue;
    for (const BpfMap& map : maps_named(".bss.shm")) {
      if (map.value_size < kHeader) continue;
      Mapping memory = CPPLAND_TRY(map_memory(map, PROT_READ));
      const cppland_shm& shm = shm_of(memory);
      if (shm.magic != CPPLAND_ABI_MAGIC) continue;
      if (!is_of_our_version(memory))
        return Running(std::move(link), std::move(memory), UniqueFd());
      if (std::ranges::find(shm.map_id, link.map_id) == std::end(shm.map_id)) continue;
      return Running(std::move(link), std::move(memory),
                     find_syscall_program("cppland_succeed", map.id));
    }
  }
  return std::nullopt;
}

Result<Description> Running::describe(const Topology& topology) const {
  if (is_of_our_version(shm_) && succeed_) return read_description(shm_of(shm_), topology);
  return error(ENOTSUP,
               "--upgrade: the running dispatcher speaks version {} of the ABI, this program "
               "version {}: {}",
               shm_of(shm_).version, CPPLAND_ABI_VERSION, kForceWouldHelp);
}

Result<std::unique_ptr<Dispatcher>> Running::take_over(Running running,
                                                       const Description& description,
                                                       const DispatcherOptions& options) {
  TakenOver::Parts parts{.link = std::move(running.link_),
                         .succeed = std::move(running.succeed_),
                         .shm = std::move(running.shm_),
                         .agents = describe_agents(options, description.reign)};
  const std::size_t domains = description.domains.size();
  const std::size_t channels = nr_channels(domains) * sizeof(cppland_channel);
  const std::size_t begin = channel_of(domains, 0, description.reign + 1) * sizeof(cppland_channel);
  parts.first_channel = begin % static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (const std::uint32_t id : description.maps) {
    auto map = open_map(id);
    if (!map) return error(ENOENT, "--upgrade: the running dispatcher has just ended: start anew");
    if (map->name == ".bss.channels" && map->value_size == channels)
      parts.channels = CPPLAND_TRY(Mapping::map(map->fd.get(), parts.first_channel + channels / 2,
                                                PROT_READ | PROT_WRITE, MAP_SHARED,
                                                begin - parts.first_channel));
    if (map->name == ".bss.exit" && map->value_size == sizeof(cppland_exit_record))
      parts.exit = CPPLAND_TRY(map_memory(*map, PROT_READ));
    if (map->name == ".data.exit_dump") parts.dump = CPPLAND_TRY(map_memory(*map, PROT_READ));
    if (map->name == "agent_calls" && options.partial)
      parts.calls = CPPLAND_TRY(AgentCalls::make(map->fd.get()));
    parts.maps.push_back(*std::move(map));
  }
  if (!parts.channels || !parts.exit || !parts.dump || (options.partial && !parts.calls))
    return error(EINVAL, "--upgrade: the running dispatcher lacks what it says it has: {}",
                 kForceWouldHelp);
  return std::make_unique<TakenOver>(std::move(parts), domains);
}

Result<void> Running::end(Running running) {
  const std::uint32_t link = running.link_.id;
  running.link_.fd.reset();
  const std::vector<pid_t> processes = holders(link);
  if (processes.empty())
    return error(ESRCH, "--force: no process has the running dispatcher (is it pinned?)");
  for (const pid_t process : processes) ::kill(process, SIGTERM);
  const auto lives = [](pid_t process) { return ::kill(process, 0) == 0; };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::ranges::any_of(processes, lives)) {
    if (std::chrono::steady_clock::now() > deadline)
      return error(ETIMEDOUT, "--force: process {} does not end: kill it (SIGKILL)",
                   *std::ranges::find_if(processes, lives));
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

}  // namespace cppland::live
