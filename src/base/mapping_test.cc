// SPDX-License-Identifier: GPL-2.0-only
// mapping_test.cc - mapped memory is usable, shared, and unmapped at the end.

#include "base/mapping.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace cppland {
namespace {

constexpr std::size_t kSize = 8192;

// Whether an address is mapped in this process: mincore() fails with ENOMEM otherwise.
bool is_mapped(std::byte* address) {
  std::array<unsigned char, kSize / 4096> resident{};
  return ::mincore(address, kSize, resident.data()) == 0;
}

Result<Mapping> anonymous() {
  return Mapping::map(-1, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

TEST(Mapping, HoldsNothingByDefault) {
  const Mapping mapping;
  EXPECT_FALSE(mapping);
  EXPECT_TRUE(mapping.bytes().empty());
}

TEST(Mapping, IsUnmappedAtTheEnd) {
  std::byte* address = nullptr;
  {
    const Result<Mapping> mapping = anonymous();
    ASSERT_TRUE(mapping);
    ASSERT_EQ(mapping->size(), kSize);
    address = mapping->data();
    address[kSize - 1] = std::byte{7};
    EXPECT_TRUE(is_mapped(address));
  }
  EXPECT_FALSE(is_mapped(address));
}

TEST(Mapping, MovesWithoutRemapping) {
  Result<Mapping> first = anonymous();
  Result<Mapping> second = anonymous();
  ASSERT_TRUE(first && second);
  std::byte* kept = first->data();
  std::byte* dropped = second->data();

  *second = std::move(*first);

  EXPECT_EQ(second->data(), kept);
  EXPECT_TRUE(is_mapped(kept));
  EXPECT_FALSE(is_mapped(dropped));
}

TEST(Mapping, SharesAFile) {
  const UniqueFd file(::memfd_create("mapping_test", MFD_CLOEXEC));
  ASSERT_TRUE(file);
  ASSERT_EQ(::ftruncate(file.get(), kSize), 0);
  const auto writer = Mapping::map(file.get(), kSize, PROT_READ | PROT_WRITE, MAP_SHARED);
  const auto reader = Mapping::map(file.get(), kSize / 2, PROT_READ, MAP_SHARED, kSize / 2);
  ASSERT_TRUE(writer && reader);

  writer->bytes()[kSize / 2] = std::byte{42};

  EXPECT_EQ(reader->bytes()[0], std::byte{42});
}

TEST(Mapping, SaysWhyItFails) {
  const auto mapping = Mapping::map(-1, kSize, PROT_READ, MAP_SHARED);
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().code(), EBADF);
  EXPECT_EQ(mapping.error().tried(), "map 8192 bytes");
}

}  // namespace
}  // namespace cppland
