// SPDX-License-Identifier: GPL-2.0-only
// mapping.cc - mmap() and munmap().

#include "base/mapping.h"

#include <sys/mman.h>
#include <sys/types.h>

#include <cerrno>

namespace cppland {

Result<Mapping> Mapping::map(int fd, std::size_t size, int protection, int flags,
                             std::size_t offset) {
  void* address = ::mmap(nullptr, size, protection, flags, fd, static_cast<off_t>(offset));
  if (address == MAP_FAILED) {
    return error(errno, "map {} bytes", size);
  }
  return Mapping(Range(static_cast<std::byte*>(address), size));
}

void Mapping::Traits::close(Range range) noexcept { ::munmap(range.data(), range.size()); }

}  // namespace cppland
