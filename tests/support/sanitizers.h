// SPDX-License-Identifier: GPL-2.0-only
// sanitizers.h - whether this build is instrumented, for tests of what instrumentation changes.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CPPLAND_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CPPLAND_SANITIZED 1
#endif
#endif
#ifndef CPPLAND_SANITIZED
#define CPPLAND_SANITIZED 0
#endif

namespace cppland::testing {

inline constexpr bool kSanitized = CPPLAND_SANITIZED != 0;

}  // namespace cppland::testing
