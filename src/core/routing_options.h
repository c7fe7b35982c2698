// What a person or a script asked of the router, before config and rules have
// their say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace llmroute::core {

struct RoutingOptions {
  std::vector<std::string> models;  // -m a,b: a chain, in order
  bool models_from_environment = false;
  std::optional<std::string> route;
  bool route_from_environment = false;
  bool from_record = false;  // model or route, by a record of a batch
  std::optional<std::string> profile;
  std::optional<double> worth, wait;  // dollars
  std::optional<std::string> tier, min_tier, max_tier;
  std::vector<std::string> allow,
      deny;                          // globs on model names and provider/name
  std::vector<std::string> require;  // tags
  std::vector<std::string> fallback;
  bool no_fallback = false;
  bool allow_unpriced = false;  // under a ceiling, at the user's own risk
  std::map<std::string, std::string> tags;
};

}  // namespace llmroute::core
