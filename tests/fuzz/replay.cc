// SPDX-License-Identifier: GPL-2.0-only
// replay.cc - main() for a fuzz target in a build without libFuzzer: runs it on saved inputs.
//
// usage: PROGRAM FOLDER. Every file in FOLDER is given to the target; a missing folder holds none.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::size_t replayed = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], ignored)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++replayed;
  }
  std::printf("%zu saved inputs replayed\n", replayed);
  return 0;
}
