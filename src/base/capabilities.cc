// SPDX-License-Identifier: GPL-2.0-only
// capabilities.cc - what root may, given up.
#include "base/capabilities.h"

#include <cap-ng.h>

#include <cerrno>

namespace cppland {

Result<void> drop_capabilities() {
  capng_get_caps_process();
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) == 0) return {};
  return error(errno != 0 ? errno : EPERM, "giving up capabilities");
}

}  // namespace cppland
