// SPDX-License-Identifier: GPL-2.0-only
// histogram.h - a log-linear histogram of durations, of constant size and with a bounded error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cppland {

// Every power of two is cut into 128 cells, and a cell answers with its middle: the relative error
// is at most 1/256. Values are nanoseconds, up to `kLargest` (about 70 minutes); what is larger
// counts as `kLargest`. Recording neither allocates nor fails.
class Histogram {
 public:
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << 42) - 1;

  Histogram();

  void record(std::uint64_t value) noexcept;
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;
  // The smallest recorded value that at least FRACTION (0 to 1) of the values do not exceed; 0
  // without values.
  [[nodiscard]] std::uint64_t quantile(double fraction) const;
  // What was recorded, as rising (value, count) pairs: enough to merge the histograms of several
  // runs.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> cells() const;

 private:
  [[nodiscard]] std::uint64_t answer(std::size_t cell) const;

  std::vector<std::uint64_t> cells_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = kLargest;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace cppland
