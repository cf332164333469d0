// SPDX-License-Identifier: GPL-2.0-only
// mapping.h - an mmap() with one owner.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland {

// A range of mapped memory, unmapped at the end of the object's life.
class Mapping {
 public:
  // Maps nothing.
  Mapping() = default;

  // mmap() with its own PROT_* and MAP_* constants; the kernel chooses the address. `fd` may be
  // closed afterwards; it is -1 for anonymous memory.
  [[nodiscard]] static Result<Mapping> map(int fd, std::size_t size, int protection, int flags,
                                           std::size_t offset = 0);

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return range_.get(); }
  [[nodiscard]] std::byte* data() const noexcept { return bytes().data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes().size(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(range_); }

 private:
  struct Range : std::span<std::byte> {
    using std::span<std::byte>::span;
    bool operator==(const Range& other) const noexcept { return data() == other.data(); }
  };
  struct Traits {
    using Handle = Range;
    static Range invalid() noexcept { return {}; }
    static void close(Range range) noexcept;
  };

  explicit Mapping(Range range) noexcept : range_(range) {}

  UniqueHandle<Traits> range_;
};

}  // namespace cppland
