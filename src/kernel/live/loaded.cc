// SPDX-License-Identifier: GPL-2.0-only
// loaded.cc - a dispatcher that this process loads into the kernel.
#include "kernel/live/loaded.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "kernel/domain_tables.h"
#include "kernel/live/libbpf_log.h"
#include "kernel/live/skeleton.h"
#include "kernel/live/unique_btf.h"
#include "kernel/shared_rings.h"

namespace cppland::live {
namespace {

constexpr std::uint32_t kDefaultDumpLen = 32768;  // the kernel's own

// The kernel's value of an ops flag; 0 if the running kernel does not know it.
std::uint64_t ops_flag(const btf* kernel, const char* name) {
  for (const unsigned kind : {unsigned{BTF_KIND_ENUM64}, unsigned{BTF_KIND_ENUM}}) {
    const int id = btf__find_by_name_kind(kernel, "scx_ops_flags", kind);
    if (id < 0) continue;
    const btf_type* type = btf__type_by_id(kernel, static_cast<__u32>(id));
    for (int i = 0; i < btf_vlen(type); ++i) {
      const bool wide = kind == BTF_KIND_ENUM64;
      const struct btf_enum64* e64 = wide ? btf_enum64(type) + i : nullptr;
      const struct btf_enum* e32 = wide ? nullptr : btf_enum(type) + i;
      if (std::strcmp(btf__name_by_offset(kernel, wide ? e64->name_off : e32->name_off), name) == 0)
        return wide ? std::uint64_t{btf_enum64_value(e64)} : static_cast<std::uint64_t>(e32->val);
    }
  }
  return 0;
}

std::uint64_t ops_flags(const btf* kernel, const DispatcherOptions& options) {
  std::uint64_t flags = ops_flag(kernel, "SCX_OPS_ENQ_LAST") |
                        ops_flag(kernel, "SCX_OPS_KEEP_BUILTIN_IDLE") |
                        ops_flag(kernel, "SCX_OPS_ALLOW_QUEUED_WAKEUP");
  if (options.partial) flags |= ops_flag(kernel, "SCX_OPS_SWITCH_PARTIAL");
  if (options.numa_local) flags |= ops_flag(kernel, "SCX_OPS_BUILTIN_IDLE_PER_NODE");
  return flags;
}

// From the kernel on that has the second form of this function, cpu_release is deprecated (the
// kernel warns of it) and not needed: a deadline server keeps real-time tasks from starving ours.
void leave_out_deprecated(dispatcher& skeleton, const btf* kernel) {
  if (btf__find_by_name_kind(kernel, "scx_bpf_reenqueue_local___v2", BTF_KIND_FUNC) < 0) return;
  skeleton.struct_ops.cppland_ops->cpu_release = nullptr;
  bpf_program__set_autoload(skeleton.progs.cppland_cpu_release, false);
}

// The skeleton gives no access to `name`, the last member of our declaration of the ops.
void set_ops_name(dispatcher& skeleton, const std::string& name) {
  constexpr std::size_t kNameLen = 128;
  std::size_t size = 0;
  auto* ops = static_cast<char*>(bpf_map__initial_value(skeleton.maps.cppland_ops, &size));
  char* field = ops + size - kNameLen;
  std::memset(field, 0, kNameLen);
  std::copy_n(name.data(), std::min(name.size(), kNameLen - 1), field);
}

dispatcher* open_skeleton(const LibbpfOptions& options) {
  bpf_object_open_opts opts{};
  opts.sz = sizeof(opts);
  opts.relaxed_maps = options.relaxed_maps;
  const auto text = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
  opts.pin_root_path = text(options.pin_root_path);
  opts.kconfig = text(options.kconfig);
  opts.btf_custom_path = text(options.btf_custom_path);
  opts.bpf_token_path = text(options.bpf_token_path);
  return dispatcher__open_opts(&opts);
}

void set_topology(dispatcher& skeleton, const Topology& topology) {
  skeleton.rodata->nr_cpu_ids = topology.nr_cpu_ids();
  skeleton.rodata->hybrid = topology.hybrid();
  const auto [least, most] = std::ranges::minmax(topology.cpus(), {}, &Cpu::capacity);
  // Big is what is nearer to the biggest than to the smallest: cores of one kind differ a little,
  // too.
  for (const Cpu& cpu : topology.cpus())
    skeleton.rodata->cpu_is_big[cpu.id] = 2 * cpu.capacity >= least.capacity + most.capacity;
}

void set_agents(dispatcher& skeleton, const cppland_agents& agents) {
  std::ranges::copy(agents.tid, skeleton.bss->agent_tid);
  skeleton.bss->agent_tgid = agents.tgid;
  skeleton.bss->ask_always = (agents.flags & CPPLAND_AGENTS_ASK_ALWAYS) != 0;
  skeleton.bss->percpu_local = (agents.flags & CPPLAND_AGENTS_PERCPU_LOCAL) != 0;
  skeleton.data->slice_ns = agents.slice_ns;
  skeleton.data->sleeper_credit_ns = agents.sleeper_credit_ns;
  skeleton.data->late_ns = agents.late_ns;
  skeleton.data->forget_ns = agents.forget_ns;
  skeleton.data->rescue_every_ns = agents.rescue_every_ns;
  skeleton.data->starve_ns = agents.starve_ns;
}

struct SkeletonTraits {
  using Handle = dispatcher*;
  static dispatcher* invalid() noexcept { return nullptr; }
  static void close(dispatcher* skeleton) noexcept { dispatcher__destroy(skeleton); }
};
using Skeleton = UniqueHandle<SkeletonTraits>;

// For a successor: how it was loaded, and what must be kept open.
Result<void> describe_itself(dispatcher& skeleton, const DispatcherOptions& options) {
  cppland_shm& shm = skeleton.bss_shm->shm;
  if (options.partial) shm.fixed |= CPPLAND_FIXED_PARTIAL;
  if (options.numa_local) shm.fixed |= CPPLAND_FIXED_NUMA_LOCAL;
  shm.timeout_ms = options.timeout_ms;
  std::ranges::copy(skeleton.rodata->domain_of_cpu, shm.domain_of_cpu);
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton.obj) {
    if (bpf_map__fd(map) < 0) continue;  // not made, since this kernel has no use for it
    bpf_map_info info{};
    __u32 size = sizeof(info);
    if (const int err = bpf_map_get_info_by_fd(bpf_map__fd(map), &info, &size))
      return error(err, "asking for the number of the map {}", bpf_map__name(map));
    if (shm.nr_maps == CPPLAND_MAX_MAPS)
      return error(ENOSPC, "the dispatcher has more than {} maps", CPPLAND_MAX_MAPS);
    shm.map_id[shm.nr_maps++] = info.id;
  }
  return {};
}

// The channels of odd reigns are other processes': what is locked into memory here is what is used.
Result<void> leave_out_others(dispatcher& skeleton, std::size_t domains) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto up = [&](std::size_t bytes) { return (bytes + page - 1) / page * page; };
  const std::size_t all = up(nr_channels(domains) * sizeof(cppland_channel));
  const std::size_t own = up(nr_channels(domains) / 2 * sizeof(cppland_channel));
  auto* const begin = reinterpret_cast<std::byte*>(skeleton.bss_channels->channels);
  // libbpf unmaps all of it in the end, so something has to be there.
  void* const nothing = ::mmap(begin + own, all - own, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (nothing == MAP_FAILED) return error(errno, "leaving out channels that are not ours");
  return {};
}

class Loaded final : public Dispatcher {
 public:
  Loaded(Skeleton skeleton, std::size_t domains, std::unique_ptr<AgentCalls> calls)
      : Dispatcher({.shm = &skeleton.get()->bss_shm->shm,
                    .channels = skeleton.get()->bss_channels->channels,
                    .exit = &skeleton.get()->bss_exit->exit_record,
                    .dump = skeleton.get()->data_exit_dump->exit_dump,
                    .dump_len = skeleton.get()->rodata->exit_dump_len},
                   domains, std::move(calls)),
        skeleton_(std::move(skeleton)) {}
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() override { detach(); }

  [[nodiscard]] Result<void> attach() override {
    const LibbpfLog log(false);
    // Not by the skeleton: from libbpf 1.5 on that would attach the ops as well, and twice is an
    // error.
    link_ = bpf_map__attach_struct_ops(skeleton_.get()->maps.cppland_ops);
    if (!link_) return error(errno, "attaching the scheduler ({})", log.last_words());
    return {};
  }

 private:
  void close_link() noexcept override {
    if (link_) bpf_link__destroy(std::exchange(link_, nullptr));
  }

  Skeleton skeleton_;
  bpf_link* link_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Dispatcher>> load(const DispatcherOptions& options, const Topology& topology,
                                         const Domains& domains) {
  if (topology.nr_cpu_ids() > CPPLAND_MAX_CPUS)
    return error(ENOTSUP, "this machine can have {} CPUs, the dispatcher can serve {}",
                 topology.nr_cpu_ids(), CPPLAND_MAX_CPUS);
  const LibbpfLog log(options.verbose);
  Skeleton owner(open_skeleton(options.libbpf));
  dispatcher* const skeleton = owner.get();
  if (!skeleton) return error(libbpf_errno(errno), "opening the BPF object ({})", log.last_words());

  set_topology(*skeleton, topology);
  set_agents(*skeleton, describe_agents(options, 0));
  auto& rodata = *skeleton->rodata;
  rodata.heartbeat_ns = std::min<std::uint64_t>(kSecond, options.timeout_ms * kMillisecond / 4);
  rodata.agent_sleeps = options.partial;
  rodata.numa_local = options.numa_local;
  rodata.verbose = options.verbose;
  rodata.exit_dump_len = options.exit_dump_len ? options.exit_dump_len : kDefaultDumpLen;
  fill({.nr_cpus = rodata.nr_cpus,
        .nr_domains = rodata.nr_domains,
        .domain_mask = rodata.domain_mask,
        .domain_of_cpu = rodata.domain_of_cpu,
        .cpu_by_domain = rodata.cpu_by_domain,
        .domain_begin = rodata.domain_begin},
       domains);
  format(skeleton->bss_shm->shm, topology.nr_cpu_ids(), static_cast<std::uint32_t>(domains.size()));
  if (const int err = bpf_map__set_value_size(
          skeleton->maps.bss_channels,
          static_cast<__u32>(nr_channels(domains.size()) * sizeof(cppland_channel))))
    return error(err, "making room for {} agents", domains.size());

  if (const int err = bpf_map__set_value_size(skeleton->maps.data_exit_dump, rodata.exit_dump_len))
    return error(err, "making room for a debug dump of {} bytes", rodata.exit_dump_len);
  auto& ops = *skeleton->struct_ops.cppland_ops;
  const UniqueBtf kernel(btf__load_vmlinux_btf());
  if (!kernel) return error(errno, "reading the kernel's type information");
  ops.flags = ops_flags(kernel.get(), options);
  leave_out_deprecated(*skeleton, kernel.get());
  ops.timeout_ms = options.timeout_ms;
  ops.exit_dump_len = options.exit_dump_len;
  set_ops_name(*skeleton, options.name);
  // A CPU that comes or goes between here and attach() makes the kernel ask for a restart.
  ops.hotplug_seq = CPPLAND_TRY(hotplug_events());

  if (const int err = dispatcher__load(skeleton))
    return error(libbpf_errno(err), "loading the dispatcher into the kernel ({}: {})",
                 libbpf_words(err), log.last_words());
  CPPLAND_TRY(describe_itself(*skeleton, options));
  CPPLAND_TRY(leave_out_others(*skeleton, domains.size()));
  std::unique_ptr<AgentCalls> calls;
  if (options.partial)
    calls = CPPLAND_TRY(AgentCalls::make(bpf_map__fd(skeleton->maps.agent_calls)));
  return std::make_unique<Loaded>(std::move(owner), domains.size(), std::move(calls));
}

Result<std::uint64_t> hotplug_events() {
  return read_int<std::uint64_t>("/sys/kernel/sched_ext/hotplug_seq");
}

}  // namespace cppland::live
