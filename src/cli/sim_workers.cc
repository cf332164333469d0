// SPDX-License-Identifier: GPL-2.0-only
// sim_workers.cc - several runs at the same time, each in a process of its own.
#include "cli/sim_workers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_handle.h"
#include "cli/sim_stop.h"
#include "sim/report.h"

namespace cppland::cli {
namespace {

using Json = nlohmann::ordered_json;

// What a worker writes is lines: how far its run has come ("0.25"), what a run came to (JSON), or
// why it could not be done ("!", the code, and what was tried).
void put_line(int fd, std::string line) {
  line += '\n';
  for (std::string_view left = line; !left.empty();) {
    const ssize_t put = ::write(fd, left.data(), left.size());
    if (put < 0 && errno != EINTR) ::_exit(1);
    left.remove_prefix(put < 0 ? 0 : static_cast<std::size_t>(put));
  }
}

// NOLINTNEXTLINE(*-non-const-global-variables): for a terminate handler
int worker_fd = -1;

// A worker ends when the process that @started_by is does, whatever ends that, and by its hand:
// signals of the terminal go to both. What a policy throws is told there.
void become_worker(int fd, pid_t started_by) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  std::signal(SIGPIPE, SIG_DFL);  // the files are not its own
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != started_by) ::_exit(1);  // it has ended before
  worker_fd = fd;
  std::set_terminate([] {
    put_line(worker_fd, fmt::format("!{} {}", EINVAL, what_was_thrown()));
    ::_exit(1);
  });
}

// In the worker's process: every @step-th run from @number on.
[[noreturn]] void work(int fd, std::size_t number, std::size_t step, std::size_t n,
                       const DoRun& do_run) noexcept {
  for (; number < n; number += step) {
    const auto run = do_run(number, [&](double done) {
      put_line(fd, fmt::format("{}", done));
      return true;
    });
    if (!run) {
      put_line(fd, fmt::format("!{} {}", run.error().code(), run.error().tried()));
      ::_exit(1);
    }
    put_line(fd, to_json(*run).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  ::_exit(0);
}

// A worker's process, which ends with it.
class Worker {
 public:
  static Result<Worker> start(std::size_t number, std::size_t step, std::size_t n,
                              const DoRun& do_run) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return error(errno, "making a pipe");
    UniqueFd reads(ends[0]);
    const UniqueFd writes(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return error(errno, "starting a process");
    if (pid == 0) become_worker(writes.get(), parent);
    if (pid == 0) work(writes.get(), number, step, n, do_run);
    return Worker(pid, std::move(reads), number, step);
  }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  Worker(Worker&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        fd_(std::move(other.fd_)),
        unread_(std::move(other.unread_)),
        number_(other.number_),
        step_(other.step_),
        runs_(other.runs_),
        part_(other.part_) {}
  Worker& operator=(Worker&& other) = delete;
  ~Worker() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] std::size_t number() const noexcept { return number_; }  // of its run
  // In runs.
  [[nodiscard]] double done() const noexcept { return static_cast<double>(runs_) + part_; }
  [[nodiscard]] bool has_work(std::size_t n) const noexcept { return number_ < n; }

  // Takes in what it has written. REQUIRES: there is something to read.
  Result<void> read(std::vector<sim::RunFigures>& runs) {
    std::array<char, 65536> text{};
    const ssize_t got = ::read(fd_.get(), text.data(), text.size());
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) return error(errno, "reading what a worker says");
    if (got == 0) return error(EPIPE, "a worker has ended before its runs were done");
    unread_.append(text.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = unread_.find('\n', begin)) != std::string::npos;
         begin = end + 1)
      CPPLAND_TRY(take(std::string_view(unread_).substr(begin, end - begin), runs));
    unread_.erase(0, begin);
    return {};
  }

 private:
  Worker(pid_t pid, UniqueFd fd, std::size_t number, std::size_t step)
      : pid_(pid), fd_(std::move(fd)), number_(number), step_(step) {}

  Result<void> take(std::string_view line, std::vector<sim::RunFigures>& runs) {
    if (line.starts_with('!')) {
      const std::size_t space = line.find(' ');
      const int code = std::atoi(std::string(line.substr(1, space - 1)).c_str());
      return error(code, "{}", line.substr(space + 1));
    }
    if (!line.starts_with('{')) {
      part_ = std::strtod(std::string(line).c_str(), nullptr);
      return {};
    }
    runs[number_] = sim::run_from_json(Json::parse(line));
    number_ += step_;
    ++runs_;
    part_ = 0;
    return {};
  }

  pid_t pid_;
  UniqueFd fd_;
  std::string unread_;
  std::size_t number_;
  std::size_t step_;
  std::size_t runs_ = 0;  // that it has done
  double part_ = 0;       // of the one that it does
};

// Waits until one of them has something to say, and takes it in.
Result<void> hear(std::vector<Worker>& workers, std::vector<sim::RunFigures>& runs,
                  const RunsGoOn& go_on) {
  std::vector<pollfd> fds;
  fds.reserve(workers.size());
  for (const Worker& worker : workers)
    fds.push_back({worker.has_work(runs.size()) ? worker.fd() : -1, POLLIN, 0});
  if (::poll(fds.data(), fds.size(), -1) < 0)
    return errno == EINTR ? Result<void>() : error(errno, "waiting for workers");
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (fds[i].revents == 0) continue;
    const std::size_t number = workers[i].number();
    CPPLAND_TRY(workers[i].read(runs));
    const double done =
        std::accumulate(workers.begin(), workers.end(), 0.0,
                        [](double sum, const Worker& each) { return sum + each.done(); });
    if (!go_on(number, done / static_cast<double>(runs.size())))
      return error(ECANCELED, "simulating");
  }
  return {};
}

}  // namespace

Result<std::vector<sim::RunFigures>> run_in_workers(std::size_t n, std::size_t workers,
                                                    const DoRun& do_run, const RunsGoOn& go_on) {
  std::vector<sim::RunFigures> runs(n);
  std::vector<Worker> all;
  all.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i)
    all.push_back(CPPLAND_TRY(Worker::start(i, workers, n, do_run)));
  while (std::ranges::any_of(all, [&](const Worker& worker) { return worker.has_work(n); }))
    CPPLAND_TRY(hear(all, runs, go_on));
  return runs;
}

}  // namespace cppland::cli
