// SPDX-License-Identifier: GPL-2.0-only
// libbpf_log.cc - what libbpf says: shown with --verbose, otherwise its warnings kept for an error
// message.
#include "kernel/live/libbpf_log.h"

#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace cppland::live {
namespace {

constexpr std::size_t kKept = 1024;

// libbpf's callback has no argument of its own.
LibbpfLog* current = nullptr;

}  // namespace

struct LibbpfPrinter {
  [[gnu::format(printf, 2, 0)]] static int print(libbpf_print_level level, const char* format,
                                                 va_list args) {
    if (!current) return 0;
    if (current->show_) return std::vfprintf(stderr, format, args);
    if (level != LIBBPF_WARN) return 0;
    std::array<char, 1024> line{};
    std::vsnprintf(line.data(), line.size(), format, args);
    std::string_view text = trim(line.data());
    if (text.starts_with("libbpf: ")) text.remove_prefix(8);
    // Of a verifier's log, which is thousands of lines long, only that there is one: --verbose
    // shows it.
    text = text.substr(0, text.find('\n'));
    if (text.ends_with("LOG --") || current->warnings_.size() + text.size() > kKept) return 0;
    current->warnings_ += (current->warnings_.empty() ? "" : "; ") + std::string(text);
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

std::string libbpf_words(int err) {
  std::array<char, 128> words{};
  libbpf_strerror(err, words.data(), words.size());
  return words.data();
}

int libbpf_errno(int err) noexcept {
  const int positive = std::abs(err);
  return positive < __LIBBPF_ERRNO__START ? positive : EINVAL;
}

}  // namespace cppland::live
