// A directory that goes away with its test.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/llmroute-batch-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // Returns the file's path.
  std::string write(const std::string& name, std::string_view bytes) const {
    REQUIRE(llmroute::base::replace_file(path(name), bytes));
    return path(name);
  }
  std::string read(const std::string& name) const {
    auto bytes = llmroute::base::read_file(path(name), size_t{64} << 20);
    REQUIRE(bytes);
    return *std::move(bytes);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string path_;
};
