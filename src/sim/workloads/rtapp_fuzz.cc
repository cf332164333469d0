// SPDX-License-Identifier: GPL-2.0-only
// rtapp_fuzz.cc - any bytes as an rt-app file: refused with a line, or a plan whose numbers fit.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/workloads/rtapp_plan.h"
#include "tests/support/fuzz_bytes.h"

namespace {

using namespace cppland::sim::rtapp;  // NOLINT(google-build-using-namespace): this is their test
using cppland::testing::require;

std::size_t bound_of(const Op& op, const Plan& plan, const TaskPlan& task) {
  switch (op.kind) {
    case Op::Kind::kTimer:
      return plan.timers.size();
    case Op::Kind::kOwnTimer:
      return task.own_timers.size();
    case Op::Kind::kLock:
    case Op::Kind::kUnlock:
      return plan.mutexes;
    case Op::Kind::kWait:
    case Op::Kind::kSignal:
    case Op::Kind::kBroadcast:
      return plan.conditions;
    case Op::Kind::kBarrier:
      return plan.barriers.size();
    case Op::Kind::kPost:
    case Op::Kind::kTake:
      return plan.semaphores;
    case Op::Kind::kFork:
      return plan.tasks.size();
    default:
      return 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto plan = parse_plan({reinterpret_cast<const char*>(data), size});
  if (!plan) {
    require(plan.error().message().starts_with("line "));
    return 0;
  }
  require(!plan->tasks.empty());
  for (const TaskPlan& task : plan->tasks) {
    require(!task.phases.empty() && task.loops > 0);
    for (const Phase& phase : task.phases) {
      require(!phase.ops.empty() && phase.loops > 0);
      for (const Op& op : phase.ops) {
        require(op.which < bound_of(op, *plan, task));
        require(op.kind != Op::Kind::kWait || op.mutex < plan->mutexes);
      }
    }
  }
  return 0;
}
