// SPDX-License-Identifier: GPL-2.0-only
// file.cc - open, read and write until done.

#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cppland {
namespace {

template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

}  // namespace

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd) {
    return error(errno, "open {}", path);
  }
  return fd;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd = CPPLAND_TRY(open_file(path, O_RDONLY));
  // The sizes that sysfs and procfs state are not those of their contents: read until the end, with
  // one byte more than the limit to see that it is exceeded.
  constexpr std::size_t kChunk = 4096;
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used > limit) {
      return error(EFBIG, "read {}: more than {} bytes", path, limit);
    }
    text.resize(used + std::min(kChunk, limit - used + 1));
    const ssize_t got =
        uninterrupted([&] { return ::read(fd.get(), text.data() + used, text.size() - used); });
    if (got < 0) {
      return error(errno, "read {}", path);
    }
    if (got == 0) {
      text.resize(used);
      return text;
    }
    used += static_cast<std::size_t>(got);
  }
}

Result<void> write_file(const std::string& path, std::string_view text) {
  constexpr mode_t kMode = 0644;
  const UniqueFd fd = CPPLAND_TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, kMode));
  while (!text.empty()) {
    const ssize_t put = uninterrupted([&] { return ::write(fd.get(), text.data(), text.size()); });
    if (put < 0) {
      return error(errno, "write {}", path);
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace cppland
