// SPDX-License-Identifier: GPL-2.0-only
// rtapp_json_test.cc - the dialect that is taken, and the lines that errors name.
#include "sim/workloads/rtapp_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cppland::sim::rtapp {
namespace {

using ::testing::HasSubstr;

Value parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << value.error().message();
  return value ? *value : Value{};
}

std::string message(std::string_view text) {
  const auto value = parse_json(text);
  EXPECT_FALSE(value);
  return value ? "" : value.error().message();
}

TEST(RtAppJson, KeepsOrderAndKeysThatComeAgain) {
  const Value value = parsed(R"({"run": 1, "sleep": 2, "run": 3})");
  ASSERT_EQ(value.members.size(), 3U);
  EXPECT_EQ(value.members[0].key, "run");
  EXPECT_EQ(value.members[1].key, "sleep");
  EXPECT_EQ(value.members[2].key, "run");
  EXPECT_EQ(value.members[2].value.integer, 3);
}

TEST(RtAppJson, TakesKeysWithoutValuesCommasAtTheEndAndComments) {
  const Value value =
      parsed("{ /* one\n * \"x\" : 1\n */\n\"suspend\", // two\n\"a\" : [1, 2,],\n}");
  ASSERT_EQ(value.members.size(), 2U);
  EXPECT_EQ(value.members[0].value.kind, Value::Kind::kNone);
  EXPECT_EQ(value.members[0].line, 4U);
  EXPECT_EQ(value.members[1].value.items.size(), 2U);
  EXPECT_EQ(value.members[1].line, 5U);
}

TEST(RtAppJson, KnowsAllKindsOfValues) {
  const Value value = parsed(R"({"a": -7, "b": 1.5, "c": "x\"y", "d": true, "e": null, "f": {}})");
  ASSERT_EQ(value.members.size(), 6U);
  EXPECT_EQ(value.members[0].value.integer, -7);
  EXPECT_EQ(value.members[1].value.kind, Value::Kind::kReal);
  EXPECT_EQ(value.members[2].value.text, "x\"y");
  EXPECT_TRUE(value.members[3].value.boolean);
  EXPECT_EQ(value.members[4].value.kind, Value::Kind::kNull);
  EXPECT_EQ(value.members[5].value.kind, Value::Kind::kObject);
}

TEST(RtAppJson, SaysWhichLineIsWrong) {
  EXPECT_THAT(message("{\n\"a\" : 1\n\"b\" : 2 }"), HasSubstr("line 3: key \"a\": a comma or }"));
  EXPECT_THAT(message("{\n\n\"a : 1\n}"), HasSubstr("line 3: a string without its closing quote"));
  EXPECT_THAT(message("{ \"a\" : hello }"), HasSubstr("\"hello\" is no value"));
  EXPECT_THAT(message("{ \"a\" : 1-2 }"), HasSubstr("\"1-2\" is no value"));
  EXPECT_THAT(message("{ \"a\" : 99999999999999999999 }"), HasSubstr("too large a number"));
  EXPECT_THAT(message("{ \"a\" : \x01 }"), HasSubstr("\"\\x01\" is no value"));
  EXPECT_THAT(message("{ a : 1 }"), HasSubstr("a key in double quotes"));
  EXPECT_THAT(message("{ \"a\" : [1 2] }"), HasSubstr("a comma or ]"));
  EXPECT_THAT(message("{ \"a\" : \"\\u0041\" }"), HasSubstr("may be escaped"));
  EXPECT_THAT(message("{ /* \n }"), HasSubstr("a comment without an end"));
  EXPECT_THAT(message("{}\n{}"), HasSubstr("line 2: something follows"));
  EXPECT_THAT(message(""), HasSubstr("the file ends"));
  EXPECT_THAT(message("{ \"a\" : "), HasSubstr("the file ends"));
}

TEST(RtAppJson, RefusesBottomlessNesting) {
  EXPECT_THAT(message(std::string(100'000, '[')), HasSubstr("within each other"));
}

}  // namespace
}  // namespace cppland::sim::rtapp
