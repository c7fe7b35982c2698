#include "batch/line_index.h"

#include <cassert>
#include <span>
#include <utility>

namespace llmroute::batch {
namespace {

uint64_t place(int64_t line) {
  assert(line >= 1 && line <= kMostLines);
  return static_cast<uint64_t>(line - 1) * sizeof(uint64_t);
}

}  // namespace

base::Result<std::optional<uint64_t>> LineIndex::find(int64_t line) const {
  if (!file_) return std::optional<uint64_t>();
  uint64_t stored[1] = {0};  // offset + 1; 0: none
  LLMROUTE_CHECK(
      file_->read(place(line), std::as_writable_bytes(std::span(stored))));
  return stored[0] == 0 ? std::nullopt : std::optional(stored[0] - 1);
}

base::Status LineIndex::set(int64_t line, uint64_t offset) {
  if (!file_) {
    LLMROUTE_TRY(base::ScratchFile file, base::ScratchFile::create(directory_));
    file_.emplace(std::move(file));
  }
  const uint64_t stored[1] = {offset + 1};
  return file_->write(place(line), std::as_bytes(std::span(stored)));
}

}  // namespace llmroute::batch
