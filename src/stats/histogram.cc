// SPDX-License-Identifier: GPL-2.0-only
// histogram.cc - see histogram.h.
#include "stats/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace cppland {
namespace {

// Values below 2 * kSteps have a cell each. From there on, the cells of one power of two are
// 2^shift wide.
constexpr unsigned kStepBits = 7;
constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;

constexpr unsigned shift_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  return width <= kStepBits + 1 ? 0 : width - kStepBits - 1;
}

constexpr std::size_t cell_of(std::uint64_t value) {
  const unsigned shift = shift_of(value);
  return shift * kSteps + (value >> shift);
}

constexpr std::uint64_t middle_of(std::size_t cell) {
  if (cell < 2 * kSteps) {
    return cell;
  }
  const auto shift = static_cast<unsigned>(cell / kSteps) - 1;
  const std::uint64_t lowest = (cell - shift * kSteps) << shift;
  return lowest + (std::uint64_t{1} << shift) / 2;
}

constexpr std::size_t kCells = cell_of(Histogram::kLargest) + 1;
static_assert(cell_of(2 * kSteps - 1) + 1 == cell_of(2 * kSteps));
static_assert(cell_of(middle_of(kCells - 1)) == kCells - 1);

}  // namespace

Histogram::Histogram() : cells_(kCells, 0) {}

void Histogram::record(std::uint64_t value) noexcept {
  value = std::min(value, kLargest);
  ++cells_[cell_of(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) {
  std::ranges::transform(cells_, other.cells_, cells_.begin(), std::plus<>());
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::quantile(double fraction) const {
  const double rank = std::ceil(fraction * static_cast<double>(count_));
  const std::uint64_t wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1,
                                                         std::max<std::uint64_t>(count_, 1));
  std::uint64_t seen = 0;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    seen += cells_[cell];
    if (seen >= wanted) {
      return answer(cell);
    }
  }
  return 0;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::cells() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    if (cells_[cell] != 0) {
      result.emplace_back(answer(cell), cells_[cell]);
    }
  }
  return result;
}

// The extremes are known exactly, so no answer lies outside them.
std::uint64_t Histogram::answer(std::size_t cell) const {
  return std::clamp(middle_of(cell), min_, max_);
}

}  // namespace cppland
