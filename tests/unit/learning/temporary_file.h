// A file that goes away with its test.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/files.h"

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes) {
    char name[] = "/tmp/llmroute-learning-XXXXXX";
    const llmroute::base::Descriptor file(::mkstemp(name));
    path_ = name;
    REQUIRE(llmroute::base::write_all(file.get(), bytes) == 0);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
