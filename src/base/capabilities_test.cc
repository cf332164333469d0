// SPDX-License-Identifier: GPL-2.0-only
// capabilities_test.cc - what is given up is gone. As root it says most.
#include "base/capabilities.h"

#include <cap-ng.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cppland {
namespace {

bool none_is_left() {
  if (!drop_capabilities()) return false;
  capng_clear(CAPNG_SELECT_ALL);
  return capng_get_caps_process() == 0 && capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE;
}

// In a process of its own: none comes back from this.
template <typename Holds>
int status_of(Holds holds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Capabilities, AreGivenUp) { EXPECT_EQ(status_of(none_is_left), 0); }

TEST(Capabilities, AreGivenUpTwice) {
  EXPECT_EQ(status_of([] { return none_is_left() && none_is_left(); }), 0);
}

TEST(Capabilities, DoNotComeBackWithAnotherProgram) {
  if (::geteuid() != 0) GTEST_SKIP() << "root only could keep them";
  EXPECT_EQ(status_of([] {
              return none_is_left() && ::prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0;
            }),
            0);
}

}  // namespace
}  // namespace cppland
