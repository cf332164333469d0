// SPDX-License-Identifier: GPL-2.0-only
// dispatch_queue_test.cc - the orders of a DSQ. The rules are those of kernel/sched/ext.c.
#include "kernel/sim/dispatch_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace cppland::sim {
namespace {

using Places = std::array<QueuePlace, 5>;

// Whose turn it is, first to last.
std::vector<int> order(DispatchQueue& queue, const Places& places, bool reverse = false) {
  std::vector<int> numbers;
  for (QueuePlace* place = queue.first(reverse); place; place = queue.after(*place, reverse))
    numbers.push_back(static_cast<int>(place - places.data()));
  return numbers;
}

// dispatch_enqueue(): SCX_ENQ_HEAD puts in front.
TEST(SimDispatchQueue, KeepsTheOrderOfArrival) {
  Places places;
  DispatchQueue queue(1);
  queue.push_back(places[0]);
  queue.push_back(places[1]);
  queue.push_front(places[2]);
  queue.push_front(places[3]);
  EXPECT_EQ(order(queue, places), (std::vector{3, 2, 0, 1}));
  EXPECT_EQ(order(queue, places, true), (std::vector{1, 0, 2, 3}));
  EXPECT_FALSE(queue.by_vtime());
}

// scx_dsq_priq_less(): time_before64().
TEST(SimDispatchQueue, OrdersByVtimeThatWrapsAround) {
  Places places;
  DispatchQueue queue(1);
  queue.insert(places[0], 5);
  queue.insert(places[1], UINT64_MAX - 5);
  queue.insert(places[2], 5);
  queue.insert(places[3], 1);
  EXPECT_EQ(order(queue, places), (std::vector{1, 3, 0, 2}));
  EXPECT_TRUE(queue.by_vtime());
}

// task_unlink_from_dsq().
TEST(SimDispatchQueue, LetsGoOfWhoeverIsTakenOut) {
  Places places;
  DispatchQueue queue(1);
  for (QueuePlace& place : places) queue.push_back(place);
  queue.remove(places[0]);
  queue.remove(places[3]);
  EXPECT_EQ(order(queue, places), (std::vector{1, 2, 4}));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(places[3].queue, nullptr);
  EXPECT_EQ(places[4].queue, &queue);
}

// bpf_iter_scx_dsq_next(): an iterator passes over whoever has arrived since it began: they have
// greater numbers, also who comes in a second time.
TEST(SimDispatchQueue, NumbersArrivals) {
  Places places;
  DispatchQueue queue(1);
  queue.insert(places[0], 9);
  queue.insert(places[1], 3);
  const std::uint64_t now = queue.arrivals();
  EXPECT_LE(places[0].arrival, now);
  EXPECT_LE(places[1].arrival, now);
  queue.remove(places[0]);
  queue.insert(places[0], 1);
  EXPECT_GT(places[0].arrival, now);
}

}  // namespace
}  // namespace cppland::sim
