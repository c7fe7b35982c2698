#include "config/origins.h"

#include <fmt/format.h>

#include "config/names.h"
#include "config/toml_text.h"
#include "core/secret_headers.h"

namespace llmroute::config {

std::string join_path(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (!path.empty()) path += '.';
  return path += key_text(key);
}

std::string item_path(const std::string& list, size_t index) {
  return fmt::format("{}[{}]", list, index);
}

void Origins::add_place(const std::string& path, const Layer& layer,
                        Position at) {
  set_[path] = {layer.file, at, {}};
}

void Origins::add_values(const std::string& parent, const Node& table,
                         const Layer& layer) {
  for (const Member& member : table.members) {
    const std::string path = join_path(parent, member.key);
    if (member.value.kind == Node::Kind::kTable) {
      add_values(path, member.value, layer);
    } else if (parent.ends_with(".headers") &&
               core::is_secret_header(member.key)) {
      set_[path] = {layer.file, member.value.at, "\"(hidden)\""};
    } else {
      add_value(path, member.value, layer);
    }
  }
}

void Origins::add_value(const std::string& path, const Node& value,
                        const Layer& layer) {
  set_[path] = {layer.file, value.at, toml_text(value)};
  for (size_t i = 0; i < value.items.size(); ++i) {
    add_place(item_path(path, i), layer, value.items[i].at);
  }
}

void Origins::forget(const std::string& path) {
  const auto below = [&](const std::string& key) {
    if (!key.starts_with(path)) return false;
    return key.size() == path.size() || key[path.size()] == '.' ||
           key[path.size()] == '[';
  };
  auto at = set_.lower_bound(path);
  while (at != set_.end() && at->first.starts_with(path)) {
    at = below(at->first) ? set_.erase(at) : std::next(at);
  }
}

base::Error Origins::fail(const std::vector<std::string>& paths,
                          const std::string& what) const {
  for (const std::string& path : paths) {
    const auto found = set_.find(path);
    if (found == set_.end()) continue;
    return error_at(found->second.file, found->second.at, what);
  }
  return {base::ErrorKind::kConfig, what};
}

std::vector<core::ConfigValue> Origins::values() const {
  std::vector<core::ConfigValue> values;
  for (const auto& [path, origin] : set_) {
    if (origin.value.empty()) continue;
    values.push_back({path, origin.value,
                      fmt::format("{}:{}", origin.file, origin.at.line)});
  }
  return values;
}

}  // namespace llmroute::config
