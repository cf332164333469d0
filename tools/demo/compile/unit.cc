// SPDX-License-Identifier: GPL-2.0-only
// unit.cc - something for a compiler to do: a d-ary heap and a round of scheduling.
// Compiled with UNIT=1, 2, ...; nothing runs it. No headers, so that a unit takes a fraction of a
// second.

#ifndef UNIT
#define UNIT 1
#endif

namespace unit {

using Size = decltype(sizeof 0);

template <typename Key, Size Arity, Size Capacity>
class Heap {
 public:
  bool push(Key key) {
    if (size_ == Capacity) {
      return false;
    }
    Size at = size_++;
    for (; at > 0 && key < keys_[parent(at)]; at = parent(at)) {
      keys_[at] = keys_[parent(at)];
    }
    keys_[at] = key;
    return true;
  }

  Key pop() {
    const Key top = keys_[0];
    const Key last = keys_[--size_];
    Size at = 0;
    for (Size child = 1; child < size_; child = at * Arity + 1) {
      Size least = child;
      for (Size other = child + 1; other < child + Arity && other < size_; ++other) {
        least = keys_[other] < keys_[least] ? other : least;
      }
      if (!(keys_[least] < last)) {
        break;
      }
      keys_[at] = keys_[least];
      at = least;
    }
    keys_[at] = last;
    return top;
  }

  bool empty() const { return size_ == 0; }

 private:
  static constexpr Size parent(Size at) { return (at - 1) / Arity; }

  Key keys_[Capacity] = {};
  Size size_ = 0;
};

template <typename Number>
struct Task {
  Number deadline;
  unsigned weight;
  bool operator<(const Task& other) const {
    return deadline < other.deadline || (deadline == other.deadline && weight > other.weight);
  }
};

template <typename Number, Size Arity>
Number schedule(unsigned rounds) {
  Heap<Task<Number>, Arity, 64> ready;
  for (unsigned i = 0; i < 60; ++i) {
    ready.push({static_cast<Number>(i * UNIT), i % 7 + 1});
  }
  Number now = 0;
  for (unsigned round = 0; round < rounds && !ready.empty(); ++round) {
    Task<Number> next = ready.pop();
    now += static_cast<Number>(1000 / next.weight);
    next.deadline = now + static_cast<Number>(next.weight * UNIT);
    if (round % 5 != 0) {
      ready.push(next);
    }
  }
  return now;
}

unsigned everything(unsigned rounds) { return schedule<unsigned, 2>(rounds); }

}  // namespace unit
