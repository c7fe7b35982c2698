// Where the record of an input line is in a file: line -> offset, on disk, so
// that memory does not grow with the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace llmroute::batch {

// Of an input; far more than any disk holds.
inline constexpr int64_t kMostLines = 1'000'000'000'000;

// One thread. A nameless sparse file of 8 bytes a line.
class LineIndex {
 public:
  // The file is made in `directory` when it is first needed.
  explicit LineIndex(std::string directory)
      : directory_(std::move(directory)) {}

  // REQUIRES: 1 <= line <= kMostLines. Errors: kIo; kCannotCreate.
  base::Result<std::optional<uint64_t>> find(int64_t line) const;
  // REQUIRES: offset < 2^64 - 1.
  base::Status set(int64_t line, uint64_t offset);

 private:
  std::string directory_;
  std::optional<base::ScratchFile> file_;
};

}  // namespace llmroute::batch
