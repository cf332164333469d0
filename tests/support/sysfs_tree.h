// SPDX-License-Identifier: GPL-2.0-only
// sysfs_tree.h - sysfs as a map from path to content: read from fixtures, changed by tests, written
// out.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cppland::testing {

// Contents by path below the root. A final newline is added when a file is read, as the kernel
// does.
class SysfsTree {
 public:
  SysfsTree() = default;

  // From lines of the form "path: content"; empty lines, lines without ": " and those that begin
  // with
  // '#' say nothing.
  explicit SysfsTree(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const auto colon = line.find(": ");
      if (colon != std::string_view::npos && !line.starts_with('#')) {
        files_[std::string(line.substr(0, colon))] = std::string(line.substr(colon + 2));
      }
    }
  }

  // tests/data/sysfs/NAME.txt
  static SysfsTree captured(const std::string& name) {
    const char* data = std::getenv("CPPLAND_TEST_DATA");  // NOLINT(concurrency-mt-unsafe)
    std::ifstream file(std::string(data != nullptr ? data : "tests/data") + "/sysfs/" + name +
                       ".txt");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return SysfsTree(text);
  }

  [[nodiscard]] bool empty() const { return files_.empty(); }

  SysfsTree& set(const std::string& path, std::string content) {
    files_[path] = std::move(content);
    return *this;
  }

  // Takes away every file whose path has `part` in it.
  SysfsTree& remove(std::string_view part) {
    std::erase_if(files_,
                  [&](const auto& file) { return file.first.find(part) != file.first.npos; });
    return *this;
  }

  // A file as it would be read.
  [[nodiscard]] Result<std::string> read(const std::string& path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) {
      return error(ENOENT, "open {}", path);
    }
    return found->second + '\n';
  }

  // Makes files of it all.
  void write_below(const std::filesystem::path& root) const {
    for (const auto& [path, content] : files_) {
      std::filesystem::create_directories((root / path).parent_path());
      std::ofstream(root / path) << content << '\n';
    }
  }

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace cppland::testing
