// SPDX-License-Identifier: GPL-2.0-only
// scheduler.cc - scheduler_main(): from the command line to the exit status.
#include <cppland/scheduler.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "agent/agent_thread.h"
#include "agent/memory.h"
#include "base/clock.h"
#include "cli/confine.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "kernel/live/dispatcher.h"
#include "kernel/live/loaded.h"
#include "kernel/live/preflight.h"
#include "kernel/live/running.h"
#include "topology/domains.h"
#include "topology/topology.h"

namespace cppland {
namespace {

constexpr int kHotplugPauseMs = 500;
constexpr int kLookMs = 1000;                 // whether the scheduler has ended
constexpr std::chrono::seconds kPatience{2};  // with an agent that shall end
constexpr int kSchedExt = 7;  // SCHED_EXT of <linux/sched.h>, which Debian 12's headers lack

void start_log() {
  auto log = spdlog::stderr_color_mt("cppland");
  log->set_pattern("%H:%M:%S [%^%l%$] %v");
  spdlog::set_default_logger(std::move(log));
}

// Asked for once: what is looked at every second takes no system call.
pid_t own_pid() {
  static const pid_t kPid = ::getpid();
  return kPid;
}

// The process whose agents have taken over from ours for good; 0: none.
pid_t successor_of(const cppland_shm& shm) {
  const Regime now = regime(shm);
  return now.on_trial || now.tgid == own_pid() ? 0 : now.tgid;
}

// Whether our agents, which have just taken over, answer in time.
bool stands_trial(const live::Dispatcher& dispatcher) {
  constexpr int kPauseMs = 5;
  Regime now = regime(dispatcher.shm());
  while (now.on_trial && now.tgid == own_pid() &&
         dispatcher.exit_info().kind == live::ExitInfo::kNone) {
    ::poll(nullptr, 0, kPauseMs);
    now = regime(dispatcher.shm());
  }
  return now.tgid == own_pid();
}

// Waits until a signal arrives (returns it), an agent's work has ended by itself, or the kernel or
// a successor has ended the scheduler, which an agent that is stuck does not notice (returns 0).
int wait_for_end(const cli::StopSignals& signals, const std::deque<AgentThread>& threads,
                 const live::Dispatcher& dispatcher) {
  std::vector<pollfd> fds{{signals.fd(), POLLIN, 0}};
  for (const AgentThread& thread : threads) fds.push_back({thread.ended_fd(), POLLIN, 0});
  while (::poll(fds.data(), fds.size(), kLookMs) <= 0) {
    if (dispatcher.exit_info().kind != live::ExitInfo::kNone) break;
    if (successor_of(dispatcher.shm()) != 0) break;
  }
  return signals.take();
}

// CPUs come and go in numbers, and to load the dispatcher takes longer than that: waits until for a
// while none has, or a signal has arrived.
void let_hotplug_settle(const cli::StopSignals& signals) {
  pollfd signal{signals.fd(), POLLIN, 0};
  auto before = live::hotplug_events();
  while (before && ::poll(&signal, 1, kHotplugPauseMs) == 0) {
    const auto now = live::hotplug_events();
    if (!now || *now == *before) return;
    before = now;
  }
}

// In partial mode nobody is taken over who did not ask for it: so the agent asks.
Result<void> join_sched_ext(pid_t tid) {
  const sched_param none{};
  if (::sched_setscheduler(tid, kSchedExt, &none) == 0) return {};
  return error(
      errno,
      "--partial: the agent cannot enter the policy SCHED_EXT (a sandbox such as systemd's "
      "RestrictRealtime= forbids it, if there is one)");
}

std::string summary(const live::Dispatcher& dispatcher, std::uint32_t max_wait_ms,
                    std::uint64_t faults) {
  const auto n = [&](cppland_counter which) { return counter(dispatcher.shm(), which); };
  return fmt::format(
      "pf: {} | dispatch -> u: {} k: {} c: {} b: {} f: {} | cg: {} | passes: {} ({} ms) | "
      "preempted: {} | "
      "failovers: {} ({} ms) | rescued: {} | max wait: {} ms | upgrades: {}",
      faults, n(CPPLAND_NR_USER_DISPATCHES), n(CPPLAND_NR_KERNEL_DISPATCHES),
      n(CPPLAND_NR_CANCEL_DISPATCHES), n(CPPLAND_NR_BOUNCE_DISPATCHES),
      n(CPPLAND_NR_FAILED_DISPATCHES), n(CPPLAND_NR_SCHED_CONGESTED), n(CPPLAND_NR_AGENT_PASSES),
      n(CPPLAND_AGENT_NS) / kMillisecond, n(CPPLAND_NR_PREEMPT_WAKEUPS), n(CPPLAND_NR_FAILOVERS),
      n(CPPLAND_FAILOVER_NS) / kMillisecond, n(CPPLAND_NR_RESCUED), max_wait_ms,
      n(CPPLAND_NR_UPGRADES));
}

enum class Outcome { kDone, kFailed, kRestart };

// To stderr, whether somebody reads it or not.
void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

// What the kernel says of the end, on stderr, as other sched_ext schedulers print it.
Outcome report(const live::ExitInfo& exit) {
  if (exit.kind == live::ExitInfo::kNone) return Outcome::kDone;
  if (!exit.dump.empty()) {
    const std::string rule(80, '=');
    say(fmt::format("\nDEBUG DUMP\n{}\n\n{}\n{}\n\n", rule, exit.dump, rule));
  }
  say(fmt::format("EXIT: {}{}\n", exit.reason,
                  exit.message.empty() ? "" : fmt::format(" ({})", exit.message)));
  if (exit.failed()) return Outcome::kFailed;
  return exit.wants_restart() ? Outcome::kRestart : Outcome::kDone;
}

const PolicyEntry& chosen_policy(const SchedulerInfo& info, const cli::Options& options) {
  for (const PolicyEntry& entry : info.policies)
    if (entry.name == options.policy) return entry;
  return info.policies.front();
}

// Each agent is for CPUs that share a cache, if it may run on them; where tasks are taken over one
// by one there is one agent, which sleeps.
Domains choose_domains(const Topology& topology, const cli::Options& options) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (::sched_getaffinity(0, sizeof(mine), &mine) != 0) return one_domain(topology);
  const bool everywhere = std::ranges::all_of(topology.cpus(), [&](const Cpu& cpu) {
    return !cpu.online || (cpu.id < CPU_SETSIZE && CPU_ISSET(cpu.id, &mine));
  });
  if (options.one_agent || options.partial || !everywhere) return one_domain(topology);
  return llc_domains(topology, kLeastDomainCpus, CPPLAND_MAX_DOMAINS);
}

// Every agent has a policy of its own, and all of them together room for as many tasks as one.
std::vector<std::unique_ptr<PolicyRunner>> make_policies(const PolicyEntry& entry,
                                                         const cli::Options& options,
                                                         const Domains& domains) {
  constexpr std::uint32_t kLeastCapacity = 2048;
  std::vector<std::unique_ptr<PolicyRunner>> made;
  for (const std::vector<unsigned>& cpus : domains)
    made.push_back(entry.make(
        {.slice_ns = options.slice_us * kMicrosecond,
         .slice_min_ns = options.slice_min_us * kMicrosecond,
         .nr_cpus = static_cast<std::uint32_t>(cpus.size()),
         .task_capacity = std::max(
             kDefaultTaskCapacity / static_cast<std::uint32_t>(domains.size()), kLeastCapacity)}));
  return made;
}

// The agents' threads, each on its domain's CPUs; a single one may run anywhere.
Result<void> start(std::deque<AgentThread>& threads, const Domains& domains) {
  for (const std::vector<unsigned>& cpus : domains) {
    threads.emplace_back();
    CPPLAND_TRY(
        threads.back().start(domains.size() > 1 ? std::span(cpus) : std::span<const unsigned>()));
  }
  return {};
}

live::DispatcherOptions dispatcher_options(const SchedulerInfo& info, const cli::Options& options,
                                           const std::deque<AgentThread>& threads, bool strict) {
  live::DispatcherOptions made{.name = live::ops_name(info.name, info.version),
                               .slice_ns = options.slice_min_us * kMicrosecond,
                               .sleeper_credit_ns = options.slice_us * kMicrosecond,
                               .strict = strict,
                               .percpu_local = options.percpu_local,
                               .numa_local = options.numa_local,
                               .partial = options.partial,
                               .verbose = options.verbose,
                               .exit_dump_len = options.exit_dump_len,
                               .timeout_ms = options.timeout_ms,
                               .max_wait_ms = options.max_wait_ms,
                               .libbpf = options.libbpf};
  for (const AgentThread& thread : threads) made.agent_tids.push_back(thread.tid());
  return made;
}

struct Predecessor {
  live::Running running;
  live::Description description;
};

// The scheduler to take over from. None, if there is none, or it has been ended for this one.
Result<std::optional<Predecessor>> find_predecessor(const cli::Options& options,
                                                    const live::DispatcherOptions& dispatcher,
                                                    const Topology& topology) {
  if (!options.upgrade) return std::nullopt;
  auto running = CPPLAND_TRY(live::Running::find());
  if (!running) {
    spdlog::info("no scheduler of ours runs: starting anew");
    CPPLAND_TRY(live::wait_until_free());
    return std::nullopt;
  }
  auto description = running->describe(topology);
  const Result<void> possible =
      description ? live::check_compatible(*description, dispatcher, options.one_agent)
                  : std::unexpected(description.error());
  if (possible) return Predecessor{*std::move(running), *std::move(description)};
  if (!options.force) return std::unexpected(possible.error());
  spdlog::info("ending the scheduler that runs: {}", possible.error().tried());
  CPPLAND_TRY(live::Running::end(*std::move(running)));
  CPPLAND_TRY(live::wait_until_free());
  return std::nullopt;
}

// One life of the agents: from an idle machine, or another process's agents, to the end by a
// signal, by the kernel, by a successor, or for a restart.
class Life {
 public:
  Life(const SchedulerInfo& info, const cli::Options& options, const cli::StopSignals& signals)
      : info_(info), options_(options), signals_(signals) {}

  Result<Outcome> live() {
    CPPLAND_TRY(prepare());
    CPPLAND_TRY(dispatcher_->attach());
    if (options_.partial) CPPLAND_TRY(join_sched_ext(threads_.front().tid()));
    // From here to end() nothing may return: the threads work with the agents.
    std::size_t d = 0;
    for (AgentThread& thread : threads_)
      thread.go([&agent = agents_[d++]](const std::atomic<bool>& stop) { agent.run(stop); });
    const Result<void> begun = begin();
    const std::uint64_t faults = page_faults();
    const int signal = begun ? wait_for_end(signals_, threads_, *dispatcher_) : 0;
    const Outcome outcome = end(signal, begun, page_faults() - faults);
    if (!begun) return std::unexpected(begun.error());
    if (outcome != Outcome::kRestart) return outcome;
    if (signal != 0) return Outcome::kDone;
    if (!restarts_ && !options_.no_sandbox)
      return error(EPERM,
                   "the kernel asks for a restart, for which the privileges are given up: start it "
                   "again, or with --no-sandbox if this happens often");
    spdlog::info("the kernel asks for a restart");
    let_hotplug_settle(signals_);
    return outcome;
  }

 private:
  // Everything but that the agents decide.
  Result<void> prepare() {
    const Topology topology = CPPLAND_TRY(Topology::read());
    nr_cpus_ = topology.nr_online();
    auto predecessor = CPPLAND_TRY(
        find_predecessor(options_, dispatcher_options(info_, options_, {}, false), topology));
    const Domains domains =
        predecessor ? predecessor->description.domains : choose_domains(topology, options_);
    policies_ = make_policies(chosen_policy(info_, options_), options_, domains);
    CPPLAND_TRY(start(threads_, domains));
    const live::DispatcherOptions options =
        dispatcher_options(info_, options_, threads_, policies_.front()->strict());
    if (predecessor) {
      predecessor_ = predecessor->running.owner();
      dispatcher_ = CPPLAND_TRY(live::Running::take_over(std::move(predecessor->running),
                                                         predecessor->description, options));
    } else {
      dispatcher_ = CPPLAND_TRY(live::load(options, topology, domains));
    }
    for (std::uint32_t d = 0; d < domains.size(); ++d)
      agents_.emplace_back(dispatcher_->kernel(d), *policies_[d], d);
    return lock_memory();
  }

  // The agents decide by now, or should.
  Result<void> begin() {
    if (predecessor_ != 0 && !stands_trial(*dispatcher_))
      return error(ETIMEDOUT,
                   "--upgrade: the agents have not answered in time: process {} goes on as before",
                   predecessor_);
    spdlog::info(
        "{}: policy {}, {} CPUs, {}{}", cli::version_line(info_),
        chosen_policy(info_, options_).name, nr_cpus_,
        agents_.size() == 1 ? "1 agent" : fmt::format("{} agents", agents_.size()),
        predecessor_ != 0 ? fmt::format(", takes over from process {}", predecessor_) : "");
    // Where a CPU came or went while it was loaded, the kernel asks for a restart at once, and no
    // later: the dispatcher deals with those that come and go.
    restarts_ = dispatcher_->exit_info().kind != live::ExitInfo::kNone;
    return options_.no_sandbox || restarts_ ? Result<void>() : cli::confine();
  }

  // First the tasks go back to the kernel's own scheduler, or are the successor's, then the agents
  // end: nobody waits meanwhile.
  Outcome end(int signal, const Result<void>& begun, std::uint64_t faults) {
    if (signal != 0) spdlog::info("unregistering ({})", ::sigabbrev_np(signal));
    if (const pid_t successor = successor_of(dispatcher_->shm()); successor != 0)
      spdlog::info("process {} has taken over", successor);
    dispatcher_->detach();
    const bool ended = std::ranges::all_of(
        threads_, [](AgentThread& thread) { return thread.stop_within(kPatience); });
    const Outcome outcome = report(dispatcher_->exit_info());
    spdlog::info("{}", summary(*dispatcher_, options_.max_wait_ms, faults));
    if (ended) return outcome;
    say(fmt::format("{}: the policy does not come to an end: leaving without it\n", info_.name));
    if (!begun) say(fmt::format("{}: {}\n", info_.name, begun.error()));
    // The thread still works with what is here.
    std::_Exit(begun && outcome == Outcome::kDone ? 0 : cli::kFailure);
  }

  const SchedulerInfo& info_;
  const cli::Options& options_;
  const cli::StopSignals& signals_;
  unsigned nr_cpus_ = 0;
  pid_t predecessor_ = 0;  // that this takes over from; 0: none
  bool restarts_ = false;
  // In this order: what is below refers to what is above.
  std::vector<std::unique_ptr<PolicyRunner>> policies_;
  std::unique_ptr<live::Dispatcher> dispatcher_;
  std::deque<Agent> agents_;
  std::deque<AgentThread> threads_;
};

int fail(const SchedulerInfo& info, std::string_view why) {
  say(fmt::format("{}: {}\n", info.name, why));
  return cli::kFailure;
}

int say_goodbye(const SchedulerInfo& info, const cli::Goodbye& goodbye) {
  if (goodbye.status != 0) {
    say(goodbye.text);
    return goodbye.status;
  }
  std::fputs(goodbye.text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : fail(info, "writing to stdout failed");
}

int run(const SchedulerInfo& info, int argc, char** argv) {
  const auto options = cli::parse_options(info, argc, argv);
  if (!options) return say_goodbye(info, options.error());
  start_log();
  const auto signals = cli::StopSignals::block();
  if (!signals) return fail(info, signals.error().message());
  for (;;) {
    const auto ready = options->upgrade ? live::preflight_to_take_over() : live::preflight();
    if (!ready) return fail(info, ready.error().tried());
    const auto outcome = Life(info, *options, *signals).live();
    if (!outcome) return fail(info, outcome.error().message());
    if (*outcome != Outcome::kRestart) return *outcome == Outcome::kDone ? 0 : cli::kFailure;
    if (signals->take() != 0) return 0;
  }
}

}  // namespace

int scheduler_main(const SchedulerInfo& info, int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go; the machine is still scheduled
  try {
    return run(info, argc, argv);
  } catch (const std::exception& error) {
    return fail(info, error.what());
  }
}

}  // namespace cppland
