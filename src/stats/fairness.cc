// SPDX-License-Identifier: GPL-2.0-only
// fairness.cc - how evenly something was shared, and what would have been fair.
#include "stats/fairness.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace cppland {

double jain_index(std::span<const double> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  if (squares == 0) return 1;
  return sum * sum / (static_cast<double>(values.size()) * squares);
}

// Who has the most weight reaches the limit first, so one round through the weights, the largest
// first, finds all that do.
std::vector<double> fair_shares(double total, std::span<const double> weights, double most) {
  std::vector<double> sorted(weights.begin(), weights.end());
  std::ranges::sort(sorted, std::greater{});
  double left = total;
  double weight_left = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  for (const double weight : sorted) {
    if (left * weight <= most * weight_left) break;
    left -= most;
    weight_left -= weight;
  }
  std::vector<double> shares;
  shares.reserve(weights.size());
  for (const double weight : weights)
    shares.push_back(weight_left > 0 ? std::min(most, left * weight / weight_left) : most);
  return shares;
}

}  // namespace cppland
