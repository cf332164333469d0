// SPDX-License-Identifier: GPL-2.0-only
// fuzz_words.h - a fuzzer's input as a command line: a word for each of its lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace cppland::testing {

class FuzzWords {
 public:
  // Without what could be a file that is read for ever.
  FuzzWords(std::string program, const std::uint8_t* data, std::size_t size) {
    words_.push_back(std::move(program));
    words_.emplace_back();
    for (std::size_t i = 0; i < size; ++i) {
      if (data[i] == '\n')
        words_.emplace_back();
      else if (data[i] != '\0')
        words_.back().push_back(static_cast<char>(data[i]));
    }
    if (words_.back().empty()) words_.pop_back();
    for (const std::string& word : words_)
      if (word.find("/dev/") == std::string::npos && word.find("/proc/") == std::string::npos)
        argv_.push_back(word.c_str());
  }

  [[nodiscard]] int argc() const { return static_cast<int>(argv_.size()); }
  [[nodiscard]] const char* const* argv() const { return argv_.data(); }

 private:
  std::deque<std::string> words_;
  std::vector<const char*> argv_;
};

}  // namespace cppland::testing
