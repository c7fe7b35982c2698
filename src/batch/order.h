// Finished lines wait here until all before them are finished.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace llmroute::batch {

struct FinishedLine {
  std::string text;  // without its end
  bool ok = false;
};

// Places are given in the order of the input, from 0 on.
class Order {
 public:
  int64_t take_place() {
    lines_.emplace_back();
    return first_ + static_cast<int64_t>(lines_.size()) - 1;
  }
  // REQUIRES: the place was taken and is not filled.
  void put(int64_t place, FinishedLine line) {
    bytes_ += line.text.size();
    lines_[static_cast<size_t>(place - first_)] = std::move(line);
  }
  // The next line in order, if it is finished.
  std::optional<FinishedLine> next() {
    if (lines_.empty() || !lines_.front()) return std::nullopt;
    std::optional<FinishedLine> line = std::move(lines_.front());
    lines_.pop_front();
    ++first_;
    bytes_ -= line->text.size();
    return line;
  }
  // Gives up the places before the next finished line.
  void skip_unfinished() {
    while (!lines_.empty() && !lines_.front()) {
      lines_.pop_front();
      ++first_;
    }
  }
  // Places taken and not handed out yet, and the bytes of their lines.
  size_t size() const { return lines_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  std::deque<std::optional<FinishedLine>> lines_;
  int64_t first_ = 0;
  size_t bytes_ = 0;
};

}  // namespace llmroute::batch
