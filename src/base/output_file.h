// SPDX-License-Identifier: GPL-2.0-only
// output_file.h - a file that is written bit by bit, and is there when it is whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland {

// Writes into a file beside the one that is meant, which takes its place in commit(); without that
// nothing is left, and what was there before stays. What is no regular file (/dev/stdout, a pipe)
// is written to as it is.
class OutputFile {
 public:
  // Fails if the file cannot be made; so it is to be called before any long work.
  [[nodiscard]] static Result<OutputFile> create(const std::string& path);

  // Where that puts the file: where all symbolic links lead, so that they stay what they are.
  [[nodiscard]] static std::string place_of(const std::string& path);

  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) = delete;
  ~OutputFile();

  // Buffered. What goes wrong is kept for commit(), and later calls do nothing.
  void write(std::string_view text);
  [[nodiscard]] bool failed() const noexcept { return errno_ != 0; }

  // Everything is written, but not in its place yet. What has to be told of the disk is told here,
  // as far as it knows.
  [[nodiscard]] Result<void> finish();

  // Everything is written and in its place. To be called once, at the end.
  [[nodiscard]] Result<void> commit();

 private:
  OutputFile(std::string path, std::unique_ptr<std::string> temporary, UniqueFd fd);
  void flush();

  std::string path_;
  std::unique_ptr<std::string> temporary_;  // null: none. Its address stays, for the list of all
  UniqueFd fd_;
  std::string buffer_;
  int errno_ = 0;
};

// Removes what files have been written to that are not committed. For who is about to leave without
// destructors; async-signal-safe.
void remove_unfinished_files() noexcept;

}  // namespace cppland
