// SPDX-License-Identifier: GPL-2.0-only
// pair.h - two tasks that talk: a client thinks and asks, a server works and answers.
#pragma once

#include <cstdint>
#include <random>
#include <utility>

#include "base/result.h"
#include "base/unique_handle.h"
#include "stats/histogram.h"
#include "timeline.h"

namespace cppland::load {

struct PairResult {
  Histogram wakeup;      // from sending a request to the server's first instruction
  Histogram round_trip;  // from sending a request to the client's having the answer

  void merge(const PairResult& other);
};

// A connection with a thread at either end: one calls `run_client`, another `run_server`.
class Pair {
 public:
  static Result<Pair> open();

  // Each pause is drawn from RANDOM between half and one and a half times THINK. Returns when the
  // run ends.
  void run_client(const Timeline& timeline, Nanos think, std::mt19937_64 random);
  // LOOPS of work for each request. Returns when the client has gone.
  void run_server(const Timeline& timeline, std::uint64_t loops);

  // REQUIRES: both threads have ended.
  [[nodiscard]] const PairResult& result() const { return result_; }

 private:
  Pair(UniqueFd client, UniqueFd server) : client_(std::move(client)), server_(std::move(server)) {}

  UniqueFd client_;
  UniqueFd server_;
  PairResult result_;  // `wakeup` belongs to the server's thread, `round_trip` to the client's
};

}  // namespace cppland::load
