// SPDX-License-Identifier: GPL-2.0-only
// rtapp.h - a workload out of an rt-app file.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sim/workload.h"

namespace cppland::sim::rtapp {

// @text is the file's. EINVAL names line and key.
[[nodiscard]] Result<std::unique_ptr<Workload>> load(std::string_view text);

}  // namespace cppland::sim::rtapp
