// SPDX-License-Identifier: GPL-2.0-only
// libbpf_log.cc - what libbpf says: shown with --verbose, otherwise its last warning kept for an error message.
#include "kernel/live/libbpf_log.h"

#include <bpf/libbpf.h>

#include <array>
#include <cstdarg>
#include <cstdio>

#include "base/text.h"

namespace cppland::live {
namespace {

constexpr std::size_t kKept = 4096;

// libbpf's callback has no argument of its own.
LibbpfLog* current = nullptr;

}  // namespace

struct LibbpfPrinter {
  static int print(libbpf_print_level level, const char* format, va_list args) {
    if (!current) return 0;
    if (current->show_) return std::vfprintf(stderr, format, args);
    if (level != LIBBPF_WARN) return 0;
    std::array<char, 1024> line{};
    std::vsnprintf(line.data(), line.size(), format, args);
    std::string_view text = trim(line.data());
    if (text.starts_with("libbpf: ")) text.remove_prefix(8);
    // A verifier's log is many lines long: the last ones say what is wrong.
    current->warnings_ += (current->warnings_.empty() ? "" : "; ") + std::string(text);
    if (current->warnings_.size() > kKept)
      current->warnings_.erase(0, current->warnings_.size() - kKept);
    return 0;
  }
};

LibbpfLog::LibbpfLog(bool show) : show_(show) {
  current = this;
  libbpf_set_print(LibbpfPrinter::print);
}

LibbpfLog::~LibbpfLog() { current = nullptr; }

std::string LibbpfLog::last_words() const {
  if (show_) return "libbpf's messages are above";
  return warnings_.empty() ? "no further message" : warnings_;
}

}  // namespace cppland::live
