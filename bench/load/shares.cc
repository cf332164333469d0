// SPDX-License-Identifier: GPL-2.0-only
// shares.cc - see shares.h.
#include "shares.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace cppland::load {

int weight_of_nice(int nice) {
  // Linux: sched_prio_to_weight.
  static constexpr std::array<int, kHighestNice - kLowestNice + 1> kWeights = {
      88761, 71755, 56483, 46273, 36291,  // -20
      29154, 23254, 18705, 14949, 11916,  // -15
      9548,  7620,  6100,  4904,  3906,   // -10
      3121,  2501,  1991,  1586,  1277,   // -5
      1024,  820,   655,   526,   423,    // 0
      335,   272,   215,   172,   137,    // 5
      110,   87,    70,    56,    45,     // 10
      36,    29,    23,    18,    15,     // 15
  };
  return kWeights[static_cast<std::size_t>(nice - kLowestNice)];
}

std::vector<double> expected_shares(std::span<const int> nices, unsigned cpus) {
  std::vector<std::size_t> heaviest_first;
  heaviest_first.reserve(nices.size());
  while (heaviest_first.size() < nices.size()) {
    heaviest_first.push_back(heaviest_first.size());
  }
  std::ranges::sort(heaviest_first, {}, [&](std::size_t task) { return nices[task]; });
  double weight_left = 0;
  for (const int nice : nices) {
    weight_left += weight_of_nice(nice);
  }
  // A task whose share by weight exceeds one CPU gets just that; the lighter ones divide the rest.
  const double total = std::min<double>(cpus, static_cast<double>(nices.size()));
  double left = total;
  std::vector<double> shares(nices.size());
  for (const std::size_t task : heaviest_first) {
    const double weight = weight_of_nice(nices[task]);
    const double processors = std::min(1.0, left * weight / weight_left);
    shares[task] = processors / total;
    left -= processors;
    weight_left -= weight;
  }
  return shares;
}

}  // namespace cppland::load
