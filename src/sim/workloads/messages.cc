// SPDX-License-Identifier: GPL-2.0-only
// messages.cc - the generators whose tasks send messages to each other.
//
// Wake-ups are synchronous, as those of pipes and local sockets are.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "base/random.h"
#include "sim/workloads/generators.h"
#include "sim/workloads/wait_queue.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr Step kBlock{.kind = Step::Kind::kBlock};
constexpr Step run(std::uint64_t ns) { return {.kind = Step::Kind::kRun, .ns = ns}; }

// Messages on their way to whoever reads here.
class Mailbox {
 public:
  explicit Mailbox(std::uint64_t capacity) : capacity_(capacity) {}

  // Both are false if the caller must block, and try again then.
  bool put(Waiter& writer, Machine& machine) {
    if (messages_ == capacity_) {
      writers_.add(writer);
      return false;
    }
    ++messages_;
    readers_.wake_one(machine, true);
    return true;
  }
  bool take(Waiter& reader, Machine& machine) {
    if (messages_ == 0) {
      readers_.add(reader);
      return false;
    }
    --messages_;
    writers_.wake_one(machine, true);
    return true;
  }

 private:
  std::uint64_t capacity_;
  std::uint64_t messages_ = 0;
  WaitQueue readers_;
  WaitQueue writers_;
};

// A program that is never asked while it waits.
class Talker : public Program {
 public:
  Step next(Machine& machine, Task& task) final {
    self_.task = &task;
    return self_.waiting ? kBlock : step(machine);
  }

 protected:
  virtual Step step(Machine& machine) = 0;

  Waiter self_;
};

// --- request ---

constexpr std::uint64_t kAskNs = 5 * kUs;  // to write a request down

struct Pair {
  Mailbox requests{1};
  Mailbox answers{1};
};

class Client final : public Talker {
 public:
  Client(std::shared_ptr<Pair> pair, std::uint64_t think, Random random)
      : pair_(std::move(pair)), think_(think), random_(random) {}

 private:
  enum class State : std::uint8_t { kThink, kAsk, kSend, kReceive };

  // A unit is an answer.
  Step step(Machine& machine) override {
    switch (state_) {
      case State::kThink:
        state_ = State::kAsk;
        if (think_ > 0) return {.kind = Step::Kind::kSleep, .ns = random_.below(2 * think_ + 1)};
        [[fallthrough]];
      case State::kAsk:
        state_ = State::kSend;
        return run(kAskNs);
      case State::kSend:
        if (!pair_->requests.put(self_, machine)) return kBlock;
        state_ = State::kReceive;
        [[fallthrough]];
      case State::kReceive:
        if (!pair_->answers.take(self_, machine)) return kBlock;
        ++progress_.units;
        state_ = State::kThink;
        return run(kUs);
    }
    return kBlock;
  }

  std::shared_ptr<Pair> pair_;
  std::uint64_t think_;
  Random random_;
  State state_ = State::kThink;
};

class Server final : public Talker {
 public:
  Server(std::shared_ptr<Pair> pair, std::uint64_t work) : pair_(std::move(pair)), work_(work) {}

 private:
  // A unit is an answer.
  Step step(Machine& machine) override {
    if (answering_) {
      if (!pair_->answers.put(self_, machine)) return kBlock;
      answering_ = false;
      ++progress_.units;
    }
    if (!pair_->requests.take(self_, machine)) return kBlock;
    answering_ = true;
    return run(work_);
  }

  std::shared_ptr<Pair> pair_;
  std::uint64_t work_;
  bool answering_ = false;
};

// --- hackbench ---

using Group = std::deque<Mailbox>;  // one for each receiver

class Sender final : public Talker {
 public:
  Sender(std::shared_ptr<Group> group, std::uint64_t work)
      : group_(std::move(group)), work_(work) {}

 private:
  // To each receiver in turn.
  Step step(Machine& machine) override {
    if (written_) {
      if (!(*group_)[to_].put(self_, machine)) return kBlock;
      ++progress_.units;
      to_ = (to_ + 1) % group_->size();
    }
    written_ = true;
    return run(work_);
  }

  std::shared_ptr<Group> group_;
  std::uint64_t work_;
  std::size_t to_ = 0;
  bool written_ = false;
};

class Receiver final : public Talker {
 public:
  Receiver(std::shared_ptr<Group> group, std::size_t at, std::uint64_t work)
      : group_(std::move(group)), mailbox_((*group_)[at]), work_(work) {}

 private:
  Step step(Machine& machine) override {
    if (!mailbox_.take(self_, machine)) return kBlock;
    ++progress_.units;
    return run(work_);
  }

  std::shared_ptr<Group> group_;
  Mailbox& mailbox_;
  std::uint64_t work_;
};

void begin_group(std::uint64_t fan, std::uint64_t work, std::uint64_t buffer, Stage& stage) {
  const auto group = std::make_shared<Group>();
  for (std::uint64_t i = 0; i < fan; ++i) group->emplace_back(buffer);
  for (std::uint64_t i = 0; i < fan; ++i) {
    stage.start({.name = "receiver",
                 .group = "receiver",
                 .program = std::make_unique<Receiver>(group, i, work)});
    stage.start(
        {.name = "sender", .group = "sender", .program = std::make_unique<Sender>(group, work)});
  }
}

}  // namespace

void begin_request(const Settings& settings, Stage& stage) {
  const std::uint64_t pairs = tasks_for(settings["pairs"], 2, stage);
  const int nice = static_cast<int>(settings["nice"]);
  Random random = stage.random().fork();
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const auto pair = std::make_shared<Pair>();
    stage.start({.name = numbered("server", i, pairs),
                 .group = "server",
                 .nice = nice,
                 .program = std::make_unique<Server>(pair, settings["work-us"] * kUs)});
    stage.start(
        {.name = numbered("client", i, pairs),
         .group = "client",
         .nice = nice,
         .program = std::make_unique<Client>(pair, settings["think-us"] * kUs, random.fork())});
  }
}

void begin_hackbench(const Settings& settings, Stage& stage) {
  const std::uint64_t groups = tasks_for(settings["groups"], 2, stage);
  for (std::uint64_t i = 0; i < groups; ++i)
    begin_group(settings["fan"], settings["message-us"] * kUs, settings["buffer"], stage);
}

}  // namespace cppland::sim
