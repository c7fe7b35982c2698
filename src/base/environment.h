// The process environment behind an interface, so that tests can give their
// own.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace llmroute::base {

class Environment {
 public:
  virtual ~Environment() = default;
  // The variable's value; nothing if it is unset or empty (empty means unset
  // everywhere in llmroute).
  virtual std::optional<std::string> get(const std::string& name) const = 0;
};

class ProcessEnvironment : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) const override;
};

class FakeEnvironment : public Environment {
 public:
  std::map<std::string, std::string> values;
  std::optional<std::string> get(const std::string& name) const override;
};

}  // namespace llmroute::base
