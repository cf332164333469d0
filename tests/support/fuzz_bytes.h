// SPDX-License-Identifier: GPL-2.0-only
// fuzz_bytes.h - a fuzzer's input, taken value by value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <type_traits>

namespace cppland::testing {

// Reads from front to end; behind the end there are zeros.
class FuzzBytes {
 public:
  FuzzBytes(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T take() {
    T value{};
    const std::size_t n = std::min(sizeof(T), rest_.size());
    if (n > 0) {
      std::memcpy(&value, rest_.data(), n);
    }
    rest_ = rest_.subspan(n);
    return value;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

// What must hold in a fuzz target, in every build.
inline void require(bool kept) {
  if (!kept) {
    std::abort();
  }
}

}  // namespace cppland::testing
