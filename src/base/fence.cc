#include "base/fence.h"

#include <algorithm>

namespace llmroute::base {
namespace {

struct Fence {
  size_t indent = 0, length = 0;  // length 0: it is none
  char mark = '`';
  std::string_view rest;  // what follows the marks
};

Fence fence_of(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  Fence fence;
  fence.indent = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(fence.indent);
  if (fence.indent > 3 || line.empty()) return {};
  fence.mark = line.front();
  if (fence.mark != '`' && fence.mark != '~') return {};
  fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
  fence.rest = line.substr(fence.length);
  return fence.length >= 3 ? fence : Fence{};
}

bool opens(const Fence& fence) {
  const bool inline_code =
      fence.mark == '`' && fence.rest.find('`') != std::string_view::npos;
  return fence.length > 0 && !inline_code;
}

}  // namespace

std::string FenceFilter::take(std::string_view line) {
  const Fence fence = fence_of(line);
  if (state_ == State::kBefore) {
    if (!opens(fence)) return {};
    state_ = State::kInside;
    mark_ = fence.mark;
    length_ = fence.length;
    indent_ = fence.indent;
    return {};
  }
  const bool closes =
      fence.mark == mark_ && fence.length >= length_ &&
      fence.rest.find_first_not_of(" \t") == std::string_view::npos;
  if (closes) {
    state_ = State::kAfter;
    return {};
  }
  const size_t blanks = std::min(line.find_first_not_of(' '), line.size());
  return std::string(line.substr(std::min(indent_, blanks)));
}

std::string FenceFilter::feed(std::string_view piece) {
  std::string out;
  while (!piece.empty() && state_ != State::kAfter) {
    const size_t end = std::min(piece.find('\n'), piece.size() - 1) + 1;
    line_ += piece.substr(0, end);
    piece.remove_prefix(end);
    if (line_.back() != '\n') break;
    out += take(line_);
    line_.clear();
  }
  return out;
}

std::string FenceFilter::finish() {
  std::string out;
  if (!line_.empty() && state_ != State::kAfter) out = take(line_);
  line_.clear();
  return out;
}

}  // namespace llmroute::base
