// The bytes of a file, gzipped or not, block by block.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::learning {

// One thread.
class TextFile {
 public:
  // "-" is standard input. Cannot be opened, or is a directory: kNoInput.
  static base::Result<TextFile> open(const std::string& path);
  TextFile(TextFile&&) noexcept;
  ~TextFile();

  // Up to `size` unpacked bytes; 0 at the end. A damaged or truncated gzip
  // stream, anything but another one or zeros behind it, or a failed read:
  // kData, saying what but not where.
  base::Result<size_t> read(char* bytes, size_t size);
  // The first of what read() will give, valid until then; empty at the end.
  base::Result<std::string_view> peek();

 private:
  struct Stream;
  explicit TextFile(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

// As messages name the file: "stdin" for "-".
std::string shown_path(const std::string& path);

}  // namespace llmroute::learning
