// SPDX-License-Identifier: GPL-2.0-only
// output_file_test.cc - a file appears when it is whole, or not at all.
#include "base/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"

namespace cppland {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

 private:
  std::string folder_ = ::testing::TempDir() + "cppland_output_file_test.XXXXXX";
};

TEST_F(OutputFileTest, IsThereOnceItIsWhole) {
  auto file = OutputFile::create(path("f"));
  ASSERT_TRUE(file);
  std::string all;
  for (int i = 0; i < 50'000; ++i) {
    file->write("piece;");
    all += "piece;";
  }
  EXPECT_FALSE(fs::exists(path("f")));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read_file(path("f")), all);
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, LeavesNothingIfItIsGivenUp) {
  ASSERT_TRUE(write_file(path("f"), "old"));
  {
    auto file = OutputFile::create(path("f"));
    ASSERT_TRUE(file);
    file->write("new");
    const OutputFile moved = std::move(*file);
  }
  EXPECT_EQ(read_file(path("f")), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, MayBeLeftUnfinished) {
  auto whole = OutputFile::create(path("whole"));
  auto given_up = OutputFile::create(path("given_up"));
  auto unfinished = OutputFile::create(path("unfinished"));
  ASSERT_TRUE(whole && given_up && unfinished);
  ASSERT_TRUE(whole->commit());
  {
    const OutputFile moved = std::move(*given_up);
  }
  const OutputFile moved = std::move(*unfinished);
  EXPECT_EQ(files(), 2);
  remove_unfinished_files();
  EXPECT_EQ(files(), 1);
  EXPECT_TRUE(fs::exists(path("whole")));
}

TEST_F(OutputFileTest, ReplacesWhatALinkLeadsTo) {
  ASSERT_TRUE(write_file(path("target"), "old"));
  fs::create_symlink("target", path("link"));
  auto file = OutputFile::create(path("link"));
  ASSERT_TRUE(file);
  file->write("new");
  ASSERT_TRUE(file->commit());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("target")), "new");
}

TEST_F(OutputFileTest, IsMadeWhereALinkLeadsToNothing) {
  fs::create_directory(path("folder"));
  fs::create_symlink("folder/target", path("link"));
  auto file = OutputFile::create(path("link"));
  ASSERT_TRUE(file);
  file->write("new");
  ASSERT_TRUE(file->commit());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("folder/target")), "new");
}

TEST_F(OutputFileTest, LeavesLinksThatLeadToEachOther) {
  fs::create_symlink("b", path("a"));
  fs::create_symlink("a", path("b"));
  const auto file = OutputFile::create(path("a"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ELOOP);
}

TEST_F(OutputFileTest, HasOnePlaceByAllItsNames) {
  fs::create_directory(path("folder"));
  fs::create_symlink("folder/f", path("link"));
  EXPECT_EQ(OutputFile::place_of(path("link")), OutputFile::place_of(path("folder/../folder/f")));
  EXPECT_EQ(OutputFile::place_of("f"), OutputFile::place_of("./f"));
  EXPECT_NE(OutputFile::place_of("f"), OutputFile::place_of("g"));
}

TEST_F(OutputFileTest, NamesTheFileThatCannotBeMade) {
  const auto no_folder = OutputFile::create(path("none/f"));
  ASSERT_FALSE(no_folder);
  EXPECT_EQ(no_folder.error().code(), ENOENT);
  EXPECT_EQ(no_folder.error().tried(), "open " + path("none/f"));
  const auto folder = OutputFile::create(path("."));
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code(), EISDIR);
}

TEST_F(OutputFileTest, SaysThatTheDiskIsFull) {
  auto file = OutputFile::create("/dev/full");
  ASSERT_TRUE(file);
  file->write("x");
  const auto done = file->commit();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "write /dev/full: No space left on device");
}

TEST_F(OutputFileTest, NoticesAFullDiskWhileItWrites) {
  auto file = OutputFile::create("/dev/full");
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->failed());
  file->write(std::string(100'000, 'x'));
  EXPECT_TRUE(file->failed());
}

TEST_F(OutputFileTest, IsNotInItsPlaceWhenItIsFinished) {
  auto full = OutputFile::create("/dev/full");
  ASSERT_TRUE(full);
  full->write("x");
  EXPECT_FALSE(full->finish());
  {
    auto file = OutputFile::create(path("f"));
    ASSERT_TRUE(file);
    file->write("x");
    EXPECT_TRUE(file->finish());
    EXPECT_FALSE(fs::exists(path("f")));
  }
  EXPECT_EQ(files(), 0);
}

TEST_F(OutputFileTest, WritesIntoAPipeAsItIs) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto reader = open_file(path("pipe"), O_RDWR);
  ASSERT_TRUE(reader);
  auto file = OutputFile::create(path("pipe"));
  ASSERT_TRUE(file);
  file->write("news");
  ASSERT_TRUE(file->commit());
  std::string got(4, ' ');
  EXPECT_EQ(::read(reader->get(), got.data(), got.size()), 4);
  EXPECT_EQ(got, "news");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

}  // namespace
}  // namespace cppland
