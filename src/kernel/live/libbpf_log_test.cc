// SPDX-License-Identifier: GPL-2.0-only
// libbpf_log_test.cc - libbpf's warnings are kept for a message, or shown.

#include "kernel/live/libbpf_log.h"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace cppland::live {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

// Makes libbpf complain about a file.
void complain(const std::string& path = "/no/such/object") {
  bpf_object__close(bpf_object__open_file(path.c_str(), nullptr));
}

TEST(LibbpfLog, HasNothingToSayAtFirst) {
  EXPECT_EQ(LibbpfLog(false).last_words(), "no further message");
}

TEST(LibbpfLog, KeepsWarningsInOneLine) {
  const LibbpfLog log(false);
  CaptureStderr();
  complain("/no/such/first");
  complain("/no/such/second");
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_THAT(log.last_words(),
              AllOf(HasSubstr("/no/such/first"), HasSubstr("; "), HasSubstr("/no/such/second"),
                    Not(HasSubstr("libbpf: ")), Not(HasSubstr("\n"))));
}

TEST(LibbpfLog, KeepsNoMoreThanAMessageCanHold) {
  const LibbpfLog log(false);
  for (int i = 0; i < 1000; ++i) {
    complain();
  }
  EXPECT_LE(log.last_words().size(), 2048U);
}

TEST(LibbpfLog, ShowsEverythingWhenAsked) {
  const LibbpfLog log(true);
  CaptureStderr();
  complain();
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("/no/such/object"));
  EXPECT_EQ(log.last_words(), "libbpf's messages are above");
}

TEST(LibbpfLog, IsSilentWhenNobodyListens) {
  {
    const LibbpfLog log(true);
  }
  CaptureStderr();
  complain();
  EXPECT_EQ(GetCapturedStderr(), "");
}

}  // namespace
}  // namespace cppland::live
