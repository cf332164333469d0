// SPDX-License-Identifier: GPL-2.0-only
// rtapp_plan.cc - see rtapp_plan.h.
#include "sim/workloads/rtapp_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "sim/workloads/rtapp_events.h"
#include "sim/workloads/rtapp_json.h"
#include "sim/workloads/rtapp_keys.h"

namespace cppland::sim::rtapp {
namespace {

using Kind = Value::Kind;

constexpr std::int64_t kIntMost = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostInstances = 10'000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

struct Refusal {
  std::string_view key;
  std::string_view why;
};

// Keys of tasks and phases that rt-app has, or has had, and the simulator has no use for.
constexpr std::array kRefused{
    Refusal{"taskgroup", "cgroups are not modelled"},
    Refusal{"util_min", "the model has no frequencies, so there is no utilisation to clamp"},
    Refusal{"util_max", "the model has no frequencies, so there is no utilisation to clamp"},
    Refusal{"nodes_membind", "the model does not know where memory lies"},
    Refusal{"dl-runtime", "SCHED_DEADLINE and slices of a task's own are not modelled"},
    Refusal{"dl-period", "SCHED_DEADLINE is not modelled"},
    Refusal{"dl-deadline", "SCHED_DEADLINE is not modelled"},
    Refusal{"period", "SCHED_DEADLINE is not modelled (a period belongs into a timer)"},
    Refusal{"deadline", "SCHED_DEADLINE is not modelled"},
    Refusal{"memrun", "the model has no caches of data to run through"},
    Refusal{"exec", R"(the grammar of rt-app before 1.0; say "run" and "timer")"},
    Refusal{"lock_order", R"(the grammar of rt-app before 1.0; say "lock" and "unlock")"},
    Refusal{"resources", "the grammar of rt-app before 1.0; events name what they use"},
};

// Keys of the global object that change nothing here, and what they take.
struct Ignored {
  std::string_view key;
  Kind kind;
  Kind or_kind;
};
constexpr std::array kIgnored{
    Ignored{"calibration", Kind::kInteger, Kind::kString},
    Ignored{"cumulative_slack", Kind::kBoolean, Kind::kBoolean},
    Ignored{"frag", Kind::kInteger, Kind::kInteger},
    Ignored{"ftrace", Kind::kBoolean, Kind::kString},
    Ignored{"gnuplot", Kind::kBoolean, Kind::kBoolean},
    Ignored{"lock_pages", Kind::kBoolean, Kind::kBoolean},
    Ignored{"log_basename", Kind::kString, Kind::kString},
    Ignored{"log_size", Kind::kInteger, Kind::kString},
    Ignored{"logdir", Kind::kString, Kind::kString},
    Ignored{"pi_enabled", Kind::kBoolean, Kind::kBoolean},
};

Result<void> refuse(const Member& member) {
  // Else "memrun1" would be an event of the kind "mem".
  constexpr std::string_view kMemrun = "memrun";
  const std::string_view key =
      member.key.starts_with(kMemrun) ? kMemrun : std::string_view(member.key);
  const auto* refused = std::ranges::find(kRefused, key, &Refusal::key);
  if (refused == kRefused.end()) return {};
  return wrong_key(member, "is not supported: {}", refused->why);
}

// Priorities are nice values, since only the policies of that kind are known.
Result<bool> is_idle_policy(const Member& member) {
  const std::string policy = CPPLAND_TRY(text_of(member));
  if (policy == "SCHED_OTHER" || policy == "SCHED_BATCH") return false;
  if (policy == "SCHED_IDLE") return true;
  for (const std::string_view other : {"SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE"}) {
    if (policy == other)
      return wrong_key(member, "{} is not supported: sched_ext does not schedule such tasks",
                       policy);
  }
  return wrong_key(member, "\"{}\" is no policy of rt-app", policy);
}

class Reader {
 public:
  Result<Plan> read(const Value& root) {
    if (root.kind != Kind::kObject)
      return error(EINVAL, "line {}: the file is {}, not an object", root.line, name_of(root.kind));
    CPPLAND_TRY(want_no_doubles(root));
    const Member* tasks = nullptr;
    for (const Member& member : root.members) {  // what is global may come last, and comes first
      if (member.key == "tasks") {
        tasks = &member;
      } else if (member.key == "global") {
        CPPLAND_TRY(read_global(member));
      } else if (member.key == "resources") {
        CPPLAND_TRY(read_resources(member));
      } else {
        return wrong_key(member, R"(is unknown; there are "tasks", "resources" and "global")");
      }
    }
    if (tasks == nullptr) return error(EINVAL, "line {}: the file has no \"tasks\"", root.line);
    CPPLAND_TRY(read_tasks(*tasks));
    return std::move(plan_);
  }

 private:
  Result<void> read_global(const Member& global) {
    CPPLAND_TRY(want_kind(global, Kind::kObject));
    CPPLAND_TRY(want_no_doubles(global.value));
    std::string device = "/dev/null";
    std::int64_t buffer = std::int64_t{4} << 20;
    for (const Member& member : global.value.members) {
      if (member.key == "duration") {
        const std::int64_t seconds = CPPLAND_TRY(integer_of(member, -1, kIntMost));
        plan_.duration = static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)) *
                         static_cast<std::uint64_t>(kNsPerSecond);
      } else if (member.key == "default_policy") {
        idle_by_default_ = CPPLAND_TRY(is_idle_policy(member));
      } else if (member.key == "io_device") {
        device = CPPLAND_TRY(text_of(member));
      } else if (member.key == "mem_buffer_size") {
        buffer = CPPLAND_TRY(integer_of(member, 1, kIntMost));
      } else {
        CPPLAND_TRY(ignore(member));
      }
    }
    events_.set_io(std::move(device), static_cast<std::uint64_t>(buffer));
    return {};
  }

  static Result<void> ignore(const Member& member) {
    const auto* ignored = std::ranges::find(kIgnored, member.key, &Ignored::key);
    if (ignored == kIgnored.end()) return wrong_key(member, "\"global\" has no such key");
    if (member.value.kind != ignored->or_kind) CPPLAND_TRY(want_kind(member, ignored->kind));
    return {};
  }

  // The grammar of old: rt-app 1.0 makes what events name, so what is declared here is only looked
  // at.
  static Result<void> read_resources(const Member& resources) {
    CPPLAND_TRY(want_kind(resources, Kind::kObject));
    constexpr auto kTypes = std::to_array<std::string_view>(
        {"mutex", "signal", "wait", "broadcast", "sync", "sleep", "run", "timer"});
    for (const Member& resource : resources.value.members) {
      CPPLAND_TRY(want_kind(resource, Kind::kObject));
      for (const Member& member : resource.value.members) {
        if (member.key == "target")
          return wrong_key(member,
                           "is not supported: the grammar of rt-app before 1.0; say \"signal\" "
                           "or \"broad\" in the task");
        if (member.key != "type") return wrong_key(member, "a resource has no such key");
        const std::string type = CPPLAND_TRY(text_of(member));
        if (std::ranges::find(kTypes, type) == kTypes.end())
          return wrong_key(member, "\"{}\" is no type of a resource", type);
      }
    }
    return {};
  }

  // As workgen has it, a name that comes again is another task.
  Result<void> read_tasks(const Member& tasks) {
    CPPLAND_TRY(want_kind(tasks, Kind::kObject));
    if (tasks.value.members.empty()) return wrong_key(tasks, "has no task in it");
    for (const Member& task : tasks.value.members) {
      CPPLAND_TRY(want_kind(task, Kind::kObject));
      if (task.key.empty()) return wrong_key(task, "a task needs a name");
      plan_.tasks.push_back({.name = task.key, .line = task.line});
    }
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i)
      CPPLAND_TRY(read_task(tasks.value.members[i], plan_.tasks[i]));
    return {};
  }

  Result<void> read_task(const Member& member, TaskPlan& task) {
    const Member* phases = nullptr;
    for (const Member& key : member.value.members) {
      if (key.key == "phases") phases = &key;
      if (key.key == "instance")
        task.instances =
            static_cast<std::uint64_t>(CPPLAND_TRY(integer_of(key, 0, kMostInstances)));
      if (key.key == "delay") task.delay = CPPLAND_TRY(microseconds_of(key));
    }
    events_.begin_task(task.name, task.instances);
    Phase own;  // what stands in the task itself
    CPPLAND_TRY(read_phase(member, phases != nullptr, own, task));
    task.nice = own.nice.value_or(0);
    task.idle = own.idle.value_or(idle_by_default_);
    task.cpus = own.cpus;
    if (phases != nullptr) {
      task.loops = loop_given_ ? own.loops : kForEver;
      CPPLAND_TRY(read_phases(*phases, task));
      return {};
    }
    // Without "phases", the task's loop is its only phase's; for ever if not given.
    task.loops = loop_given_ ? own.loops : kForEver;
    own.loops = 1;
    own.nice.reset();
    own.idle.reset();
    task.phases.push_back(std::move(own));
    return {};
  }

  Result<void> read_phases(const Member& phases, TaskPlan& task) {
    CPPLAND_TRY(want_kind(phases, Kind::kObject));
    if (phases.value.members.empty()) return wrong_key(phases, "has no phase in it");
    for (const Member& member : phases.value.members) {
      CPPLAND_TRY(want_kind(member, Kind::kObject));
      Phase phase;
      in_phase_ = true;
      CPPLAND_TRY(read_phase(member, false, phase, task));
      in_phase_ = false;
      task.phases.push_back(std::move(phase));
    }
    return {};
  }

  // The members of a task or of a phase. @no_events: a task that has phases.
  Result<void> read_phase(const Member& object, bool no_events, Phase& phase, TaskPlan& task) {
    CPPLAND_TRY(want_single_properties(object.value));
    loop_given_ = false;
    for (const Member& member : object.value.members) {
      CPPLAND_TRY(refuse(member));
      if (member.key == "loop") {
        phase.loops = CPPLAND_TRY(loops_of(member));
        loop_given_ = true;
      } else if (member.key == "policy") {
        phase.idle = CPPLAND_TRY(is_idle_policy(member));
      } else if (member.key == "priority") {
        phase.nice = static_cast<int>(CPPLAND_TRY(integer_of(member, -20, 19)));
      } else if (member.key == "cpus") {
        phase.cpus = CPPLAND_TRY(cpus_of(member));
      } else if (is_event(member.key)) {
        if (no_events)
          return wrong_key(member, "stands beside \"phases\", where rt-app does not look for it");
        CPPLAND_TRY(events_.read(member, phase.ops, task.own_timers));
      } else if (in_phase_ || !is_task_key(member.key)) {
        return wrong_key(member, "is neither a property nor an event that rt-app knows");
      }
    }
    if (phase.idle) phase.nice = phase.nice.value_or(0);
    if (!no_events && phase.ops.empty()) return wrong_key(object, "has no events");
    return {};
  }

  static bool is_task_key(std::string_view key) {
    return key == "instance" || key == "delay" || key == "phases";
  }

  // Events may come several times; what else there is, must not.
  static Result<void> want_single_properties(const Value& object) {
    Value properties;
    for (const Member& member : object.members) {
      if (!is_event(member.key)) properties.members.push_back({member.key, member.line, {}});
    }
    return want_no_doubles(properties);
  }

  Plan plan_;
  EventReader events_{plan_};
  bool idle_by_default_ = false;
  bool loop_given_ = false;  // in the object that was read last
  bool in_phase_ = false;
};

}  // namespace

Result<Plan> parse_plan(std::string_view text) {
  const Value root = CPPLAND_TRY(parse_json(text));
  return Reader().read(root);
}

}  // namespace cppland::sim::rtapp
