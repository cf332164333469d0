// SPDX-License-Identifier: GPL-2.0-only
// result.h - errors as values: Result<T>, Error, error(), context() and CPPLAND_TRY.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cppland {

// What went wrong: an errno code, what was being tried, and where in our code. Contexts that
// callers add come first, so that the message reads from the outside in: "reading the topology:
// open /sys/…: No such file or directory".
class Error {
 public:
  // A negative code, as the kernel and libbpf return, counts as its positive twin.
  Error(int code, std::string tried, std::source_location where = std::source_location::current());

  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] const std::string& tried() const noexcept { return tried_; }
  [[nodiscard]] const std::source_location& where() const noexcept { return where_; }

  // What was tried, and the system's words for the code.
  [[nodiscard]] std::string message() const;

  void add_context(std::string_view context);

 private:
  int code_;
  std::string tried_;
  std::source_location where_;
};

// Functions that return it are [[nodiscard]]; clang-tidy's bugprone-unused-return-value sees to
// those that forget to say so.
template <typename T>
using Result = std::expected<T, Error>;

// A format string that remembers where it was written.
template <typename... Args>
struct FormatHere {
  template <typename Text>
    requires std::convertible_to<const Text&, std::string_view>
  // NOLINTNEXTLINE(google-explicit-constructor): stands in for the plain literal
  consteval FormatHere(const Text& text,
                       std::source_location place = std::source_location::current())
      : format(text), where(place) {}

  fmt::format_string<Args...> format;
  std::source_location where;
};

// The failed Result of any type: `return error(errno, "open {}", path);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> error(int code,
                                           FormatHere<std::type_identity_t<Args>...> tried,
                                           Args&&... args) {
  return std::unexpected<Error>(
      std::in_place, code, fmt::format(tried.format, std::forward<Args>(args)...), tried.where);
}

// The same result; a failed one says first what its caller was about. Formats only on failure.
template <typename T, typename... Args>
[[nodiscard]] Result<T> context(Result<T> result, fmt::format_string<Args...> about,
                                Args&&... args) {
  if (!result) {
    result.error().add_context(fmt::format(about, std::forward<Args>(args)...));
  }
  return result;
}

// Part of CPPLAND_TRY: keeps GCC 12 from evaluating it while compiling. Where it can (a lambda that
// returns a unique_ptr is enough), it gets the lifetimes within the statement expression wrong.
inline void run_time_only() noexcept {}

}  // namespace cppland

template <>
struct fmt::formatter<cppland::Error> : fmt::formatter<std::string> {
  template <typename Context>
  auto format(const cppland::Error& error, Context& out) const {
    return fmt::formatter<std::string>::format(error.message(), out);
  }
};

// The value of a Result, or a return of its error from the function around:
//   auto text = CPPLAND_TRY(read_file(path));
//   CPPLAND_TRY(write_file(path, text));
// To drop a value takes a `std::ignore = CPPLAND_TRY(...)`. A GNU statement expression, since the
// std::expected of GCC 12 lacks and_then() and its siblings.
#define CPPLAND_TRY(...) CPPLAND_TRY_NAMED(CPPLAND_CONCAT(cppland_try_, __COUNTER__), __VA_ARGS__)
#define CPPLAND_TRY_NAMED(name, ...)                                      \
  __extension__({                                                         \
    ::cppland::run_time_only();                                           \
    auto&& name = (__VA_ARGS__);                                          \
    if (!name) {                                                          \
      return std::unexpected(std::forward<decltype(name)>(name).error()); \
    }                                                                     \
    *std::forward<decltype(name)>(name);                                  \
  })
#define CPPLAND_CONCAT(a, b) CPPLAND_CONCAT_EXPANDED(a, b)
#define CPPLAND_CONCAT_EXPANDED(a, b) a##b
