// SPDX-License-Identifier: GPL-2.0-only
// rtapp_json.h - the dialect of JSON that rt-app's files are written in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cppland::sim::rtapp {

struct Member;

// A value, and the line it starts in. Objects keep their members' order, and members of one name.
struct Value {
  enum class Kind : std::uint8_t {
    kNone,  // of a key that stands alone: "suspend",
    kNull,
    kBoolean,
    kInteger,
    kReal,
    kString,
    kArray,
    kObject,
  };

  Kind kind = Kind::kNone;
  unsigned line = 1;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text{};  // of a string; of a number that is no integer, as it is written
  std::vector<Value> items{};
  std::vector<Member> members;
};

struct Member {
  std::string key;
  unsigned line = 1;
  Value value{};
};

// "a string", "an object" and so on, for messages.
[[nodiscard]] std::string_view name_of(Value::Kind kind);

// JSON, and besides: keys without values, one key several times in an object, commas behind the
// last member or item, and comments as in C and C++. EINVAL says which line is wrong.
[[nodiscard]] Result<Value> parse_json(std::string_view text);

}  // namespace cppland::sim::rtapp
