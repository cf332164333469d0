// SPDX-License-Identifier: GPL-2.0-only
// kfuncs.cc - what the dispatcher calls: the kernel's functions, answered by the model.
#include <fmt/format.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <optional>
#include <utility>

#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// The model's side of bpf/kernel.h. Each function is named as the kernel's own, in
// kernel/sched/ext.c where nothing else is said.
class Kfuncs {
 public:
  using CpuState = Machine::CpuState;

  static Machine& m() { return Machine::current(); }
  static Task& task(task_struct* p) { return *static_cast<Task*>(p); }
  static const Task& task(const task_struct* p) { return *static_cast<const Task*>(p); }
  static const CpuSet& cpus(const cpumask* mask) { return *reinterpret_cast<const CpuSet*>(mask); }
  static constexpr std::uint64_t kBuiltin = 1ULL << 63;  // SCX_DSQ_FLAG_BUILTIN
  static bool is_local(std::uint64_t dsq) {
    return dsq == SCX_DSQ_LOCAL || (dsq & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON;
  }
  static void fail(std::string why) { m().end_scheduler(Exit::kError, std::move(why)); }

  static std::uint64_t now() { return m().now_ + m().spent_; }
  static int this_cpu() { return m().this_cpu_; }
  static std::uint64_t current_pid_tgid() {
    const Task* task = m().cpus_[Machine::index(this_cpu())].task;  // or the idle thread
    if (!task) return 0;
    return std::uint64_t{static_cast<std::uint32_t>(task->tgid)} << 32 |
           static_cast<std::uint32_t>(task->pid);
  }
  // Others go on before what the caller is about to do.
  static void others() { m().interleave(); }

  // scx_kf_allowed(): ends the scheduler if the callback that calls may not.
  static bool allowed(unsigned mask) {
    if ((m().kf_mask_ & mask) != 0) return true;
    fail(fmt::format("kfunc with mask {:#x} called from an operation only allowing {:#x}", mask,
                     m().kf_mask_));
    return false;
  }
  static bool allowed_or_unlocked(unsigned mask) {
    return m().kf_mask_ == kKfUnlocked || allowed(mask);
  }

  // ops_cpu_valid().
  static bool is_cpu(s32 cpu) {
    if (cpu >= 0 && Machine::index(cpu) < m().cpus_.size()) return true;
    fail(fmt::format("invalid CPU {}", cpu));
    return false;
  }

  // find_user_dsq().
  static DispatchQueue* user_queue(std::uint64_t dsq) {
    const auto it = m().queues_.find(dsq);
    return it == m().queues_.end() ? nullptr : it->second.get();
  }

  // find_dsq_for_dispatch().
  static DispatchQueue* queue(std::uint64_t dsq) {
    if (dsq == SCX_DSQ_LOCAL) return &m().cpus_[Machine::index(this_cpu())].local;
    if ((dsq & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON) {
      const auto cpu = static_cast<s32>(dsq & 0xffffffffU);
      return is_cpu(cpu) ? &m().cpus_[Machine::index(cpu)].local : nullptr;
    }
    return dsq == kGlobalQueue ? &m().global_ : user_queue(dsq);
  }

  // scx_bpf_create_dsq().
  static s32 create(std::uint64_t dsq) {
    if ((dsq & kBuiltin) != 0) return -EINVAL;
    const auto [it, is_new] = m().queues_.try_emplace(dsq);
    if (!is_new) return -EEXIST;
    it->second = std::make_unique<DispatchQueue>(dsq);
    return 0;
  }

  // scx_bpf_dsq_nr_queued().
  static s32 nr_queued(std::uint64_t dsq) {
    const DispatchQueue* of = is_local(dsq) ? queue(dsq) : user_queue(dsq);
    return of ? static_cast<s32>(of->size()) : -ENOENT;
  }

  // scx_dsq_insert_preamble(), scx_dsq_insert_commit() and mark_direct_dispatch(): from select_cpu
  // and enqueue the task that they are about, once; from dispatch any, which comes to its place
  // when the callback is over.
  static void insert(Task& p, std::uint64_t dsq, std::uint64_t slice, const std::uint64_t* vtime,
                     std::uint64_t flags) {
    constexpr std::uint64_t kInternal = 0xfULL << 56;  // __SCX_ENQ_INTERNAL_MASK
    if (!allowed(kKfEnqueue | kKfDispatch)) return;
    if ((flags & kInternal) != 0) {
      fail(fmt::format("invalid enq_flags 0x{:x}", flags));
      return;
    }
    p.scx.slice = slice != 0 ? slice : std::max<std::uint64_t>(p.scx.slice, 1);
    if (vtime) p.scx.dsq_vtime = *vtime;
    const Task* enqueued = m().being_inserted_;
    if (enqueued && enqueued->insertion) {
      fail(fmt::format("{}[{}] already direct-dispatched", p.name, p.pid));
      return;
    }
    if (enqueued && enqueued != &p) {
      fail(fmt::format("scheduling for {}[{}] but trying to direct-dispatch {}[{}]", enqueued->name,
                       enqueued->pid, p.name, p.pid));
      return;
    }
    if ((dsq & kBuiltin) != 0 && vtime) {
      fail("cannot use vtime ordering for built-in DSQs");
      return;
    }
    if (!queue(dsq)) {
      fail(fmt::format("non-existent DSQ 0x{:x} for {}[{}]", dsq, p.name, p.pid));
      return;
    }
    const Task::Insertion where{.dsq = dsq, .flags = flags, .by_vtime = vtime != nullptr};
    if (enqueued) {
      p.insertion = where;
      return;
    }
    CpuState& cpu = m().cpus_[Machine::index(this_cpu())];
    if (cpu.inserted.size() >= max_batch()) {
      fail("dispatch buffer overflow");
      return;
    }
    cpu.inserted.push_back({&p, p.given, where});
  }

  static std::size_t max_batch() {
    constexpr std::size_t kMaxBatch = 32;  // SCX_DSP_DFL_MAX_BATCH
    const u32 wanted = dispatcher().ops->dispatch_max_batch;
    return wanted != 0 ? wanted : kMaxBatch;
  }

  // scx_bpf_dsq_move_to_local().
  static bool move_to_local(std::uint64_t dsq) {
    if (!allowed(kKfDispatch)) return false;
    CpuState& cpu = m().cpus_[Machine::index(this_cpu())];
    m().flush(cpu);
    DispatchQueue* from = user_queue(dsq);
    if (!from) {
      fail(fmt::format("invalid DSQ ID 0x{:x}", dsq));
      return false;
    }
    if (!m().consume(cpu, *from)) return false;
    ++cpu.dispatched;
    return true;
  }

  // --- iterators: bpf_iter_scx_dsq_new(), ..._next(), scx_dsq_move() ---

  struct Iterator {
    DispatchQueue* queue;
    std::uint64_t newest;  // whoever arrived later is passed over
    bool reverse;
    std::optional<QueuePlace> at{};  // a mark in the queue, which stays when the task there goes
    std::optional<std::uint64_t> slice{};  // for the next move
    std::optional<std::uint64_t> vtime{};
  };

  // The kernel's structure has room for a pointer to the model's.
  static Iterator& state(bpf_iter_scx_dsq* it) { return **reinterpret_cast<Iterator**>(it); }

  static int iterate(bpf_iter_scx_dsq* it, std::uint64_t dsq, std::uint64_t flags) {
    const bool known = (flags & ~std::uint64_t{SCX_DSQ_ITER_REV}) == 0;
    DispatchQueue* of = known ? user_queue(dsq) : nullptr;
    *reinterpret_cast<Iterator**>(it) =
        new Iterator{of, of ? of->arrivals() : 0, (flags & SCX_DSQ_ITER_REV) != 0};
    if (!known) return -EINVAL;
    return of ? 0 : -ENOENT;
  }

  static void destroy(bpf_iter_scx_dsq* it) { delete &state(it); }

  static Task* next(Iterator& it) {
    if (!it.queue) return nullptr;
    QueuePlace* place = it.at ? it.queue->beyond(*it.at, it.reverse) : it.queue->first(it.reverse);
    while (place && place->arrival > it.newest) place = it.queue->after(*place, it.reverse);
    if (!place) return nullptr;
    it.at.emplace();
    it.at->vtime = place->vtime;
    it.at->rank = place->rank;
    return static_cast<Task*>(place);
  }

  static bool move(Iterator& it, Task& p, std::uint64_t dsq, bool by_vtime, std::uint64_t flags) {
    const auto slice = std::exchange(it.slice, std::nullopt);
    const auto vtime = std::exchange(it.vtime, std::nullopt);
    if (!allowed_or_unlocked(kKfDispatch)) return false;
    if (!it.queue || p.queue != it.queue || p.arrival > it.newest) return false;
    if (slice) p.scx.slice = *slice;
    if (vtime) p.scx.dsq_vtime = *vtime;
    DispatchQueue* to = queue(dsq);
    if (!to) {
      fail(fmt::format("non-existent DSQ 0x{:x} for {}[{}]", dsq, p.name, p.pid));
      return false;
    }
    if (by_vtime && (dsq & kBuiltin) != 0) {
      fail("cannot use vtime ordering for built-in DSQs");
      return false;
    }
    if (!is_local(dsq)) {
      p.queue->remove(p);
      m().link(*to, p, by_vtime, flags);
      return true;
    }
    const int cpu = dsq == SCX_DSQ_LOCAL ? this_cpu() : static_cast<int>(dsq & 0xffffffffU);
    if (m().is_held(cpu)) {
      m().reschedule(this_cpu(), false);  // the kernel would wait; this one tries again
      return false;
    }
    p.queue->remove(p);
    m().insert_now(
        p,
        {.dsq = SCX_DSQ_LOCAL_ON | static_cast<unsigned>(cpu), .flags = flags, .by_vtime = false});
    return m().attached_;
  }

  // scx_bpf_kick_cpu().
  static void kick(s32 cpu, std::uint64_t flags) {
    if (!is_cpu(cpu)) return;
    if ((flags & SCX_KICK_IDLE) != 0 && (flags & SCX_KICK_PREEMPT) != 0) {
      fail("PREEMPT/WAIT cannot be used with SCX_KICK_IDLE");
      return;
    }
    m().kick(cpu, flags);
  }

  static bool agent_is_called() { return m().agent_called_; }
  // kernel/bpf/ringbuf.c, bpf_ringbuf_commit(): whoever polls is woken once interrupts are enabled.
  static void call_agent() {
    m().agent_called_ = true;
    if (Task* agent = m().task_of(static_cast<std::uint64_t>(*cppland_sim_dispatcher.agent_tid)))
      m().later([machine = &m(), agent] { machine->wake(*agent, false); });
  }

  static std::byte* array(void* map, std::size_t size) {
    auto& memory = m().arrays_[map];
    if (!memory) memory = std::make_unique<std::byte[]>(size);
    return memory.get();
  }

  static std::byte* storage(void* map, Task& p, std::size_t size, bool create) {
    for (const auto& [of, memory] : p.storage)
      if (of == map) return memory.get();
    if (!create) return nullptr;
    return p.storage.emplace_back(map, std::make_unique<std::byte[]>(size)).second.get();
  }

  static Machine::Timer& timer(bpf_timer* at) {
    const auto [it, is_new] = m().timer_of_.try_emplace(at, m().timers_.size());
    if (is_new) m().timers_.emplace_back();
    return m().timers_[it->second];
  }

  static void start_timer(bpf_timer* at, std::uint64_t in_ns) {
    Machine::Timer& timer = Kfuncs::timer(at);
    timer.cpu = this_cpu();
    m().post(m().now_ + in_ns, Machine::Event::Kind::kTimer, m().timer_of_[at], ++timer.version);
  }

  static void init_timer(bpf_timer* at, void* map) {
    Machine::Timer& timer = Kfuncs::timer(at);
    timer.map = map;
    timer.element = at;
  }

  static void set_callback(bpf_timer* at, void* callback) { timer(at).callback = callback; }
  static void set_key(bpf_timer* at, std::uint32_t key) { timer(at).key = key; }

  // kernel/sched/ext_idle.c: the functions for nodes want SCX_OPS_BUILTIN_IDLE_PER_NODE, which the
  // dispatcher asks for with -n, and those for the whole machine want it not to be there.
  static bool tracks_idle_by_node(bool wanted) {
    if (m().options_.numa_local == wanted) return true;
    fail(wanted ? "per-node idle tracking is disabled" : "per-node idle tracking is enabled");
    return false;
  }

  static s32 pick_idle(const cpumask* mask, std::uint64_t flags) {
    if (!tracks_idle_by_node(false)) return -EBUSY;
    return m().pick_idle(cpus(mask), (flags & SCX_PICK_IDLE_CORE) != 0);
  }

  // scx_bpf_pick_idle_cpu_node(): that node first, then the others.
  static s32 pick_idle_in(const cpumask* mask, s32 node, std::uint64_t flags) {
    if (!tracks_idle_by_node(true)) return -EBUSY;
    CpuSet in_node;
    for (const Cpu& cpu : m().topology_.cpus()) {
      if (static_cast<s32>(cpu.node) == node) in_node.set(cpu.id);
    }
    in_node &= cpus(mask);
    const bool core = (flags & SCX_PICK_IDLE_CORE) != 0;
    const s32 cpu = m().pick_idle(in_node, core);
    if (cpu >= 0 || (flags & SCX_PICK_IDLE_IN_NODE) != 0) return cpu;
    return m().pick_idle(cpus(mask), core);
  }

  // kernel/sched/ext_idle.c, scx_bpf_select_cpu_and().
  static s32 select(task_struct* p, s32 prev_cpu, std::uint64_t flags, const cpumask* mask) {
    if (!allowed_or_unlocked(kKfSelectCpu | kKfEnqueue)) return -EINVAL;
    return m().select_cpu(task(p), prev_cpu, flags, cpus(mask));
  }

  static bool claim(s32 cpu) { return m().claim_idle(cpu); }
  static s32 node_of(s32 cpu) {
    return static_cast<s32>(m().topology_.find(static_cast<unsigned>(cpu))->node);
  }
  static const cpumask* online() { return reinterpret_cast<const cpumask*>(&m().online_); }
  static const cpumask* idle(bool of_node) {
    static const CpuSet kNone;
    const CpuSet& mask = tracks_idle_by_node(of_node) ? m().idle_ : kNone;
    return reinterpret_cast<const cpumask*>(&mask);
  }
  static task_struct* find(s32 pid) {
    Task* found = m().task_of(static_cast<std::uint64_t>(pid));
    return found && found->state != TaskState::kDead ? found : nullptr;
  }
  static task_struct* running(s32 cpu) { return m().cpus_[Machine::index(cpu)].task; }

  // What is left in a map when the program goes, goes with it.
  static CpuSet* make_mask() { return m().masks_.emplace_back(std::make_unique<CpuSet>()).get(); }
  static void release_mask(const CpuSet* mask) {
    std::erase_if(m().masks_, [&](const auto& each) { return each.get() == mask; });
  }

  // A runqueue, as far as bpf/kernel.h knows it.
  static rq* runqueue(s32 cpu) {
    static task_struct idle{};
    static rq answer{};
    task_struct* curr = running(cpu);
    answer.curr = curr ? curr : &idle;
    return &answer;
  }

  // scx_bpf_reenqueue_local().
  static u32 reenqueue_local() {
    if (!allowed(kKfCpuRelease)) return 0;
    CpuState& cpu = m().cpus_[Machine::index(this_cpu())];
    // First all are taken out: what is put back at once is not taken again.
    std::vector<Task*> all;
    while (QueuePlace* place = cpu.local.first()) {
      cpu.local.remove(*place);
      all.push_back(static_cast<Task*>(place));
    }
    for (Task* p : all) m().enqueue(*p, SCX_ENQ_REENQ);
    return static_cast<u32>(all.size());
  }
};

}  // namespace cppland::sim

using cppland::CpuSet;
using cppland::sim::Kfuncs;

// The names are the kernel's, and the platform's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

struct sim_kernel_has sim_kernel_has;

// The only ring is that of the agent's calls.
u64 bpf_ringbuf_query(void* /*ring*/, u64 /*flags*/) {
  Kfuncs::others();
  return Kfuncs::agent_is_called();
}
long bpf_ringbuf_output(void* /*ring*/, void* /*data*/, u64 /*size*/, u64 /*flags*/) {
  Kfuncs::others();
  Kfuncs::call_agent();
  return 0;
}

u64 bpf_ktime_get_ns() {
  Kfuncs::others();
  return Kfuncs::now();
}
u32 bpf_get_smp_processor_id() { return static_cast<u32>(Kfuncs::this_cpu()); }
u64 bpf_get_current_pid_tgid() { return Kfuncs::current_pid_tgid(); }
void sim_trace(const char* /*format*/, ...) {}

long sim_read_str(char* to, u32 size, const char* from) {
  if (!from || size == 0) return -EFAULT;
  const std::size_t n = std::min<std::size_t>(std::strlen(from), size - 1);
  std::memcpy(to, from, n);
  to[n] = '\0';
  return static_cast<long>(n + 1);
}

void* sim_array_element(void* map, u32 index, u32 max_entries, size_t size) {
  if (index >= max_entries) return nullptr;
  std::byte* element = Kfuncs::array(map, max_entries * size) + index * size;
  // Timers stand first in their elements, and are told the element's key.
  Kfuncs::set_key(reinterpret_cast<bpf_timer*>(element), index);
  return element;
}

void* sim_task_storage(void* map, task_struct* p, size_t size, u64 flags) {
  return Kfuncs::storage(map, Kfuncs::task(p), size, (flags & BPF_LOCAL_STORAGE_GET_F_CREATE) != 0);
}

long sim_timer_init(bpf_timer* timer, void* map) {
  Kfuncs::init_timer(timer, map);
  return 0;
}

long sim_timer_set_callback(bpf_timer* timer, void* callback) {
  Kfuncs::set_callback(timer, callback);
  return 0;
}

long bpf_timer_start(bpf_timer* timer, u64 in_ns, u64 /*flags*/) {
  Kfuncs::start_timer(timer, in_ns);
  return 0;
}

s32 scx_bpf_create_dsq(u64 dsq_id, s32 /*node*/) { return Kfuncs::create(dsq_id); }

s32 scx_bpf_dsq_nr_queued(u64 dsq_id) {
  Kfuncs::others();
  return Kfuncs::nr_queued(dsq_id);
}

void scx_bpf_dsq_insert(task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) {
  Kfuncs::others();
  Kfuncs::insert(Kfuncs::task(p), dsq_id, slice, nullptr, enq_flags);
}

void scx_bpf_dsq_insert_vtime(task_struct* p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags) {
  Kfuncs::others();
  const std::uint64_t by = vtime;
  Kfuncs::insert(Kfuncs::task(p), dsq_id, slice, &by, enq_flags);
}

bool scx_bpf_dsq_move_to_local(u64 dsq_id) {
  Kfuncs::others();
  return Kfuncs::move_to_local(dsq_id);
}

void scx_bpf_dsq_move_set_slice(bpf_iter_scx_dsq* it, u64 slice) {
  Kfuncs::state(it).slice = slice;
}
void scx_bpf_dsq_move_set_vtime(bpf_iter_scx_dsq* it, u64 vtime) {
  Kfuncs::state(it).vtime = vtime;
}

bool scx_bpf_dsq_move(bpf_iter_scx_dsq* it, task_struct* p, u64 dsq_id, u64 enq_flags) {
  Kfuncs::others();
  return Kfuncs::move(Kfuncs::state(it), Kfuncs::task(p), dsq_id, false, enq_flags);
}

bool scx_bpf_dsq_move_vtime(bpf_iter_scx_dsq* it, task_struct* p, u64 dsq_id, u64 enq_flags) {
  Kfuncs::others();
  return Kfuncs::move(Kfuncs::state(it), Kfuncs::task(p), dsq_id, true, enq_flags);
}

int bpf_iter_scx_dsq_new(bpf_iter_scx_dsq* it, u64 dsq_id, u64 flags) {
  return Kfuncs::iterate(it, dsq_id, flags);
}
task_struct* bpf_iter_scx_dsq_next(bpf_iter_scx_dsq* it) {
  Kfuncs::others();
  return Kfuncs::next(Kfuncs::state(it));
}
void bpf_iter_scx_dsq_destroy(bpf_iter_scx_dsq* it) { Kfuncs::destroy(it); }

s32 scx_bpf_select_cpu_and(task_struct* p, s32 prev_cpu, u64 wake_flags, const cpumask* allowed,
                           u64 /*flags*/) {
  Kfuncs::others();
  return Kfuncs::select(p, prev_cpu, wake_flags, allowed);
}
bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) {
  Kfuncs::others();
  return Kfuncs::claim(cpu);
}
s32 scx_bpf_pick_idle_cpu(const cpumask* allowed, u64 flags) {
  Kfuncs::others();
  return Kfuncs::pick_idle(allowed, flags);
}
s32 scx_bpf_pick_idle_cpu_node(const cpumask* allowed, s32 node, u64 flags) {
  Kfuncs::others();
  return Kfuncs::pick_idle_in(allowed, node, flags);
}
void scx_bpf_kick_cpu(s32 cpu, u64 flags) {
  Kfuncs::others();
  Kfuncs::kick(cpu, flags);
}
s32 scx_bpf_task_cpu(const task_struct* p) {
  Kfuncs::others();
  return Kfuncs::task(p).on_cpu;
}
s32 scx_bpf_cpu_node(s32 cpu) { return Kfuncs::node_of(cpu); }
const cpumask* scx_bpf_get_online_cpumask() { return Kfuncs::online(); }
void scx_bpf_put_cpumask(const cpumask* /*mask*/) {}
const cpumask* scx_bpf_get_idle_cpumask() { return Kfuncs::idle(false); }
const cpumask* scx_bpf_get_idle_cpumask_node(int /*node*/) { return Kfuncs::idle(true); }
void scx_bpf_put_idle_cpumask(const cpumask* /*mask*/) {}
void scx_bpf_dump_bstr(char* /*format*/, unsigned long long* /*data*/, u32 /*size*/) {}
u32 scx_bpf_reenqueue_local() { return Kfuncs::reenqueue_local(); }
bool scx_bpf_task_set_slice(task_struct* p, u64 slice) {
  p->scx.slice = slice;
  return true;
}
task_struct* scx_bpf_cpu_curr(s32 cpu) {
  Kfuncs::others();
  return Kfuncs::running(cpu);
}
rq* scx_bpf_cpu_rq(s32 cpu) { return Kfuncs::runqueue(cpu); }

task_struct* bpf_task_from_pid(s32 pid) {
  Kfuncs::others();
  return Kfuncs::find(pid);
}
void bpf_task_release(task_struct* /*p*/) {}

bpf_cpumask* bpf_cpumask_create() { return reinterpret_cast<bpf_cpumask*>(Kfuncs::make_mask()); }
void bpf_cpumask_release(bpf_cpumask* mask) {
  Kfuncs::release_mask(reinterpret_cast<CpuSet*>(mask));
}
void bpf_cpumask_set_cpu(u32 cpu, bpf_cpumask* mask) { reinterpret_cast<CpuSet*>(mask)->set(cpu); }
bool bpf_cpumask_test_cpu(u32 cpu, const cpumask* mask) { return Kfuncs::cpus(mask).test(cpu); }
void bpf_rcu_read_lock() {}
void bpf_rcu_read_unlock() {}
void bpf_preempt_disable() {}
void bpf_preempt_enable() {}
}  // extern "C"
// NOLINTEND(readability-identifier-naming)
