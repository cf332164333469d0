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

}  // namespace cppland::cli
