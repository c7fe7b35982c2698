// Documents laid over a configuration.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/document.h"
#include "config/layer.h"
#include "config/origins.h"
#include "core/config.h"

namespace llmroute::config {

// Lays documents over a configuration, weakest first, then checks the whole.
// Tables are merged key by key; lists are replaced, but rules, which are put in
// front of the weaker ones (a rule of the same name replaces it). One thread;
// finish() once.
class Merger {
 public:
  explicit Merger(core::Config base);

  // Keys, types and bounds are checked; references are not yet.
  base::Status add(const Node& document, const Layer& layer);
  // Resolves and checks references, names, cycles and what must not be missing.
  base::Result<core::Config> finish();

  // Whether a file set this path, "providers.ollama.base_url".
  bool is_set(const std::string& path) const { return origins_.has(path); }

 private:
  using Index = std::unordered_map<std::string, size_t>;

  base::Status add_member(const Member& member, const Layer& layer);
  base::Status add_section(const Member& member, const Layer& layer);
  template <class T>
  base::Status add_named(std::vector<T>& objects, Index& index,
                         const Member& section, const Layer& layer);
  template <class T>
  base::Status add_one(T& object, const Member& section, const Layer& layer);
  base::Status add_tiers(const Member& section, const Layer& layer);
  base::Status add_rules(const Member& section, const Layer& layer);
  base::Status add_rule(const Node& table, const Layer& layer,
                        std::vector<core::Rule>& rules);
  std::string free_rule_name(const Layer& layer, Position at) const;
  void note(core::Model& model, const Node& table, bool existed);
  void note(core::Provider&, const Node&, bool) {}
  void note(core::Route&, const Node&, bool) {}
  void note(core::Profile&, const Node&, bool) {}
  void note(core::Budget&, const Node&, bool) {}
  void remove_disabled();
  void drop_stale_tags();

  core::Config config_;
  Origins origins_;
  std::set<std::string> disabled_;  // models with enabled = false
  Index providers_, models_, routes_, profiles_, budgets_;  // name -> position
};

}  // namespace llmroute::config
