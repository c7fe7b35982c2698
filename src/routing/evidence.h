// What routing saw of a prompt, for a decision that is taken again when its
// text is not there any more.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "routing/estimate.h"

namespace llmroute::routing {

struct Evidence {
  Sizes sizes;
  // What conditions of rules found at the time: pattern, or globs of file
  // names, and whether it matched. Others are not known.
  std::map<std::string, bool> patterns;
  std::map<std::vector<std::string>, bool> files;
  bool no_files = false;  // there were none, so that no glob matches

  std::optional<bool> pattern_matched(const std::string& pattern) const {
    const auto found = patterns.find(pattern);
    return found == patterns.end() ? std::nullopt
                                   : std::optional(found->second);
  }
  std::optional<bool> file_matched(
      const std::vector<std::string>& globs) const {
    if (no_files) return false;
    const auto found = files.find(globs);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace llmroute::routing
