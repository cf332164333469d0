// SPDX-License-Identifier: GPL-2.0-only
// preflight.cc - can a scheduler be loaded here at all, and if not, what is to be done.
#include "kernel/live/preflight.h"

#include <bpf/btf.h>
#include <cap-ng.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "kernel/live/libbpf_log.h"
#include "kernel/live/unique_btf.h"

namespace cppland::live {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// Functions of the kernel that the dispatcher cannot do without, and how many arguments a program
// gives them. Some builds of 7.1 and 7.2 describe them with one more, which only the kernel itself
// can give; their verifier then refuses every program that calls them.
struct Kfunc {
  const char* name;
  int arguments;
};
constexpr std::array kNeeded{
    Kfunc{"scx_bpf_create_dsq", 2},       Kfunc{"scx_bpf_kick_cpu", 2},
    Kfunc{"bpf_iter_scx_dsq_new", 3},     Kfunc{"scx_bpf_pick_idle_cpu", 2},
    Kfunc{"scx_bpf_dsq_nr_queued", 1},    Kfunc{"scx_bpf_dsq_move_to_local", 1},
    Kfunc{"scx_bpf_dsq_move_vtime", 4},   Kfunc{"scx_bpf_select_cpu_and", 5},
    Kfunc{"scx_bpf_dsq_insert_vtime", 5},
};

// The number of arguments that BTF gives function @name; -1 if it does not know it.
int arguments_of(const btf* kernel, const char* name) {
  const int id = btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC);
  if (id < 0) return -1;
  const btf_type* proto =
      btf__type_by_id(kernel, btf__type_by_id(kernel, static_cast<__u32>(id))->type);
  return proto && btf_is_func_proto(proto) ? btf_vlen(proto) : -1;
}

}  // namespace

Result<void> check_sched_ext(const KernelFiles& files) {
  if (exists(files.sched_ext)) return {};
  return error(ENOTSUP,
               "this kernel has no sched_ext ({} is missing): boot one of 6.16 or later with "
               "CONFIG_SCHED_CLASS_EXT=y",
               files.sched_ext);
}

Result<void> check_btf_exists(const KernelFiles& files) {
  if (exists(files.btf)) return {};
  return error(ENOTSUP,
               "this kernel has no type information ({} is missing): boot one with "
               "CONFIG_DEBUG_INFO_BTF=y",
               files.btf);
}

Result<void> check_privileges() {
  capng_get_caps_process();
  std::string missing;
  for (const auto& [capability, name] : {std::pair{CAP_BPF, "CAP_BPF"},
                                         {CAP_PERFMON, "CAP_PERFMON"},
                                         {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}}) {
    if (!capng_have_capability(CAPNG_EFFECTIVE, static_cast<unsigned>(capability)))
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty()) return {};
  return error(EPERM,
               "loading a scheduler needs privileges that this process lacks ({}): run it as root",
               missing);
}

// The kernel knows the agent by the number that it has outside of all PID namespaces.
Result<void> check_namespace(const KernelFiles& files) {
  constexpr ino_t kInitial = 0xEFFFFFFC;  // PROC_PID_INIT_INO of the kernel's linux/proc_ns.h
  struct stat info{};
  if (::stat(files.pid_namespace.c_str(), &info) != 0 || info.st_ino == kInitial) return {};
  return error(
      EPERM,
      "this process is in a PID namespace of its own, such as a container's, where it does "
      "not know the numbers by which the kernel knows threads: run it outside of that");
}

Result<void> check_kfuncs(const KernelFiles& files) {
  const UniqueBtf kernel(btf__parse(files.btf.c_str(), nullptr));
  if (!kernel)
    return error(
        libbpf_errno(errno),
        "this kernel's type information cannot be read from {} ({}): see that the file can "
        "be read, or boot another kernel",
        files.btf, libbpf_words(errno));
  for (const Kfunc& kfunc : kNeeded) {
    const int arguments = arguments_of(kernel.get(), kfunc.name);
    if (arguments == kfunc.arguments) continue;
    if (arguments < 0)
      return error(ENOTSUP,
                   "this kernel's sched_ext is too old or too new for this program: it has no "
                   "{}(); boot a kernel of 6.16 to 7.x",
                   kfunc.name);
    return error(
        ENOTSUP,
        "this kernel was built with faulty type information: it describes {}() with {} arguments "
        "instead of {}, and so refuses every scheduler that calls it, whoever wrote it (Debian's "
        "7.1 "
        "and 7.2 kernels, for example); boot another kernel, such as 6.18 or 7.3",
        kfunc.name, arguments, kfunc.arguments);
  }
  return {};
}

Result<void> wait_until_free(const KernelFiles& files) {
  using namespace std::chrono_literals;
  std::string state;
  for (const auto deadline = std::chrono::steady_clock::now() + 10s;;) {
    state = std::string(trim(CPPLAND_TRY(read_file(files.sched_ext + "/state"))));
    if (state == "disabled") return {};
    if (state == "enabled" || std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(20ms);
  }
  std::string name = "its name is unknown";
  if (const auto ops = read_file(files.sched_ext + "/root/ops")) name = std::string(trim(*ops));
  return error(EBUSY,
               "another sched_ext scheduler is already running ({}, state {}): stop it first", name,
               state);
}

Result<void> preflight_to_take_over(const KernelFiles& files) {
  CPPLAND_TRY(check_sched_ext(files));
  CPPLAND_TRY(check_btf_exists(files));
  CPPLAND_TRY(check_privileges());
  CPPLAND_TRY(check_namespace(files));
  return check_kfuncs(files);
}

Result<void> preflight(const KernelFiles& files) {
  CPPLAND_TRY(preflight_to_take_over(files));
  return wait_until_free(files);
}

}  // namespace cppland::live
