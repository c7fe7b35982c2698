#include "app/handed_key.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/url.h"

namespace llmroute::app {
namespace {

constexpr size_t kMostBytes = size_t{64} << 10;

std::string source_name(int fd) { return fmt::format("descriptor {}", fd); }

// Of a model that a registry lists, or of "provider/id".
std::string provider_of(const std::string& name, const core::Config& config) {
  const core::Model* model = config.find_model(name);
  return model != nullptr ? model->provider : name.substr(0, name.find('/'));
}

// As for a key of the configuration.
bool may_have_key(const core::Provider& provider) {
  if (provider.protocol == core::Protocol::kExec) return false;
  const auto url = base::parse_url(provider.base_url);
  return url && (url->scheme == "https" || url->is_loopback());
}

}  // namespace

base::Result<HandedKey> HandedKey::take(int fd,
                                        const base::Environment& environment) {
  auto text = base::read_all(fd, kMostBytes, source_name(fd));
  ::close(fd);
  if (!text) {
    return base::Error{base::ErrorKind::kNoPermission, text.error().message};
  }
  return HandedKey(source_name(fd), std::move(*text), environment);
}

std::optional<std::string> HandedKey::get(const std::string& name) const {
  return name == name_ ? std::optional(key_) : rest_.get(name);
}

base::Status pair_key(int fd, const core::RoutingOptions& routing,
                      core::Config& config) {
  const std::vector<std::string>& names = routing.models;
  const std::string of = names.empty() ? "" : provider_of(names[0], config);
  const bool one =
      !names.empty() &&
      std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        return provider_of(name, config) == of;
      });
  const auto found = std::find_if(
      config.providers.begin(), config.providers.end(),
      [&](const core::Provider& provider) { return provider.name == of; });
  if (!one || found == config.providers.end() || !may_have_key(*found)) {
    return base::Error{base::ErrorKind::kUsage,
                       "--key-fd goes with --model: its key is of the provider "
                       "of that model, over https or on this machine"};
  }
  found->key_env.push_back(source_name(fd));
  return {};
}

}  // namespace llmroute::app
