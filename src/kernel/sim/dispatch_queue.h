// SPDX-License-Identifier: GPL-2.0-only
// dispatch_queue.h - a DSQ: tasks in the order of arrival, or of their vtime.
#pragma once

#include <boost/intrusive/set.hpp>
#include <cstddef>
#include <cstdint>

namespace cppland::sim {

class DispatchQueue;

// The place of a task in a queue.
struct QueuePlace {
  boost::intrusive::set_member_hook<> hook;
  DispatchQueue* queue = nullptr;
  std::uint64_t vtime = 0;    // 0 in order of arrival
  std::int64_t rank = 0;      // among equals: counts up at the end, and down at the head
  std::uint64_t arrival = 0;  // iterators pass over whoever has come after them

  friend bool operator<(const QueuePlace& a, const QueuePlace& b) noexcept {
    // kernel/sched/ext.c, scx_dsq_priq_less(): vtime wraps around.
    if (a.vtime != b.vtime) return static_cast<std::int64_t>(a.vtime - b.vtime) < 0;
    return a.rank < b.rank;
  }
};

// Does not own the tasks.
class DispatchQueue {
 public:
  explicit DispatchQueue(std::uint64_t id) : id_(id) {}
  DispatchQueue(const DispatchQueue&) = delete;
  DispatchQueue& operator=(const DispatchQueue&) = delete;
  ~DispatchQueue() { places_.clear(); }

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
  [[nodiscard]] bool by_vtime() const noexcept { return by_vtime_; }
  [[nodiscard]] std::uint64_t arrivals() const noexcept { return arrivals_; }

  void push_back(QueuePlace& place) noexcept { link(place, 0, ++rank_, false); }
  void push_front(QueuePlace& place) noexcept { link(place, 0, --head_, false); }
  void insert(QueuePlace& place, std::uint64_t vtime) noexcept {
    link(place, vtime, ++rank_, true);
  }
  void remove(QueuePlace& place) noexcept {
    places_.erase(places_.iterator_to(place));
    place.queue = nullptr;
  }

  // In the queue's order, or against it; null at the end.
  [[nodiscard]] QueuePlace* first(bool reverse = false) noexcept {
    if (places_.empty()) return nullptr;
    return reverse ? &*places_.rbegin() : &*places_.begin();
  }
  [[nodiscard]] QueuePlace* after(QueuePlace& place, bool reverse = false) noexcept {
    auto it = places_.iterator_to(place);
    if (reverse) return it == places_.begin() ? nullptr : &*--it;
    return ++it == places_.end() ? nullptr : &*it;
  }
  // The same from a mark in the queue that is no task's place any more.
  [[nodiscard]] QueuePlace* beyond(const QueuePlace& mark, bool reverse = false) noexcept {
    if (!reverse) {
      const auto it = places_.upper_bound(mark);
      return it == places_.end() ? nullptr : &*it;
    }
    auto it = places_.lower_bound(mark);
    return it == places_.begin() ? nullptr : &*--it;
  }

 private:
  void link(QueuePlace& place, std::uint64_t vtime, std::int64_t rank, bool by_vtime) noexcept {
    place.queue = this;
    place.vtime = vtime;
    place.rank = rank;
    place.arrival = ++arrivals_;
    by_vtime_ = by_vtime;
    places_.insert(place);
  }

  using Hook = boost::intrusive::member_hook<QueuePlace, boost::intrusive::set_member_hook<>,
                                             &QueuePlace::hook>;

  std::uint64_t id_;
  std::uint64_t arrivals_ = 0;
  std::int64_t rank_ = 0;
  std::int64_t head_ = 0;
  bool by_vtime_ = false;
  boost::intrusive::multiset<QueuePlace, Hook> places_;
};

}  // namespace cppland::sim
