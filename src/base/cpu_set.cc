// SPDX-License-Identifier: GPL-2.0-only
// cpu_set.cc - the kernel's list notation, read and written.

#include "base/cpu_set.h"

#include <cerrno>
#include <charconv>
#include <iterator>
#include <system_error>

#include "base/text.h"

namespace cppland {
namespace {

// Takes a number off the front of `rest`. Digits only: from_chars() would let a minus pass for
// signed types, and stops by itself at anything else.
Result<unsigned> take_cpu(std::string_view& rest, std::string_view list) {
  unsigned cpu = 0;
  const auto [end, status] = std::from_chars(rest.begin(), rest.end(), cpu);
  if (status == std::errc::invalid_argument) {
    return error(EINVAL, "parse \"{}\" as a list of CPUs", list);
  }
  if (status != std::errc{} || cpu >= CpuSet::kCapacity) {
    return error(ERANGE, "parse \"{}\" as a list of CPUs below {}", list, CpuSet::kCapacity);
  }
  rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  return cpu;
}

}  // namespace

Result<CpuSet> CpuSet::parse(std::string_view list) {
  list = trim(list);
  CpuSet set;
  std::string_view rest = list;
  while (!rest.empty()) {
    const unsigned first = CPPLAND_TRY(take_cpu(rest, list));
    unsigned last = first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = CPPLAND_TRY(take_cpu(rest, list));
    }
    const bool more = rest.starts_with(',');
    if (more) {
      rest.remove_prefix(1);
    }
    if (last < first || more == rest.empty()) {
      return error(EINVAL, "parse \"{}\" as a list of CPUs", list);
    }
    for (unsigned cpu = first; cpu <= last; ++cpu) {
      set.set(cpu);
    }
  }
  return set;
}

std::string CpuSet::to_string() const {
  std::string list;
  for (unsigned first = next(0); first < kCapacity;) {
    unsigned last = first;
    while (test(last + 1)) {
      ++last;
    }
    if (!list.empty()) {
      list += ',';
    }
    if (first == last) {
      fmt::format_to(std::back_inserter(list), "{}", first);
    } else {
      fmt::format_to(std::back_inserter(list), "{}-{}", first, last);
    }
    first = next(last + 1);
  }
  return list;
}

}  // namespace cppland
