// SPDX-License-Identifier: GPL-2.0-only
// policy_host_fuzz.cc - any bytes as events, to every policy: nothing breaks, and every decision is
// about somebody who waits.

#include <cppland/policy_host.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "policies/deadline.h"
#include "policies/fifo.h"
#include "tests/support/fuzz_bytes.h"

namespace {

using namespace cppland;  // NOLINT(google-build-using-namespace)
using cppland::testing::FuzzBytes;
using cppland::testing::require;

// Few tasks, few generations, so that they meet; or anything at all.
cppland_event next_event(FuzzBytes& bytes) {
  const auto shape = bytes.take<std::uint8_t>();
  if (shape % 8 == 7) {
    return bytes.take<cppland_event>();
  }
  cppland_event event{};
  event.type = shape % 8 < 4   ? unsigned{CPPLAND_EVENT_READY}
               : shape % 8 < 6 ? unsigned{CPPLAND_EVENT_RAN}
                               : unsigned{CPPLAND_EVENT_GONE};
  const auto who = bytes.take<std::uint8_t>();
  event.tid = who % 16;
  event.generation = std::uint64_t{shape} / 128U << 32U | who / 16U;
  event.weight = bytes.take<std::uint16_t>();
  event.used_ns = std::uint64_t{bytes.take<std::uint16_t>()} << (shape / 8U % 16U * 4U);
  event.exec_runtime_ns = event.used_ns;
  return event;
}

template <typename P>
class Run {
 public:
  explicit Run(std::uint32_t capacity)
      : capacity_(capacity), host_({.nr_cpus = 4, .task_capacity = capacity}) {}

  void on(FuzzBytes bytes) {
    while (!bytes.empty()) {
      moment_.now_ns += bytes.take<std::uint32_t>();
      moment_.waiting = bytes.take<std::uint8_t>() == 255 ? 4'194'304 : host_.waiting();
      for (std::size_t n = bytes.take<std::uint8_t>() % 12; n-- > 0;) {
        take(next_event(bytes));
      }
      decide(bytes.take<std::uint8_t>() % 8);
    }
    while (decide(7) > 0) {
    }
    // No policy of ours forgets anybody.
    require(host_.waiting() == 0);
  }

 private:
  void take(const cppland_event& event) {
    if (event.tid > 0 && event.type == CPPLAND_EVENT_READY) {
      asked_[event.tid] = event.generation;
    }
    std::array<cppland_decision, 1> answer{};
    const std::size_t n = host_.take({&event, 1}, moment_, answer);
    require(n <= (event.type == CPPLAND_EVENT_RAN ? 1U : 0U));
    if (n == 1) {
      require(answer[0].op == CPPLAND_DECIDE_CREDIT && answer[0].tid == event.tid &&
              answer[0].generation == event.generation);
    }
    require(host_.waiting() <= capacity_ && host_.tasks().size() <= capacity_);
    require(host_.waiting() <= host_.tasks().size());
  }

  std::size_t decide(std::size_t most) {
    std::array<cppland_decision, 8> room{};
    const std::uint32_t before = host_.waiting();
    const std::size_t n = host_.decide(moment_, std::span(room).first(most));
    require(n <= most && host_.waiting() == before - n);
    for (const cppland_decision& decision : std::span(room).first(n)) {
      const auto asked = asked_.find(decision.tid);
      require(decision.op == CPPLAND_DECIDE_RUN && asked != asked_.end() &&
              asked->second >> 32U == decision.generation >> 32U);
      asked_.erase(asked);  // no second decision for one wait
      require(decision.slice_ns > 0 && decision.domain == 0 &&
              decision.wake_credit_ns <= 20'000'000);
    }
    return n;
  }

  std::uint32_t capacity_;
  PolicyHost<P> host_;
  Moment moment_{.nr_cpus = 4};
  std::map<std::int32_t, std::uint64_t> asked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzBytes bytes(data, size);
  Run<policies::Deadline>(5).on(bytes);
  Run<policies::Fifo>(5).on(bytes);
  Run<policies::Deadline>(64).on(bytes);
  return 0;
}
