// SPDX-License-Identifier: GPL-2.0-only
// scx_faulty.cc - policies that go wrong, each in a way of its own. But for one they begin to a
// second after the first decision.
#include <cppland/cppland.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <random>
#include <utility>

namespace {

using cppland::Decision;
using cppland::Moment;

// A second after the first moment that it is asked about.
class Alarm {
 public:
  [[nodiscard]] bool rings(const Moment& moment) noexcept {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    if (first_ns_ == 0) first_ns_ = moment.now_ns;
    return moment.now_ns - first_ns_ > kSecond;
  }

 private:
  std::uint64_t first_ns_ = 0;
};

// First come, first served; the rest is its heirs' fault.
class Fifo {
 public:
  struct Task : cppland::Task {};

  explicit Fifo(const cppland::PolicyConfig&) {}
  void ready(Task& task, const Moment&) { queue_.push(task); }
  void gone(Task& task) { queue_.erase(task); }
  Decision next(const Moment&) { return {.task = queue_.empty() ? nullptr : &queue_.pop()}; }

 protected:
  [[nodiscard]] bool is_time(const Moment& moment) { return alarm_.rings(moment); }

 private:
  cppland::TaskQueue<Task> queue_;
  Alarm alarm_;
};

struct Spins : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    while (is_time(moment)) asm volatile("");
    return Fifo::next(moment);
  }
};

struct Hangs : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& /*moment*/) {
    for (;;) asm volatile("");
  }
};

struct Sleeps : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    const timespec a_tenth{.tv_sec = 0, .tv_nsec = 100'000'000};
    if (is_time(moment)) ::nanosleep(&a_tenth, nullptr);
    return Fifo::next(moment);
  }
};

// Where many wait, a pass of it takes longer than the agent may.
struct Dawdles : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    constexpr int kLoops = 2'000'000;
    if (is_time(moment))
      for (int i = 0; i < kLoops; ++i) asm volatile("");
    return Fifo::next(moment);
  }
};

struct PageFaults : Fifo {
  explicit PageFaults(const cppland::PolicyConfig& config)
      : Fifo(config),
        memory_(static_cast<char*>(
            ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}

  Decision next(const Moment& moment) {
    if (is_time(moment)) {
      ::munlock(memory_, kBytes);
      ::madvise(memory_, kBytes, MADV_DONTNEED);
      for (std::size_t i = 0; i < kBytes; i += kPage) memory_[i] = 1;
    }
    return Fifo::next(moment);
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBytes = 32 * kPage;
  char* memory_;
};

class Crashes : public Fifo {
 public:
  explicit Crashes(const cppland::PolicyConfig& config)
      : Fifo(config),
        forbidden_(
            static_cast<char*>(::mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
  }

  Decision next(const Moment& moment) {
    if (is_time(moment)) *forbidden_ = 1;
    return Fifo::next(moment);
  }

 private:
  volatile char* forbidden_;
};

struct NeverDecides : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) { return is_time(moment) ? Decision{} : Fifo::next(moment); }
};

struct Forgets : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    constexpr unsigned kEvery = 4;
    Decision decision = Fifo::next(moment);
    if (is_time(moment) && decision.task && ++decided_ % kEvery == 0) decision = Fifo::next(moment);
    return decision;
  }

 private:
  unsigned decided_ = 0;
};

// Tries what a policy has no need of, once, and says how much of it worked.
struct Escapes : Fifo {
  using Fifo::Fifo;
  Decision next(const Moment& moment) {
    if (is_time(moment) && !std::exchange(tried_, true)) {
      char* const none[] = {nullptr};
      const std::array worked{
          ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0,
          ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0,
          ::execve("/bin/true", none, none) == 0,
          ::kill(1, 0) == 0,
          ::unlink("/root/job") == 0 || errno != EPERM,
          ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
              MAP_FAILED,
      };
      const auto n = std::ranges::count(worked, true);
      std::fprintf(stderr, "escapes: %s of %zu\n", n == 0 ? "nothing" : "something", worked.size());
    }
    return Fifo::next(moment);
  }

 private:
  bool tried_ = false;
};

// Past the host, which would not let this through: what the ring can say.
class Raw : public cppland::PolicyRunner {
 public:
  explicit Raw(const cppland::PolicyConfig& config) : host_(config) {}

  std::size_t take(std::span<const cppland_event> events, const Moment& moment,
                   std::span<cppland_decision> decisions) noexcept override {
    return host_.take(events, moment, decisions);
  }

  std::size_t decide(const Moment& moment, std::span<cppland_decision> out) noexcept override {
    const bool begins = moment.now_ns != now_ns_;
    now_ns_ = moment.now_ns;
    const std::size_t half = out.size() / 2;
    const std::size_t n = host_.decide(moment, out.first(half));
    if (!alarm_.rings(moment)) return n;
    return n + add(out.subspan(n), out.first(n), begins);
  }

  [[nodiscard]] std::uint32_t waiting() const noexcept override { return host_.waiting(); }
  [[nodiscard]] bool strict() const noexcept override { return false; }

 protected:
  // Writes more to @more, after @right, which is right. @first: for the first time in this pass.
  virtual std::size_t add(std::span<cppland_decision> more, std::span<const cppland_decision> right,
                          bool first) noexcept = 0;

 private:
  cppland::PolicyHost<Fifo> host_;
  Alarm alarm_;
  std::uint64_t now_ns_ = 0;
};

struct DecidesTwice final : Raw {
  using Raw::Raw;
  std::size_t add(std::span<cppland_decision> more, std::span<const cppland_decision> right,
                  bool) noexcept override {
    const std::size_t n = std::min(more.size(), right.size());
    std::copy_n(right.begin(), n, more.begin());
    return n;
  }
};

struct Lies final : Raw {
  using Raw::Raw;
  std::size_t add(std::span<cppland_decision> more, std::span<const cppland_decision>,
                  bool first) noexcept override {
    constexpr std::size_t kLies = 16;
    if (!first) return 0;
    const std::size_t n = std::min(more.size(), kLies);
    for (cppland_decision& lie : more.first(n)) {
      lie = {};
      lie.generation = random_();
      lie.key = random_();
      lie.slice_ns = random_();
      lie.wake_credit_ns = random_();
      lie.tid = static_cast<std::int32_t>(random_() % 1000);
      lie.cpu = static_cast<std::int32_t>(random_());
      lie.op = static_cast<std::uint32_t>(random_() % 4);
    }
    return n;
  }

 private:
  std::mt19937_64 random_{1};
};

// A pass of it never ends: the ring is always full.
struct Floods final : Raw {
  using Raw::Raw;
  std::size_t add(std::span<cppland_decision> more, std::span<const cppland_decision>,
                  bool) noexcept override {
    for (cppland_decision& decision : more) {
      decision = {};
      decision.op = CPPLAND_DECIDE_RUN;
      decision.tid = 1;
    }
    return more.size();
  }
};

template <typename T>
constexpr cppland::PolicyEntry raw(std::string_view name, std::string_view summary) {
  return {name, summary,
          [](const cppland::PolicyConfig& config) -> std::unique_ptr<cppland::PolicyRunner> {
            return std::make_unique<T>(config);
          }};
}

constexpr std::array kFaults{
    cppland::policy_entry<Spins>("spins", "never comes back"),
    cppland::policy_entry<Hangs>("hangs", "from the beginning"),
    cppland::policy_entry<Sleeps>("sleeps", "100 ms for each decision"),
    cppland::policy_entry<Dawdles>("dawdles", "computes for milliseconds"),
    cppland::policy_entry<PageFaults>("page-faults", "32 for each decision"),
    cppland::policy_entry<Crashes>("crashes", "with SIGSEGV"),
    cppland::policy_entry<NeverDecides>("never-decides", "for anybody"),
    cppland::policy_entry<Forgets>("forgets", "every fourth task"),
    cppland::policy_entry<Escapes>("escapes",
                                   "tries to open files, to start programs and the like"),
    raw<DecidesTwice>("decides-twice", "for everybody"),
    raw<Lies>("lies", "random tids, CPUs, slices, keys, credit, operations and generations"),
    raw<Floods>("floods", "the ring of decisions, in a pass that never ends"),
};

}  // namespace

int main(int argc, char** argv) {
  return cppland::scheduler_main({"scx_faulty", "1.0", kFaults}, argc, argv);
}
