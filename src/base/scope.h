// SPDX-License-Identifier: GPL-2.0-only
// scope.h - Finally: something to do when a scope is left, whichever way.
#pragma once

#include <concepts>
#include <utility>

namespace cppland {

// Calls `action` at the end of the scope: `const Finally restore([&] { … });`
// The action must not throw.
template <std::invocable Action>
class [[nodiscard]] Finally {
 public:
  explicit Finally(Action action) : action_(std::move(action)) {}
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;
  Finally(Finally&&) = delete;
  Finally& operator=(Finally&&) = delete;
  ~Finally() {
    if (armed_) {
      action_();
    }
  }

  // Nothing is to be done any more.
  void dismiss() noexcept { armed_ = false; }

 private:
  Action action_;
  bool armed_ = true;
};

}  // namespace cppland
