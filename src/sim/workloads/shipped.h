// SPDX-License-Identifier: GPL-2.0-only
// shipped.h - the rt-app files that are part of the library.
#pragma once

#include <span>
#include <string_view>

namespace cppland::sim {

struct ShippedFile {
  std::string_view name;
  std::string_view summary;
  std::string_view text;
};

[[nodiscard]] std::span<const ShippedFile> shipped_files();

}  // namespace cppland::sim
