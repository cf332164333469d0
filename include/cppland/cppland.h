// SPDX-License-Identifier: GPL-2.0-only
// cppland.h - everything that a policy's author needs.
#pragma once

#include <cppland/policy.h>     // IWYU pragma: export
#include <cppland/scheduler.h>  // IWYU pragma: export
#include <cppland/task.h>       // IWYU pragma: export
