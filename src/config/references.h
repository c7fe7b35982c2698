// The names that routes and rules may use, as one dictionary.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "config/origins.h"
#include "core/config.h"

namespace llmroute::config {

// Gives every model its own aliases and, where it is unique, provider/id. Names
// and aliases that a file sets win over built-in aliases; two that a file sets
// must differ. Routes share the models' names, since a route may list both.
base::Status assign_aliases(core::Config& config, const Origins& origins);

// REQUIRES: aliases are assigned; the config outlives this and does not change.
class References {
 public:
  References(const core::Config& config, const std::set<std::string>& disabled);

  bool is_route(const std::string& name) const {
    return route(name) != nullptr;
  }
  const core::Route* route(const std::string& name) const;
  bool is_model(const std::string& name) const;
  bool is_provider(const std::string& name) const {
    return providers_.contains(name);
  }

  // What is wrong with a reference, or "".
  std::string provider_problem(const std::string& name) const;
  std::string tier_problem(const std::string& name) const;
  std::string route_problem(const std::string& name) const;
  std::string model_problem(const std::string& name) const;
  // A member of a route: model, alias, pattern or route.
  std::string member_problem(const std::string& name) const;
  // An entry of allow or deny: a pattern, or a model, provider or provider/id.
  std::string filter_problem(const std::string& name) const;

 private:
  // "ollama/llama3.2": served models are known at run time only.
  bool is_served_locally(const std::string& name) const;
  std::string unknown(std::string_view what, const std::string& name,
                      const std::vector<std::string>& known) const;
  std::vector<std::string> model_names() const;
  std::vector<std::string> route_names() const;

  const core::Config& config_;
  const std::set<std::string>& disabled_;
  // Views of the config's strings; models_ holds aliases too.
  std::unordered_set<std::string_view> models_, providers_;
  std::unordered_map<std::string, const core::Route*> routes_;
};

}  // namespace llmroute::config
