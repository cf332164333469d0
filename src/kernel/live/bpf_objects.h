// SPDX-License-Identifier: GPL-2.0-only
// bpf_objects.h - BPF objects that are in the kernel, whoever has made them. Takes CAP_SYS_ADMIN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/mapping.h"
#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland::live {

struct BpfMap {
  UniqueFd fd;
  std::uint32_t id = 0;
  std::uint32_t value_size = 0;
  std::string name;  // at most 15 characters of it
};

struct BpfLink {
  UniqueFd fd;
  std::uint32_t id = 0;
  std::uint32_t map_id = 0;  // of the struct_ops that it keeps in the kernel
};

// None of these counts what ends meanwhile.
[[nodiscard]] std::optional<BpfMap> open_map(std::uint32_t id);
[[nodiscard]] std::vector<BpfMap> maps_named(const std::string& name);
[[nodiscard]] std::vector<BpfLink> struct_ops_links();
// A program that processes call, and that uses that map; an invalid one if there is none.
[[nodiscard]] UniqueFd find_syscall_program(const std::string& name, std::uint32_t map_id);

// All of a map that consists of one value in memory.
[[nodiscard]] Result<Mapping> map_memory(const BpfMap& map, int protection);

}  // namespace cppland::live
