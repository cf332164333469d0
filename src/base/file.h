// SPDX-License-Identifier: GPL-2.0-only
// file.h - small files as a whole, such as those of sysfs and procfs.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"
#include "base/unique_handle.h"

namespace cppland {

inline constexpr std::size_t kSmallFile = 1U << 20U;

// open(2) with O_CLOEXEC. Repeated when a signal interrupts it, as are the calls below.
[[nodiscard]] Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0);

// All that `path` holds; EFBIG if that is more than `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path,
                                            std::size_t limit = kSmallFile);

// Makes `text` the file's content, creating it (mode 0644) where there is none. A text of up to a
// page reaches the kernel in one write, as sysfs wants it.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view text);

// The one number in a file.
template <std::integral T>
[[nodiscard]] Result<T> read_int(const std::string& path) {
  return context(parse_int<T>(CPPLAND_TRY(read_file(path))), "{}", path);
}

}  // namespace cppland
