// SPDX-License-Identifier: GPL-2.0-only
// bpf_objects.cc - BPF objects that are in the kernel, whoever has made them.
#include "kernel/live/bpf_objects.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cppland::live {
namespace {

template <typename Info>
bool read_info(int fd, Info& info) {
  __u32 size = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
}

std::vector<std::uint32_t> all_ids(int (*next)(__u32 after, __u32* id)) {
  std::vector<std::uint32_t> ids;
  for (__u32 id = 0; next(id, &id) == 0;) ids.push_back(id);
  return ids;
}

}  // namespace

std::optional<BpfMap> open_map(std::uint32_t id) {
  UniqueFd fd(bpf_map_get_fd_by_id(id));
  bpf_map_info info{};
  if (!fd || !read_info(fd.get(), info)) return std::nullopt;
  return BpfMap{.fd = std::move(fd), .id = id, .value_size = info.value_size, .name = info.name};
}

std::vector<BpfMap> maps_named(const std::string& name) {
  std::vector<BpfMap> found;
  for (const std::uint32_t id : all_ids(bpf_map_get_next_id)) {
    auto map = open_map(id);
    if (map && map->name == name) found.push_back(*std::move(map));
  }
  return found;
}

std::vector<BpfLink> struct_ops_links() {
  std::vector<BpfLink> found;
  for (const std::uint32_t id : all_ids(bpf_link_get_next_id)) {
    UniqueFd fd(bpf_link_get_fd_by_id(id));
    bpf_link_info info{};
    if (!fd || !read_info(fd.get(), info) || info.type != BPF_LINK_TYPE_STRUCT_OPS) continue;
    found.push_back({.fd = std::move(fd), .id = id, .map_id = info.struct_ops.map_id});
  }
  return found;
}

UniqueFd find_syscall_program(const std::string& name, std::uint32_t map_id) {
  for (const std::uint32_t id : all_ids(bpf_prog_get_next_id)) {
    UniqueFd fd(bpf_prog_get_fd_by_id(id));
    std::array<__u32, 64> maps{};
    bpf_prog_info info{};
    info.nr_map_ids = maps.size();
    info.map_ids = reinterpret_cast<__u64>(maps.data());
    if (!fd || !read_info(fd.get(), info)) continue;
    if (info.type != BPF_PROG_TYPE_SYSCALL || info.name != name) continue;
    if (std::ranges::find(maps, map_id) != maps.end()) return fd;
  }
  return {};
}

Result<Mapping> map_memory(const BpfMap& map, int protection) {
  return context(Mapping::map(map.fd.get(), map.value_size, protection, MAP_SHARED),
                 "mapping the BPF map {}", map.name);
}

}  // namespace cppland::live
