// SPDX-License-Identifier: GPL-2.0-only
// rtapp.cc - see rtapp.h.
#include "sim/workloads/rtapp.h"

#include <algorithm>
#include <utility>

#include "sim/workloads/rtapp_plan.h"
#include "sim/workloads/rtapp_world.h"

namespace cppland::sim::rtapp {
namespace {

class App final : public Workload {
 public:
  explicit App(Plan plan) : world_(std::move(plan)) {}

  void begin(Stage& stage) override { world_.start_all(stage); }

  [[nodiscard]] Result<void> check(const Topology& topology) const override {
    for (const TaskPlan& task : world_.plan().tasks) {
      CPPLAND_TRY(check_cpus(task, task.cpus, topology));
      for (const Phase& phase : task.phases) CPPLAND_TRY(check_cpus(task, phase.cpus, topology));
    }
    return {};
  }

  [[nodiscard]] std::uint64_t duration() const override { return world_.plan().duration; }
  [[nodiscard]] std::vector<std::string> notes() const override { return world_.plan().notes; }

 private:
  static Result<void> check_cpus(const TaskPlan& task, const CpuSet& cpus,
                                 const Topology& topology) {
    for (const unsigned id : cpus) {
      const Cpu* cpu = topology.find(id);
      if (cpu == nullptr || !cpu->online)
        return error(EINVAL, R"(line {}: task "{}": "cpus" names CPU {}, which the machine lacks)",
                     task.line, task.name, id);
    }
    return {};
  }

  World world_;
};

}  // namespace

Result<std::unique_ptr<Workload>> load(std::string_view text) {
  return std::make_unique<App>(CPPLAND_TRY(parse_plan(text)));
}

}  // namespace cppland::sim::rtapp
