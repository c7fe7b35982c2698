// Joins the pieces of a streamed answer into valid UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::provider {

// Takes text as json_text.h reads it. A high surrogate at the end of a piece
// waits for its low half in the next; a half that stays alone becomes U+FFFD.
// One thread.
class TextJoiner {
 public:
  // What can be passed on now.
  std::string add(std::string_view piece);
  // The end: U+FFFD if a half is waiting, else nothing.
  std::string finish();
  bool repaired() const { return repaired_; }

 private:
  void half(char32_t surrogate, std::string& out);
  void give_up_half(std::string& out);

  char32_t high_ = 0;  // 0: none waits
  bool repaired_ = false;
};

}  // namespace llmroute::provider
