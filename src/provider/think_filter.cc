#include "provider/think_filter.h"

#include <algorithm>
#include <utility>

namespace llmroute::provider {
namespace {

constexpr std::string_view kOpen = "<think>";
constexpr std::string_view kClose = "</think>";
constexpr std::string_view kBlank = " \t\r\n";

}  // namespace

// Whether the text begins with the tag; "" until that is known.
std::string ThinkFilter::begin() {
  const size_t first = held_.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  const std::string_view rest = std::string_view(held_).substr(first);
  if (rest.starts_with(kOpen)) {
    state_ = State::kThinking;
    held_.erase(0, first + kOpen.size());
    return feed({});
  }
  if (kOpen.starts_with(rest)) return {};
  state_ = State::kPassing;
  return std::exchange(held_, {});
}

std::string ThinkFilter::feed(std::string_view piece) {
  if (state_ == State::kPassing) return std::string(piece);
  held_ += piece;
  if (state_ == State::kBefore) return begin();
  if (state_ == State::kThinking) {
    const size_t end = held_.find(kClose);
    if (end == std::string::npos) {
      held_.erase(0, held_.size() - std::min(held_.size(), kClose.size() - 1));
      return {};
    }
    state_ = State::kAfter;
    held_.erase(0, end + kClose.size());
  }
  const size_t text = held_.find_first_not_of(kBlank);
  held_.erase(0, std::min(text, held_.size()));
  if (!held_.empty()) state_ = State::kPassing;
  return std::exchange(held_, {});
}

std::string ThinkFilter::finish() {
  return state_ == State::kBefore ? std::exchange(held_, {}) : std::string();
}

}  // namespace llmroute::provider
