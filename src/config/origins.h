// Where values were set: path ("models.cheap.price.input", quoted where TOML
// needs it) -> file and position. Items of a list have paths of their own
// ("routes.auto.models[0]").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/document.h"
#include "config/layer.h"
#include "core/config.h"

namespace llmroute::config {

class Origins {
 public:
  // A section or an item of a list: it has a place but no value of its own.
  void add_place(const std::string& path, const Layer& layer, Position at);
  // Every value of a table, below `parent`.
  void add_values(const std::string& parent, const Node& table,
                  const Layer& layer);
  // All paths at and below `path`.
  void forget(const std::string& path);
  bool has(const std::string& path) const { return set_.contains(path); }

  // kConfig at the first of the paths that was set.
  base::Error fail(const std::vector<std::string>& paths,
                   const std::string& what) const;
  std::vector<core::ConfigValue> values() const;

 private:
  struct Origin {
    std::string file;
    Position at;
    std::string value;  // as TOML; empty for places
  };
  void add_value(const std::string& path, const Node& value,
                 const Layer& layer);

  std::map<std::string, Origin> set_;
};

// "models", "gpt-5.2" -> `models."gpt-5.2"`.
std::string join_path(std::string_view parent, std::string_view key);
// "routes.auto.models", 0 -> "routes.auto.models[0]".
std::string item_path(const std::string& list, size_t index);

}  // namespace llmroute::config
