// SPDX-License-Identifier: GPL-2.0-only
// result.cc - the parts of Error that need no template.

#include "base/result.h"

#include <system_error>

namespace cppland {

Error::Error(int code, std::string tried, std::source_location where)
    : code_(code < 0 ? -code : code), tried_(std::move(tried)), where_(where) {}

std::string Error::message() const {
  return fmt::format("{}: {}", tried_, std::generic_category().message(code_));
}

void Error::add_context(std::string_view context) {
  tried_ = fmt::format("{}: {}", context, tried_);
}

}  // namespace cppland
