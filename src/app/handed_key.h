// --key-fd: a key that another process hands over by a descriptor.
#pragma once

#include <string>

#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/routing_options.h"

namespace llmroute::app {

// The environment and, beside its variables, the key, under a name that no
// variable has. Borrows the environment.
class HandedKey : public base::Environment {
 public:
  // Reads the descriptor to its end and closes it. kNoPermission: it is not
  // open, or gives more than any key has.
  static base::Result<HandedKey> take(int fd,
                                      const base::Environment& environment);
  std::optional<std::string> get(const std::string& name) const override;

 private:
  HandedKey(std::string name, std::string key,
            const base::Environment& environment)
      : name_(std::move(name)), key_(std::move(key)), rest_(environment) {}

  std::string name_, key_;
  const base::Environment& rest_;
};

// Pairs the key with the provider of the models that -m names, after that
// provider's own sources. kUsage: they are not of one provider, which takes
// keys.
base::Status pair_key(int fd, const core::RoutingOptions& routing,
                      core::Config& config);

}  // namespace llmroute::app
