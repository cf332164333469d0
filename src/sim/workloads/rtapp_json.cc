// SPDX-License-Identifier: GPL-2.0-only
// rtapp_json.cc - see rtapp_json.h.
#include "sim/workloads/rtapp_json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace cppland::sim::rtapp {
namespace {

constexpr unsigned kDeepest = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
         c == '-' || c == '.' || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<Value> document() {
    Value value = CPPLAND_TRY(parse_value(0));
    CPPLAND_TRY(skip());
    if (!rest_.empty()) return wrong("something follows the end of the file's object");
    return value;
  }

 private:
  template <typename... Args>
  [[nodiscard]] std::unexpected<Error> wrong(fmt::format_string<Args...> what,
                                             Args&&... args) const {
    return error(EINVAL, "line {}: {}", line_, fmt::format(what, std::forward<Args>(args)...));
  }

  void advance(std::size_t n) {
    line_ += static_cast<unsigned>(std::ranges::count(rest_.substr(0, n), '\n'));
    rest_.remove_prefix(n);
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    advance(1);
    return true;
  }

  // To the next character that is neither white space nor comment.
  Result<void> skip() {
    for (;;) {
      if (!rest_.empty() && is_space(rest_.front())) {
        advance(1);
      } else if (rest_.starts_with("//")) {
        advance(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        const std::size_t end = rest_.find("*/", 2);
        if (end == std::string_view::npos) return wrong("a comment without an end");
        advance(end + 2);
      } else {
        return {};
      }
    }
  }

  Result<Value> parse_value(unsigned depth) {
    CPPLAND_TRY(skip());
    if (rest_.empty()) return wrong("the file ends where a value is expected");
    if (depth > kDeepest) return wrong("more than {} objects within each other", kDeepest);
    Value value;
    value.line = line_;
    switch (rest_.front()) {
      case '{':
        CPPLAND_TRY(parse_object(value, depth));
        break;
      case '[':
        CPPLAND_TRY(parse_array(value, depth));
        break;
      case '"':
        value.kind = Value::Kind::kString;
        value.text = CPPLAND_TRY(parse_string());
        break;
      default:
        CPPLAND_TRY(parse_word(value));
    }
    return value;
  }

  Result<void> parse_object(Value& object, unsigned depth) {
    object.kind = Value::Kind::kObject;
    advance(1);
    for (;;) {
      CPPLAND_TRY(skip());
      if (take('}')) return {};
      if (!rest_.starts_with('"')) return wrong("a key in double quotes, or }}, is expected");
      Member member;
      member.line = line_;
      member.value.line = line_;
      member.key = CPPLAND_TRY(parse_string());
      CPPLAND_TRY(skip());
      if (take(':')) member.value = CPPLAND_TRY(parse_value(depth + 1));
      object.members.push_back(std::move(member));
      CPPLAND_TRY(skip());
      if (take(',')) continue;
      if (!rest_.starts_with('}'))
        return wrong("key \"{}\": a comma or }} is expected after it", object.members.back().key);
    }
  }

  Result<void> parse_array(Value& array, unsigned depth) {
    array.kind = Value::Kind::kArray;
    advance(1);
    for (;;) {
      CPPLAND_TRY(skip());
      if (take(']')) return {};
      array.items.push_back(CPPLAND_TRY(parse_value(depth + 1)));
      CPPLAND_TRY(skip());
      if (take(',')) continue;
      if (!rest_.starts_with(']')) return wrong("a comma or ] is expected after an array's item");
    }
  }

  Result<std::string> parse_string() {
    std::string text;
    for (advance(1); !rest_.empty() && rest_.front() != '\n'; advance(1)) {
      if (take('"')) return text;
      if (rest_.front() == '\\') {
        rest_.remove_prefix(1);
        constexpr std::array<std::pair<char, char>, 5> kEscapes{
            {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'t', '\t'}, {'n', '\n'}}};
        const auto* escape = std::ranges::find(kEscapes, rest_.empty() ? '\0' : rest_.front(),
                                               &std::pair<char, char>::first);
        if (escape == kEscapes.end()) return wrong(R"(only \" \\ \/ \t \n may be escaped)");
        text += escape->second;
      } else {
        text += rest_.front();
      }
    }
    return wrong("a string without its closing quote");
  }

  Result<void> parse_word(Value& value) {
    const auto* end = std::ranges::find_if_not(rest_, is_word);
    const std::string_view word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    if (word.empty()) return wrong("\"{}\" is no value", printable(rest_.front()));
    if (word == "true" || word == "false") {
      value.kind = Value::Kind::kBoolean;
      value.boolean = word == "true";
    } else if (word == "null") {
      value.kind = Value::Kind::kNull;
    } else {
      CPPLAND_TRY(parse_number(word, value));
    }
    advance(word.size());
    return {};
  }

  Result<void> parse_number(std::string_view word, Value& value) const {
    const auto [end, status] =
        std::from_chars(word.data(), word.data() + word.size(), value.integer);
    const bool whole = end == word.data() + word.size();
    if (status == std::errc::result_out_of_range) return wrong("{} is too large a number", word);
    if (status == std::errc() && whole) {
      value.kind = Value::Kind::kInteger;
      return {};
    }
    double real = 0;
    const auto done = std::from_chars(word.data(), word.data() + word.size(), real);
    if (done.ec != std::errc() || done.ptr != word.data() + word.size())
      return wrong("\"{}\" is no value (text needs double quotes)", word);
    value.kind = Value::Kind::kReal;
    value.text = word;
    return {};
  }

  static std::string printable(char c) {
    const auto code = static_cast<unsigned char>(c);
    return code > 0x20 && code < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", code);
  }

  std::string_view rest_;
  unsigned line_ = 1;
};

}  // namespace

std::string_view name_of(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNone:
      return "nothing";
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBoolean:
      return "true or false";
    case Value::Kind::kInteger:
      return "a whole number";
    case Value::Kind::kReal:
      return "a number with a fraction";
    case Value::Kind::kString:
      return "a string";
    case Value::Kind::kArray:
      return "an array";
    case Value::Kind::kObject:
      return "an object";
  }
  return "nothing";
}

Result<Value> parse_json(std::string_view text) { return Parser(text).document(); }

}  // namespace cppland::sim::rtapp
