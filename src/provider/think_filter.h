// Open models write their reasoning into the answer, `<think>...</think>`
// before it; some servers take it out and some do not. It is not the answer.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::provider {

// Leaves out what stands between the tags if the text begins with them, and the
// white space after it; all other text passes as it is. One thread.
class ThinkFilter {
 public:
  // What can be passed on now.
  std::string feed(std::string_view piece);
  // The end: what was held back because it might have become a tag.
  std::string finish();

 private:
  enum class State { kBefore, kThinking, kAfter, kPassing };
  std::string begin();

  State state_ = State::kBefore;
  std::string held_;
};

}  // namespace llmroute::provider
