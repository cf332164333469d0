// SPDX-License-Identifier: GPL-2.0-only
// rtapp_keys.h - typed access to the members of an rt-app file's objects; errors with line and key.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/cpu_set.h"
#include "base/result.h"
#include "sim/workloads/rtapp_json.h"

namespace cppland::sim::rtapp {

template <typename... Args>
std::unexpected<Error> wrong_key(const Member& member, fmt::format_string<Args...> what,
                                 Args&&... args) {
  return error(EINVAL, "line {}: key \"{}\": {}", member.line, member.key,
               fmt::format(what, std::forward<Args>(args)...));
}

[[nodiscard]] Result<void> want_kind(const Member& member, Value::Kind kind);
[[nodiscard]] Result<std::int64_t> integer_of(const Member& member, std::int64_t least,
                                              std::int64_t most);
// A time that is written in microseconds; in ns.
[[nodiscard]] Result<std::uint64_t> microseconds_of(const Member& member);
[[nodiscard]] Result<std::string> text_of(const Member& member);
// "loop": -1 for ever, or how often.
[[nodiscard]] Result<std::uint64_t> loops_of(const Member& member);
// "cpus": an array of CPU numbers.
[[nodiscard]] Result<CpuSet> cpus_of(const Member& member);

// The members of @object, no two of one name.
[[nodiscard]] Result<void> want_no_doubles(const Value& object);

}  // namespace cppland::sim::rtapp
