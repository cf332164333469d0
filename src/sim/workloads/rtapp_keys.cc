// SPDX-License-Identifier: GPL-2.0-only
// rtapp_keys.cc - see rtapp_keys.h.
#include "sim/workloads/rtapp_keys.h"

#include <limits>
#include <map>

#include "sim/workloads/rtapp_plan.h"

namespace cppland::sim::rtapp {

Result<void> want_kind(const Member& member, Value::Kind kind) {
  if (member.value.kind == kind) return {};
  return wrong_key(member, "takes {}, not {}", name_of(kind), name_of(member.value.kind));
}

Result<std::int64_t> integer_of(const Member& member, std::int64_t least, std::int64_t most) {
  CPPLAND_TRY(want_kind(member, Value::Kind::kInteger));
  const std::int64_t value = member.value.integer;
  if (value < least || value > most)
    return wrong_key(member, "takes a number from {} to {}, not {}", least, most, value);
  return value;
}

Result<std::uint64_t> microseconds_of(const Member& member) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint64_t>(CPPLAND_TRY(integer_of(member, 0, kMost))) * 1000;
}

Result<std::string> text_of(const Member& member) {
  CPPLAND_TRY(want_kind(member, Value::Kind::kString));
  return member.value.text;
}

Result<std::uint64_t> loops_of(const Member& member) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  CPPLAND_TRY(want_kind(member, Value::Kind::kInteger));
  const std::int64_t value = member.value.integer;
  if (value == -1) return kForEver;
  if (value < 1 || value > kMost)
    return wrong_key(member, "takes -1 (for ever) or a number from 1 to {}, not {}", kMost, value);
  return static_cast<std::uint64_t>(value);
}

Result<CpuSet> cpus_of(const Member& member) {
  CPPLAND_TRY(want_kind(member, Value::Kind::kArray));
  CpuSet cpus;
  for (const Value& item : member.value.items) {
    const bool valid = item.kind == Value::Kind::kInteger && item.integer >= 0 &&
                       item.integer < static_cast<std::int64_t>(CpuSet::kCapacity);
    if (!valid) return wrong_key(member, "takes numbers of CPUs, below {}", CpuSet::kCapacity);
    cpus.set(static_cast<unsigned>(item.integer));
  }
  if (cpus.empty()) return wrong_key(member, "names no CPU; leave the key out for all CPUs");
  return cpus;
}

Result<void> want_no_doubles(const Value& object) {
  std::map<std::string_view, unsigned> seen;
  for (const Member& member : object.members) {
    const auto [first, is_new] = seen.emplace(member.key, member.line);
    if (!is_new)
      return wrong_key(member, "is there twice (first in line {}); keep one", first->second);
  }
  return {};
}

}  // namespace cppland::sim::rtapp
