// Regular expressions that are all looked for in one text. Most need some words
// of the text: they are found in one pass, and only patterns whose words are
// there are compiled (when that first happens) and tried, or where they are
// many, all of them as one set. The others are matched as one set. Time is
// linear in the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llmroute::routing {

// Thread-safe once it is compiled.
class PatternSet {
 public:
  // `set_memory`: bytes for those that are matched as one set; they are tried
  // one by one if that is too little.
  explicit PatternSet(int64_t set_memory = int64_t{64} << 20);
  PatternSet(PatternSet&&) noexcept;
  PatternSet& operator=(PatternSet&&) noexcept;
  ~PatternSet();

  // Its number is how many were added before it. kData: why RE2 refuses it. A
  // program over 8 MiB is not noticed; it is never found.
  base::Status add(std::string_view pattern);
  // After the last one, before the first text.
  void compile();
  size_t size() const;

  // found[i]: whether `text` holds a match of pattern i.
  std::vector<bool> found_in(std::string_view text) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace llmroute::routing
