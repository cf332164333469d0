// SPDX-License-Identifier: GPL-2.0-only
// shrink.cc - a smaller plan that fails, too.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "sim/chaos/world.h"

namespace cppland::sim {
namespace {

using Fails = std::function<bool(const ChaosPlan&)>;

// Leaves out pieces of a list, large ones first, as long as the plan still fails.
template <typename T>
bool shrink_list(ChaosPlan& plan, std::vector<T> ChaosPlan::* list, const Fails& fails) {
  bool smaller = false;
  for (std::size_t piece = (plan.*list).size(); piece > 0; piece /= 2) {
    for (std::size_t at = 0; at + piece <= (plan.*list).size();) {
      ChaosPlan less = plan;
      const auto begin = (less.*list).begin() + static_cast<std::ptrdiff_t>(at);
      (less.*list).erase(begin, begin + static_cast<std::ptrdiff_t>(piece));
      if (fails(less)) {
        plan = std::move(less);
        smaller = true;
      } else {
        at += piece;
      }
    }
  }
  return smaller;
}

template <typename Change>
bool shrink_by(ChaosPlan& plan, const Change& change, const Fails& fails) {
  ChaosPlan less = plan;
  change(less);
  if (to_json(less) == to_json(plan) || !fails(less)) return false;
  plan = std::move(less);
  return true;
}

}  // namespace

ChaosPlan shrink(ChaosPlan plan, const Fails& fails) {
  bool smaller = true;
  while (smaller) {
    smaller = shrink_list(plan, &ChaosPlan::steps, fails);
    smaller |= shrink_list(plan, &ChaosPlan::tasks, fails);
    smaller |= shrink_by(plan, [](ChaosPlan& p) { p.duration_us -= p.duration_us / 4; }, fails);
    smaller |= shrink_by(plan, [](ChaosPlan& p) { p.shape = ChaosShape::kFlat; }, fails);
    smaller |= shrink_by(
        plan,
        [](ChaosPlan& p) {
          for (ChaosTask& task : p.tasks) task.nice = 0;
        },
        fails);
    smaller |= shrink_by(plan, [](ChaosPlan& p) { p.interleave_percent /= 2; }, fails);
    smaller |= shrink_by(plan, [](ChaosPlan& p) { p.named_percent /= 2; }, fails);
    smaller |= shrink_by(
        plan, [](ChaosPlan& p) { p.percpu_local = p.numa_local = p.strict = false; }, fails);
  }
  return plan;
}

}  // namespace cppland::sim
