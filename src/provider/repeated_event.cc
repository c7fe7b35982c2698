#include "provider/repeated_event.h"

#include <algorithm>

#include "base/utf8.h"

namespace llmroute::provider {
namespace {

constexpr size_t kLargest = 4096;  // larger ones are decoded

// Stands for itself between quotes.
bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) {
                        const auto byte = static_cast<unsigned char>(c);
                        return byte < 0x20 || c == '"' || c == '\\';
                      }) &&
         !base::find_invalid_utf8(text);
}

}  // namespace

// Without the promise that it is a string.
std::optional<std::string_view> RepeatedEvent::between(
    std::string_view event) const {
  if (!known_ || event.size() < before_.size() + after_.size() ||
      !event.starts_with(before_) || !event.ends_with(after_)) {
    return std::nullopt;
  }
  event.remove_prefix(before_.size());
  event.remove_suffix(after_.size());
  return event;
}

std::optional<std::string_view> RepeatedEvent::text_of(
    std::string_view event) const {
  const auto text = between(event);
  const bool good =
      text && (*text == text_ || (seen_twice_ && is_plain(*text)));
  return good ? text : std::nullopt;
}

void RepeatedEvent::learn(std::string_view event, std::string_view text) {
  const bool usable =
      !text.empty() && event.size() <= kLargest && is_plain(text);
  if (usable && between(event) == text) {
    seen_twice_ = true;
    return;
  }
  forget();
  if (!usable) return;
  const std::string quoted = '"' + std::string(text) + '"';
  const size_t at = event.find(quoted);
  if (at == std::string_view::npos || event.rfind(quoted) != at) return;
  known_ = true;
  text_ = text;
  before_ = event.substr(0, at + 1);
  after_ = event.substr(at + 1 + text.size());
}

}  // namespace llmroute::provider
