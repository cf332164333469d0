// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.cc - the dispatcher in the running kernel: load, attach, watch, let go.
#include "kernel/live/dispatcher.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "base/clock.h"
#include "base/file.h"
#include "kernel/domain_tables.h"
#include "kernel/live/libbpf_log.h"
#include "kernel/live/skeleton.h"
#include "kernel/live/unique_btf.h"

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

}  // namespace

void Dispatcher::SkeletonCloser::operator()(dispatcher* skeleton) const noexcept {
  dispatcher__destroy(skeleton);
}

Dispatcher::Dispatcher(Skeleton skeleton) noexcept : skeleton_(std::move(skeleton)) {}

Dispatcher::~Dispatcher() { detach(); }

Result<std::unique_ptr<Dispatcher>> Dispatcher::load(const DispatcherOptions& options,
                                                     const Topology& topology,
                                                     const Domains& domains) {
  if (topology.nr_cpu_ids() > CPPLAND_MAX_CPUS)
    return error(ENOTSUP, "this machine can have {} CPUs, the dispatcher can serve {}",
                 topology.nr_cpu_ids(), CPPLAND_MAX_CPUS);
  const LibbpfLog log(options.verbose);
  Skeleton skeleton(open_skeleton(options.libbpf));
  if (!skeleton) return error(libbpf_errno(errno), "opening the BPF object ({})", log.last_words());

  set_topology(*skeleton, topology);
  auto& rodata = *skeleton->rodata;
  std::ranges::copy(options.agent_tids, rodata.agent_tid);
  rodata.agent_tgid = ::getpid();
  rodata.slice_ns = std::min<std::uint64_t>(options.slice_ns, rodata.slice_max_ns);
  rodata.sleeper_credit_ns = options.sleeper_credit_ns;
  rodata.heartbeat_ns = std::min<std::uint64_t>(kSecond, options.timeout_ms * kMillisecond / 4);
  if (options.strict) rodata.agent_rest = 0;
  rodata.agent_sleeps = options.partial;
  rodata.percpu_local = options.percpu_local;
  const std::uint64_t max_wait_ns = options.max_wait_ms * kMillisecond;
  rodata.late_ns = std::min<std::uint64_t>(rodata.late_ns, max_wait_ns);
  rodata.rescue_every_ns = std::min<std::uint64_t>(rodata.rescue_every_ns, max_wait_ns / 10);
  rodata.forget_ns = max_wait_ns - rodata.rescue_every_ns;
  rodata.starve_ns =
      std::min<std::uint64_t>(rodata.starve_ns, options.timeout_ms * kMillisecond / 2) -
      rodata.rescue_every_ns;
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
          static_cast<__u32>(nr_channels(domains) * sizeof(cppland_channel))))
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

  if (const int err = dispatcher__load(skeleton.get()))
    return error(libbpf_errno(err), "loading the dispatcher into the kernel ({}: {})",
                 libbpf_words(err), log.last_words());
  std::unique_ptr<Dispatcher> loaded(new Dispatcher(std::move(skeleton)));
  if (options.partial)
    loaded->calls_ =
        CPPLAND_TRY(AgentCalls::make(bpf_map__fd(loaded->skeleton_->maps.agent_calls)));
  for (std::size_t d = 0; d < domains.size(); ++d)
    loaded->kernels_.emplace_back(loaded->skeleton_->bss_channels->channels[d],
                                  loaded->calls_.get());
  return loaded;
}

Result<void> Dispatcher::attach() {
  const LibbpfLog log(false);
  // Not by the skeleton: from libbpf 1.5 on that would attach the ops as well, and twice is an
  // error.
  link_ = bpf_map__attach_struct_ops(skeleton_->maps.cppland_ops);
  if (!link_) return error(errno, "attaching the scheduler ({})", log.last_words());
  return {};
}

void Dispatcher::detach() noexcept {
  if (link_) bpf_link__destroy(std::exchange(link_, nullptr));
  if (calls_) calls_->end();
}

ExitInfo Dispatcher::exit_info() const {
  const auto& record = skeleton_->bss_exit->exit_record;
  ExitInfo info;
  // Pairs with the dispatcher's exchange of the kind, its last write to the record.
  info.kind = __atomic_load_n(&record.kind, __ATOMIC_ACQUIRE);
  if (info.kind == ExitInfo::kNone) return info;
  const auto text = [](const char* s, std::size_t size) {
    return std::string(s, ::strnlen(s, size));
  };
  info.code = record.exit_code;
  info.reason = text(record.reason, sizeof(record.reason));
  info.message = text(record.msg, sizeof(record.msg));
  info.dump = text(skeleton_->data_exit_dump->exit_dump, skeleton_->rodata->exit_dump_len);
  return info;
}

const cppland_shm& Dispatcher::shm() const noexcept { return skeleton_->bss_shm->shm; }

std::uint64_t AgentKernel::now_ns() const noexcept { return monotonic_now(); }

void AgentKernel::park(std::uint32_t nr_scheduled) noexcept {
  rings_.finish_pass(nr_scheduled);
  if (calls_)
    calls_->wait();
  else
    ::sched_yield();
}

void AgentCalls::Closer::operator()(ring_buffer* calls) const noexcept { ring_buffer__free(calls); }

Result<std::unique_ptr<AgentCalls>> AgentCalls::make(int map_fd) {
  const auto ignore = [](void*, void*, std::size_t) { return 0; };
  Event ended = CPPLAND_TRY(Event::make());
  ring_buffer* calls = ring_buffer__new(map_fd, ignore, nullptr, nullptr);
  if (!calls) return error(errno, "mapping the ring by which the agent is called");
  return std::unique_ptr<AgentCalls>(new AgentCalls(calls, std::move(ended)));
}

void AgentCalls::wait() noexcept {
  std::array wait_for{
      pollfd{.fd = ring_buffer__epoll_fd(calls_.get()), .events = POLLIN, .revents = 0},
      pollfd{.fd = ended_.fd(), .events = POLLIN, .revents = 0}};
  ::poll(wait_for.data(), wait_for.size(), -1);
  ring_buffer__consume(calls_.get());
}

std::string_view target() { return CPPLAND_TARGET; }

std::string ops_name(std::string_view program, std::string_view version) {
  std::string name = fmt::format("{}_{}_{}", program, version, target());
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c) && c != '.' && c != '_'; }, '_');
  return name.substr(0, 127);
}

Result<std::uint64_t> hotplug_events() {
  return read_int<std::uint64_t>("/sys/kernel/sched_ext/hotplug_seq");
}

}  // namespace cppland::live
