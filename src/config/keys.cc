#include "config/keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "config/key_command.h"
#include "config/trusted_file.h"

namespace llmroute::config {
namespace {

using base::ErrorKind;

constexpr size_t kMaxKey = size_t{16} << 10;

std::string variables_text(const std::vector<std::string>& names) {
  return base::join(names, " or ");
}

// The key without its newline. `source` names where it came from.
base::Result<std::string> clean(std::string text, const std::string& source) {
  if (text.ends_with('\n')) {
    text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }
  const bool printable = std::all_of(
      text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (text.empty()) {
    return base::Error{ErrorKind::kNoPermission,
                       fmt::format("{} holds no key", source)};
  }
  if (!printable || text.size() > kMaxKey) {
    return base::Error{
        ErrorKind::kNoPermission,
        fmt::format("{} does not hold a key: a key is printable ASCII "
                    "without blanks",
                    source)};
  }
  return text;
}

base::Result<std::string> from_file(const std::string& path) {
  LLMROUTE_TRY(std::optional<TrustedFile> file,
               read_trusted(path, Trust::kSecret, "", kMaxKey));
  if (!file) {
    return base::Error{ErrorKind::kNoPermission,
                       fmt::format("key file '{}' does not exist", path)};
  }
  return clean(std::move(file->text), fmt::format("key file '{}'", path));
}

base::Result<std::string> from_variables(const core::Provider& provider,
                                         const base::Environment& environment) {
  for (const std::string& name : provider.key_env) {
    std::optional<std::string> value = environment.get(name);
    if (value) return clean(std::move(*value), name);
  }
  return base::Error{ErrorKind::kNoPermission, missing_key_text(provider)};
}

base::Error as_no_permission(base::Error error) {
  if (error.kind == ErrorKind::kConfig) error.kind = ErrorKind::kNoPermission;
  return error;
}

}  // namespace

bool key_present(const core::Provider& provider,
                 const base::Environment& environment) {
  if (provider.keyless() || !provider.key_command.empty()) return true;
  if (!provider.key_file.empty()) return base::file_exists(provider.key_file);
  return std::any_of(
      provider.key_env.begin(), provider.key_env.end(),
      [&](const std::string& name) { return environment.get(name); });
}

std::string missing_key_text(const core::Provider& provider) {
  if (!provider.key_command.empty()) {
    return fmt::format("key command '{}' gave no key",
                       provider.key_command.front());
  }
  if (!provider.key_file.empty()) {
    return fmt::format("key file '{}' does not exist", provider.key_file);
  }
  if (provider.key_env.empty()) return "no key is configured";
  return fmt::format("{} is not set", variables_text(provider.key_env));
}

base::Result<std::string> resolve_key(const core::Provider& provider,
                                      const base::Environment& environment) {
  if (!provider.key_command.empty()) {
    LLMROUTE_TRY(std::string text, run_key_command(provider.key_command));
    return clean(std::move(text), fmt::format("the output of key command '{}'",
                                              provider.key_command.front()));
  }
  if (!provider.key_file.empty()) {
    auto key = from_file(provider.key_file);
    if (!key) return as_no_permission(key.error());
    return key;
  }
  if (provider.keyless()) return std::string();
  return from_variables(provider, environment);
}

}  // namespace llmroute::config
