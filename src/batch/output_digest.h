// What an output file holds, by size and SHA-256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace llmroute::batch {

struct OutputDigest {
  std::string sha256;  // lower-case hex
  int64_t size = 0;

  bool operator==(const OutputDigest&) const = default;
};

// Of the file at `path`; nothing if there is no such regular file. Cannot be
// read: kIo. Reads all of it, a block at a time.
base::Result<std::optional<OutputDigest>> read_output_digest(
    const std::string& path);

}  // namespace llmroute::batch
