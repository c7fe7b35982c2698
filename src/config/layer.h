// One file while it is being read, and what is known of it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/document.h"
#include "config/schema.h"

namespace llmroute::config {

struct Layer {
  std::string file{};       // as shown in messages and origins
  std::string directory{};  // what relative paths in it are relative to
  std::string home{};       // for a leading "~/"
  bool secret = false;      // nobody but its owner can read it

  base::Error fail(Position at, const std::string& what) const {
    return error_at(file, at, what);
  }
  std::string origin(Position at) const {
    return fmt::format("{}:{}", file, at.line);
  }
};

// A key being set: its row, its name for people ("'timeout' in [limits]") and
// the file it stands in.
struct Setting {
  const KeyRow& row;
  std::string label;
  const Layer& layer;

  base::Error fail(const Node& node, std::string_view what) const {
    return layer.fail(node.at, fmt::format("{} {}", label, what));
  }
};

// Type, choices and bounds as the row says.
base::Status check_value(const Setting& setting, const Node& node);

}  // namespace llmroute::config
