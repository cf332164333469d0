// SPDX-License-Identifier: GPL-2.0-only
// report_json.cc - a run's figures as JSON, and back.
#include <nlohmann/json.hpp>

#include "sim/report.h"

namespace cppland::sim {
namespace {

using Json = nlohmann::ordered_json;

Json class_json(const ClassFigures& figures) {
  return {
      {"tasks", figures.tasks},   {"wakeups", figures.wakeups},
      {"p50_us", figures.p50_us}, {"p99_us", figures.p99_us},
      {"max_us", figures.max_us}, {"periods", figures.periods},
      {"missed", figures.missed}, {"cpu_seconds", figures.cpu_seconds},
      {"units", figures.units},
  };
}

ClassFigures class_from(const std::string& name, const Json& json) {
  return {.name = name,
          .tasks = json.at("tasks"),
          .wakeups = json.at("wakeups"),
          .p50_us = json.at("p50_us"),
          .p99_us = json.at("p99_us"),
          .max_us = json.at("max_us"),
          .periods = json.at("periods"),
          .missed = json.at("missed"),
          .cpu_seconds = json.at("cpu_seconds"),
          .units = json.at("units")};
}

}  // namespace

Json to_json(const RunFigures& run) {
  Json classes = Json::object();
  for (const ClassFigures& figures : run.classes) classes[figures.name] = class_json(figures);
  return {
      {"policy", run.policy},
      {"workload", run.workload},
      {"cpus", run.cpus},
      {"seed", run.seed},
      {"seconds", run.seconds},
      {"classes", std::move(classes)},
      {"all", class_json(run.all)},
      {"fairness", {{"jain", run.fairness.jain}, {"weighted", run.fairness.weighted}}},
      {"throughput", run.throughput},
      {"migrations", run.migrations},
      {"agent_share", run.agent_share},
      {"decisions", run.decisions},
      {"kernel_dispatches", run.kernel_dispatches},
      {"events", run.events},
      {"failovers", run.failovers},
      {"exit", {{"kind", run.exit.kind}, {"message", run.exit.message}}},
  };
}

RunFigures run_from_json(const Json& json) {
  RunFigures run{.policy = json.at("policy"),
                 .workload = json.at("workload"),
                 .cpus = json.at("cpus"),
                 .seed = json.at("seed"),
                 .seconds = json.at("seconds"),
                 .all = class_from("all", json.at("all")),
                 .fairness = {.jain = json.at("fairness").at("jain"),
                              .weighted = json.at("fairness").at("weighted")},
                 .throughput = json.at("throughput"),
                 .migrations = json.at("migrations"),
                 .agent_share = json.at("agent_share"),
                 .decisions = json.at("decisions"),
                 .kernel_dispatches = json.at("kernel_dispatches"),
                 .events = json.at("events"),
                 .failovers = json.at("failovers"),
                 .exit = {json.at("exit").at("kind"), json.at("exit").at("message")}};
  for (const auto& [name, figures] : json.at("classes").items())
    run.classes.push_back(class_from(name, figures));
  return run;
}

}  // namespace cppland::sim
