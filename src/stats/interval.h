// SPDX-License-Identifier: GPL-2.0-only
// interval.h - the mean of a few samples, and how far it can be trusted.
#pragma once

#include <optional>
#include <span>

namespace cppland {

inline constexpr double kConfidence = 0.95;

// The interval mean ± half_width holds the true mean with kConfidence, by Student's t, if the
// samples are independent and about normal. One sample says nothing of that: no half_width. That of
// equal ones is 0 exactly.
struct Interval {
  double mean = 0;
  std::optional<double> half_width;

  // The true mean is not 0, with kConfidence.
  [[nodiscard]] bool leaves_out_zero() const noexcept {
    return half_width && (mean > *half_width || -mean > *half_width);
  }
};

[[nodiscard]] Interval mean_interval(std::span<const double> samples);

}  // namespace cppland
