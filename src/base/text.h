// SPDX-License-Identifier: GPL-2.0-only
// text.h - numbers and lines out of small texts.
#pragma once

#include <cerrno>
#include <charconv>
#include <concepts>
#include <string_view>
#include <system_error>

#include "base/result.h"

namespace cppland {

// `text` without the white space around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The whole of `text`, but for white space around it, as one decimal number. EINVAL if it is none,
// ERANGE if it does not fit into T.
template <std::integral T>
  requires(!std::same_as<T, bool>)
[[nodiscard]] Result<T> parse_int(std::string_view text) {
  const std::string_view digits = trim(text);
  T value{};
  const auto [end, status] = std::from_chars(digits.begin(), digits.end(), value);
  if (status == std::errc::result_out_of_range) {
    return error(ERANGE, "parse \"{}\" as a number", digits);
  }
  if (status != std::errc{} || end != digits.end()) {
    return error(EINVAL, "parse \"{}\" as a number", digits);
  }
  return value;
}

}  // namespace cppland
