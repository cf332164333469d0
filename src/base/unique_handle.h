// SPDX-License-Identifier: GPL-2.0-only
// unique_handle.h - one owner for what the kernel or a C library hands out: UniqueHandle, UniqueFd.
#pragma once

#include <unistd.h>

#include <concepts>
#include <utility>

namespace cppland {

template <typename Traits>
concept HandleTraits = requires(typename Traits::Handle handle) {
  { Traits::invalid() } noexcept -> std::same_as<typename Traits::Handle>;
  { Traits::close(handle) } noexcept;
  { handle == handle } -> std::convertible_to<bool>;
} && std::copyable<typename Traits::Handle>;

// Owns one handle and closes it once. A moved-from object holds invalid(); moving an object to
// itself changes nothing.
template <HandleTraits Traits>
class UniqueHandle {
 public:
  using Handle = typename Traits::Handle;

  UniqueHandle() noexcept : handle_(Traits::invalid()) {}
  explicit UniqueHandle(Handle handle) noexcept : handle_(handle) {}
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueHandle() { reset(); }

  // The number or pointer itself, for the line that makes the call.
  [[nodiscard]] Handle get() const noexcept { return handle_; }
  [[nodiscard]] explicit operator bool() const noexcept { return !(handle_ == Traits::invalid()); }

  // Gives up ownership.
  [[nodiscard]] Handle release() noexcept { return std::exchange(handle_, Traits::invalid()); }

  // Closes what is held, if anything, and holds `handle` from now on.
  void reset(Handle handle = Traits::invalid()) noexcept {
    const Handle old = std::exchange(handle_, handle);
    if (!(old == Traits::invalid())) {
      Traits::close(old);
    }
  }

 private:
  Handle handle_;
};

struct FdTraits {
  using Handle = int;
  static int invalid() noexcept { return -1; }
  // close() is not repeated after EINTR: Linux has released the number by then.
  static void close(int fd) noexcept { ::close(fd); }
};

using UniqueFd = UniqueHandle<FdTraits>;

}  // namespace cppland
