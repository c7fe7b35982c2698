#include "app/config_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config_check.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/router_model.h"
#include "app/starter_config.h"
#include "base/files.h"
#include "base/names.h"
#include "base/text.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/paths.h"
#include "config/write.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;

Result<ExitStatus> print(const std::string& text) {
  LLMROUTE_CHECK(print_text(text));
  return ExitStatus::kOk;
}

// The file that is read, or that init would write.
std::string main_file(const ConfigCommandOptions& options,
                      const base::Environment& environment) {
  if (options.config.file) return *options.config.file;
  for (const config::Place& place : config::places(environment)) {
    if (place.exists) return place.path;
  }
  return config::user_config_file(environment);
}

Result<ExitStatus> path(const ConfigCommandOptions& options,
                        const base::Environment& environment) {
  const Messages messages(options.messages);
  if (options.config.no_config) {
    messages.warn("no file is read");
    return ExitStatus::kOk;
  }
  if (!options.config.file) {
    for (const config::Place& place : config::places(environment)) {
      messages.warn(fmt::format("{}: {}", place.path,
                                place.exists ? "exists" : "does not exist"));
    }
  }
  return print(main_file(options, environment) + "\n");
}

Result<ExitStatus> show(const ConfigCommandOptions& options,
                        const base::Environment& environment) {
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  return print(config::toml_document(config, options.origin));
}

Result<ExitStatus> check(const ConfigCommandOptions& options,
                         const base::Environment& environment) {
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  LLMROUTE_CHECK(check_router_model(config));
  const Messages messages(options.messages);
  for (const std::string& warning : config_warnings(config, environment)) {
    messages.warn(warning);
  }
  const auto with_key = std::count_if(
      config.models.begin(), config.models.end(), [&](const core::Model& m) {
        return config::key_present(*config.find_provider(m.provider),
                                   environment);
      });
  const std::string files =
      config.files.empty() ? "no file" : base::join(config.files, ", ");
  return print(
      fmt::format("ok: {}; models {} (with a key {}), routes {}, rules {}\n",
                  files, config.models.size(), with_key, config.routes.size(),
                  config.rules.size()));
}

Result<ExitStatus> init(const ConfigCommandOptions& options,
                        const base::Environment& environment) {
  const std::string file = options.config.file
                               ? *options.config.file
                               : config::user_config_file(environment);
  if (base::file_exists(file) && !options.force) {
    return Error{ErrorKind::kCannotCreate,
                 fmt::format("'{}' exists; --force replaces it", file)};
  }
  LLMROUTE_CHECK(base::create_directories(base::parent_directory(file)));
  LLMROUTE_CHECK(base::replace_file(file, kStarterConfig, 0600));
  return print(file + "\n");
}

// Quotes in a path are a matter of TOML; people may leave them out.
std::string unquoted(std::string path) {
  std::erase(path, '"');
  return path;
}

Result<ExitStatus> get(const ConfigCommandOptions& options,
                       const base::Environment& environment) {
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  const std::string wanted = unquoted(options.key);
  std::vector<std::string> known;
  std::string parts;  // of a table, those that are set
  for (const core::ConfigValue& value : config::settings(config)) {
    known.push_back(unquoted(value.key));
    if (known.back().starts_with(wanted + ".") && !value.value.empty()) {
      parts += fmt::format("{} = {}\n", value.key, value.value);
    }
    if (known.back() != wanted) continue;
    if (value.value.empty()) {
      return Error{ErrorKind::kNegative,
                   fmt::format("'{}' is not set", options.key)};
    }
    return print(config::plain_text(value.value) + "\n");
  }
  if (!parts.empty()) return print(parts);
  return Error{ErrorKind::kUsage,
               fmt::format("unknown key '{}'{}", options.key,
                           base::did_you_mean(wanted, known))};
}

}  // namespace

Result<ExitStatus> config_command(const ConfigCommandOptions& options,
                                  const base::Environment& environment) {
  switch (options.action) {
    case ConfigAction::kPath:
      return path(options, environment);
    case ConfigAction::kShow:
      return show(options, environment);
    case ConfigAction::kCheck:
      return check(options, environment);
    case ConfigAction::kInit:
      return init(options, environment);
    case ConfigAction::kGet:
      return get(options, environment);
  }
  return ExitStatus::kSoftware;
}

}  // namespace llmroute::app
