// SPDX-License-Identifier: GPL-2.0-only
// cpu_set.h - a set of CPU numbers, and the kernel's notation for one: "0-3,8".
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cppland {

// Fixed in size, without allocation, cheap to copy. CPU numbers are below kCapacity: that is the
// caller's to check, as parse() does.
class CpuSet {
 public:
  static constexpr unsigned kCapacity = 1024;

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = unsigned;
    using difference_type = std::ptrdiff_t;
    using pointer = const unsigned*;
    using reference = unsigned;

    constexpr Iterator() = default;
    constexpr unsigned operator*() const noexcept { return cpu_; }
    constexpr Iterator& operator++() noexcept {
      cpu_ = set_->next(cpu_ + 1);
      return *this;
    }
    constexpr Iterator operator++(int) noexcept {
      const Iterator old = *this;
      ++*this;
      return old;
    }
    constexpr bool operator==(const Iterator& other) const noexcept { return cpu_ == other.cpu_; }

   private:
    friend class CpuSet;
    constexpr Iterator(const CpuSet* set, unsigned cpu) noexcept : set_(set), cpu_(cpu) {}

    const CpuSet* set_ = nullptr;
    unsigned cpu_ = kCapacity;
  };

  constexpr CpuSet() = default;

  // The kernel's list: numbers and ranges, in any order, with white space around it; nothing at all
  // is the empty set. EINVAL for anything else, ERANGE for a CPU that no CpuSet can hold.
  [[nodiscard]] static Result<CpuSet> parse(std::string_view list);

  // The kernel's list, as it prints it: ascending, with ranges for neighbours.
  [[nodiscard]] std::string to_string() const;

  constexpr void set(unsigned cpu) noexcept { words_[cpu / kBits] |= bit(cpu); }
  constexpr void clear(unsigned cpu) noexcept { words_[cpu / kBits] &= ~bit(cpu); }
  [[nodiscard]] constexpr bool test(unsigned cpu) const noexcept {
    return cpu < kCapacity && (words_[cpu / kBits] & bit(cpu)) != 0;
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return next(0) == kCapacity; }
  [[nodiscard]] constexpr unsigned count() const noexcept {
    int count = 0;
    for (const std::uint64_t word : words_) {
      count += std::popcount(word);
    }
    return static_cast<unsigned>(count);
  }

  // The lowest member that is at least `from`; kCapacity if there is none.
  [[nodiscard]] constexpr unsigned next(unsigned from) const noexcept {
    while (from < kCapacity) {
      const std::uint64_t rest = words_[from / kBits] >> (from % kBits);
      if (rest != 0) {
        return from + static_cast<unsigned>(std::countr_zero(rest));
      }
      from = (from / kBits + 1) * kBits;
    }
    return kCapacity;
  }
  [[nodiscard]] constexpr unsigned first() const noexcept { return next(0); }

  // The members, ascending.
  [[nodiscard]] constexpr Iterator begin() const noexcept { return {this, next(0)}; }
  [[nodiscard]] constexpr Iterator end() const noexcept { return {this, kCapacity}; }

  constexpr CpuSet& operator|=(const CpuSet& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] |= other.words_[i];
    }
    return *this;
  }
  constexpr CpuSet& operator&=(const CpuSet& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] &= other.words_[i];
    }
    return *this;
  }
  friend constexpr CpuSet operator|(CpuSet a, const CpuSet& b) noexcept { return a |= b; }
  friend constexpr CpuSet operator&(CpuSet a, const CpuSet& b) noexcept { return a &= b; }
  constexpr bool operator==(const CpuSet&) const = default;

 private:
  static constexpr unsigned kBits = 64;
  static constexpr std::uint64_t bit(unsigned cpu) noexcept {
    return std::uint64_t{1} << (cpu % kBits);
  }

  std::array<std::uint64_t, kCapacity / kBits> words_{};
};

}  // namespace cppland
