// SPDX-License-Identifier: GPL-2.0-only
// scx_mine.cc - a policy outside the tree: last come, first served.
#include <cppland/scheduler.h>

namespace {

class Mine {
 public:
  struct Task : cppland::Task {};

  explicit Mine(const cppland::PolicyConfig& /*config*/) {}

  void ready(Task& task, const cppland::Moment& moment) {
    key_ = moment.now_ns;
    queue_.push(task);
  }
  void gone(Task& task) { queue_.erase(task); }
  cppland::Decision next(const cppland::Moment& /*moment*/) {
    if (queue_.empty()) return {};
    return {.task = &queue_.pop(), .key = ~key_};
  }

 private:
  cppland::TaskQueue<Task> queue_;
  std::uint64_t key_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  return cppland::scheduler_main<Mine>("scx_mine", argc, argv, "7");
}
