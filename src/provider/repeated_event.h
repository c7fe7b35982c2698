// Most events of a stream differ from the one before in their piece of text
// alone. Once two that differ so have been decoded, the next is not: its text
// is what stands between the same beginning and the same end. Nor is one that
// is the same as the one before. Twice the same event must change nothing that
// it did not change at once, but for the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmroute::provider {

// One stream. Confined to one thread.
class RepeatedEvent {
 public:
  // The text that decoding `event` would give, and nothing else would change;
  // nothing: it has to be decoded. A view into `event`.
  std::optional<std::string_view> text_of(std::string_view event) const;

  // `event` was decoded and gave `text`, which may be empty. What was known
  // of earlier ones is forgotten unless it fits.
  void learn(std::string_view event, std::string_view text);
  void forget() { *this = {}; }

 private:
  std::optional<std::string_view> between(std::string_view event) const;

  std::string before_, after_;  // with the quotes around the text
  std::string text_;            // of the first such event
  bool known_ = false;
  bool seen_twice_ = false;
};

}  // namespace llmroute::provider
