// SPDX-License-Identifier: GPL-2.0-only
// interval.cc - the mean of a few samples, and how far it can be trusted.
#include "stats/interval.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace cppland {

Interval mean_interval(std::span<const double> samples) {
  if (samples.empty()) return {};
  const auto n = static_cast<double>(samples.size());
  const double mean = std::accumulate(samples.begin(), samples.end(), 0.0) / n;
  if (samples.size() == 1) return {.mean = mean};
  // Exactly: the mean of equal samples may be off by a rounding, which would look like chance.
  if (std::ranges::all_of(samples, [&](double sample) { return sample == samples.front(); }))
    return {.mean = samples.front(), .half_width = 0};
  double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  const boost::math::students_t t(n - 1);
  return {.mean = mean,
          .half_width = boost::math::quantile(t, (1 + kConfidence) / 2) * standard_error};
}

}  // namespace cppland
