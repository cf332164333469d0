// SPDX-License-Identifier: GPL-2.0-only
// output_file.cc - a file that is written bit by bit, and is there when it is whole.
#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/file.h"

namespace cppland {
namespace {

constexpr std::size_t kBuffer = 1U << 16U;
constexpr mode_t kMode = 0644;

// Where a chain of symbolic links leads, so that the link stays and its target is replaced.
std::string target_of(const std::string& path) {
  std::error_code none;
  const auto target = std::filesystem::canonical(path, none);
  return none ? path : target.string();
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::string& path) {
  struct stat there{};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode))
    return OutputFile(path, "", CPPLAND_TRY(open_file(path, O_WRONLY)));
  // Whoever may not write to the file may not replace it either.
  if (exists && ::access(path.c_str(), W_OK) != 0) return error(errno, "open {}", path);
  std::string target = target_of(path);
  std::string temporary = fmt::format("{}.{}.part", target, ::getpid());
  auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, kMode);
  if (!fd) return error(fd.error().code(), "open {}", path);
  return OutputFile(std::move(target), std::move(temporary), std::move(*fd));
}

OutputFile::OutputFile(std::string path, std::string temporary, UniqueFd fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {
  buffer_.reserve(kBuffer);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)),
      buffer_(std::move(other.buffer_)),
      errno_(other.errno_) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::write(std::string_view text) {
  if (failed()) return;
  buffer_.append(text);
  if (buffer_.size() >= kBuffer) flush();
}

void OutputFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty() && !failed()) {
    const ssize_t put = ::write(fd_.get(), left.data(), left.size());
    if (put >= 0) {
      left.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      errno_ = errno;
    }
  }
  buffer_.clear();
}

Result<void> OutputFile::commit() {
  flush();
  if (failed()) return error(errno_, "write {}", path_);
  // Some file systems notice only now that there is no room.
  if (::close(fd_.release()) != 0) return error(errno, "write {}", path_);
  if (temporary_.empty()) return {};
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return error(errno, "write {}", path_);
  temporary_.clear();
  return {};
}

}  // namespace cppland
