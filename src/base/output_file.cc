// SPDX-License-Identifier: GPL-2.0-only
// output_file.cc - a file that is written bit by bit, and is there when it is whole.
#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/file.h"

namespace cppland {
namespace {

constexpr std::size_t kBuffer = 1U << 16U;
constexpr mode_t kMode = 0644;

// Names of temporary files, of which a process has one or two. One that finds no room in here is
// left behind by remove_unfinished_files().
// NOLINTNEXTLINE(*-non-const-global-variables): a signal handler reads it
std::array<std::atomic<const char*>, 8> unfinished{};

void replace_unfinished(const char* old, const char* by) noexcept {
  for (auto& place : unfinished) {
    const char* expected = old;
    if (place.compare_exchange_strong(expected, by)) return;
  }
}

constexpr int kMostLinks = 40;  // as the kernel has it

}  // namespace

std::string OutputFile::place_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code wrong;
  fs::path place = path;
  // canonical() wants that there is a file; a link may lead to where there will be one.
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(place, wrong)); ++i)
    place = place.parent_path() / fs::read_symlink(place, wrong);
  const fs::path folder = fs::canonical(fs::absolute(place, wrong).parent_path(), wrong);
  return wrong ? path : (folder / place.filename()).string();
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  struct stat there{};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode))
    return OutputFile(path, nullptr, CPPLAND_TRY(open_file(path, O_WRONLY)));
  // Whoever may not write to the file may not replace it either.
  if (exists && ::access(path.c_str(), W_OK) != 0) return error(errno, "open {}", path);
  if (!exists && errno != ENOENT) return error(errno, "open {}", path);
  std::string target = place_of(path);
  auto temporary = std::make_unique<std::string>(fmt::format("{}.{}.part", target, ::getpid()));
  auto fd = open_file(*temporary, O_WRONLY | O_CREAT | O_TRUNC, kMode);
  if (!fd) return error(fd.error().code(), "open {}", path);
  return OutputFile(std::move(target), std::move(temporary), std::move(*fd));
}

OutputFile::OutputFile(std::string path, std::unique_ptr<std::string> temporary, UniqueFd fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {
  if (temporary_) replace_unfinished(nullptr, temporary_->c_str());
  buffer_.reserve(kBuffer);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::move(other.fd_)),
      buffer_(std::move(other.buffer_)),
      errno_(other.errno_) {}

OutputFile::~OutputFile() {
  if (!temporary_) return;
  ::unlink(temporary_->c_str());
  replace_unfinished(temporary_->c_str(), nullptr);
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

Result<void> OutputFile::finish() {
  flush();
  if (failed()) return error(errno_, "write {}", path_);
  return {};
}

Result<void> OutputFile::commit() {
  CPPLAND_TRY(finish());
  // Some file systems notice only now that there is no room.
  if (::close(fd_.release()) != 0) return error(errno, "write {}", path_);
  if (!temporary_) return {};
  if (std::rename(temporary_->c_str(), path_.c_str()) != 0) return error(errno, "write {}", path_);
  replace_unfinished(temporary_->c_str(), nullptr);
  temporary_.reset();
  return {};
}

void remove_unfinished_files() noexcept {
  for (const auto& place : unfinished) {
    if (const char* name = place.load()) ::unlink(name);
  }
}

}  // namespace cppland
