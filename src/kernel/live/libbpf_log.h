// SPDX-License-Identifier: GPL-2.0-only
// libbpf_log.h - what libbpf says: shown with --verbose, otherwise its warnings kept for an error
// message.
#pragma once

#include <string>

namespace cppland::live {

// While it lives, libbpf's messages go here. One at a time, and libbpf is called from one thread
// only.
class LibbpfLog {
 public:
  explicit LibbpfLog(bool show);
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  // The warnings so far, in one line; "no further message" if there was none.
  [[nodiscard]] std::string last_words() const;

 private:
  bool show_;
  std::string warnings_;
  friend struct LibbpfPrinter;
};

// What a number says that libbpf has left in errno; some are of its own.
[[nodiscard]] std::string libbpf_words(int err);

// Such a number as one of errno's.
[[nodiscard]] int libbpf_errno(int err) noexcept;

}  // namespace cppland::live
