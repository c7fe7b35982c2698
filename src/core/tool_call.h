// A function call that a model asks for.
#pragma once

#include <cstddef>
#include <string>

namespace llmroute::core {

struct ToolCall {
  std::string id;  // the provider's; empty: it gives none
  std::string name;
  std::string arguments;  // JSON, as the model wrote it: not always valid

  size_t bytes() const { return name.size() + arguments.size(); }
};

}  // namespace llmroute::core
