// Request parameters that a model has refused by name, remembered for the life
// of the process: the limit of output tokens is sent under its other name,
// everything else is left out from then on.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "core/reply.h"
#include "provider/call.h"

namespace llmroute::provider {

class RefusedParameters {
 public:
  bool dropped(std::string_view name) const { return names_.contains(name); }
  // The name to send a token limit under that is called `field` at first.
  std::string renamed(const std::string& field) const;
  void add(const std::string& name) { names_.insert(name); }

 private:
  std::set<std::string, std::less<>> names_;
};

// What the call's model has refused so far. Thread-safe.
RefusedParameters refused_parameters(const Call& call);

// Records that `name` was refused. False: nothing changes by it, so asking
// again is useless: it is not a parameter of ours, or was given by the user
// verbatim (-O). Thread-safe.
bool remember_refused(const Call& call, const std::string& name);

}  // namespace llmroute::provider
