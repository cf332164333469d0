// SPDX-License-Identifier: GPL-2.0-only
// fairness.h - how evenly something was shared, and what would have been fair.
#pragma once

#include <span>
#include <vector>

namespace cppland {

// Jain's index: 1 if all values are equal, 1/n if one has everything. 1 if there is nothing to
// compare. REQUIRES: no value is negative.
[[nodiscard]] double jain_index(std::span<const double> values);

// What is fair for each to have of @total, by weight, when nobody can use more than @most: what
// that leaves over goes to the others. REQUIRES: weights are positive, and total and most are not
// negative.
[[nodiscard]] std::vector<double> fair_shares(double total, std::span<const double> weights,
                                              double most);

}  // namespace cppland
