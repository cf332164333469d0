// SPDX-License-Identifier: GPL-2.0-only
// validators.h - what flags' values are held to.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "base/text.h"

namespace cppland::cli {

// A decimal number within bounds. (CLI11 alone would take 010 for 8.)
inline CLI::Validator number(std::uint64_t least, std::uint64_t most) {
  return {[=](std::string& text) -> std::string {
            const auto value = parse_int<std::uint64_t>(text);
            if (!value || *value < least || *value > most)
              return fmt::format("\"{}\" is no number from {} to {}", text, least, most);
            text = std::to_string(*value);
            return {};
          },
          fmt::format("{} to {}", least, most)};
}

// What is wrong. CLI11's own words for how often a flag has a value say nothing to who has not read
// its manual.
inline std::string in_words(const CLI::ParseError& wrong) {
  std::string text = wrong.what();
  const std::string flag = text.substr(0, text.find(": "));
  if (text.starts_with(flag + ": 1 required ")) return flag + " needs a value";
  if (text.starts_with(flag + ": At Most 1 required ")) return flag + " may be there only once";
  return text;
}

}  // namespace cppland::cli
