// A directory that is removed with its files when the test ends.
#pragma once

#include <dirent.h>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/files.h"

namespace llmroute::config {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/llmroute-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { remove(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string write(const std::string& name, const std::string& text,
                    mode_t mode = 0600) const {
    const std::string to = file(name);
    REQUIRE(base::create_directories(base::parent_directory(to)));
    REQUIRE(base::replace_file(to, text));
    REQUIRE(::chmod(to.c_str(), mode) == 0);
    return to;
  }

 private:
  static void remove(const std::string& path) {
    if (DIR* entries = ::opendir(path.c_str())) {
      while (const dirent* entry = ::readdir(entries)) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        const std::string inner = path + "/" + name;
        struct stat info {};
        if (::lstat(inner.c_str(), &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) {
          remove(inner);
        } else {
          ::unlink(inner.c_str());
        }
      }
      ::closedir(entries);
    }
    ::rmdir(path.c_str());
  }

  std::string path_;
};

}  // namespace llmroute::config
