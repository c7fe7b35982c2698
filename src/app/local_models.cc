// The cache is one text file: a line per server (base URL, when it was asked,
// failures in a row), each followed by a line per model that it serves, all
// fields separated by tabs. It may be deleted at any time.
#include "app/local_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "base/url.h"
#include "config/paths.h"
#include "provider/ollama.h"

namespace llmroute::app {
namespace {

using provider::OllamaModel;
using std::chrono::milliseconds;

constexpr milliseconds kAskFor{300};
constexpr milliseconds kLongestAsk{4800};
constexpr milliseconds kLate{50};  // for a process that is given the processor
constexpr int64_t kFreshMs = 60'000;
constexpr int64_t kFirstRestMs = 5'000;
constexpr int64_t kLongestRestMs = 300'000;

struct Server {
  std::string url;
  int64_t asked_ms = 0;  // wall clock
  int failures = 0;      // 0: it answered
  std::vector<OllamaModel> models;
};

std::string cache_file(const base::Environment& environment) {
  return config::cache_directory(environment) + "/local-models";
}

std::vector<Server> read_cache(const base::Environment& environment) {
  std::vector<Server> servers;
  const auto text = base::read_file(cache_file(environment), size_t{1} << 20);
  if (!text) return servers;
  for (const std::string& line : base::split(*text, '\n')) {
    const std::vector<std::string> cells = base::split(line, '\t');
    if (cells.size() == 3) {
      servers.push_back(
          {cells[0],
           base::parse_int(cells[1]).value_or(0),
           static_cast<int>(base::parse_int(cells[2]).value_or(0)),
           {}});
    } else if (cells.size() == 5 && cells[0].empty() && !servers.empty()) {
      OllamaModel model;
      model.name = cells[1];
      model.parameter_size = cells[2];
      model.context_length = base::parse_int(cells[3]);
      model.tools = cells[4] == "tools";
      servers.back().models.push_back(std::move(model));
    }
  }
  return servers;
}

void write_cache(const base::Environment& environment,
                 const std::vector<Server>& servers) {
  std::string text;
  for (const Server& server : servers) {
    text += fmt::format("{}\t{}\t{}\n", server.url, server.asked_ms,
                        server.failures);
    for (const OllamaModel& model : server.models) {
      text += fmt::format(
          "\t{}\t{}\t{}\t{}\n", model.name, model.parameter_size,
          model.context_length.value_or(0), model.tools ? "tools" : "");
    }
  }
  const std::string file = cache_file(environment);
  if (base::create_directories(base::parent_directory(file))) {
    (void)base::replace_file(file, text, 0600);
  }
}

Server& entry_for(std::vector<Server>& servers, const std::string& url) {
  for (Server& server : servers) {
    if (server.url == url) return server;
  }
  servers.push_back({url, 0, 0, {}});
  return servers.back();
}

bool is_local_ollama(const core::Provider& provider) {
  if (provider.protocol != core::Protocol::kOllama) return false;
  const auto url = base::parse_url(provider.base_url);
  return url && url->is_loopback();
}

// Whether what is remembered still holds. A clock that was set back counts as
// time having passed.
bool is_current(const Server& server) {
  const int64_t age = base::wall_ms() - server.asked_ms;
  const int doublings = std::clamp(server.failures - 1, 0, 10);
  const int64_t holds =
      server.failures == 0
          ? kFreshMs
          : std::min(kLongestRestMs, kFirstRestMs << doublings);
  return server.asked_ms > 0 && age >= 0 && age < holds;
}

// A process that is kept waiting for the processor takes that for the silence
// of the server; it notices that it comes late, and gives more time.
base::Result<std::vector<OllamaModel>> list(const core::Provider& provider) {
  for (milliseconds limit = kAskFor;; limit *= 2) {
    const auto begin = base::now();
    auto served = provider::list_ollama_models(provider, limit);
    const bool late = base::now() - begin > limit + kLate;
    if (served || !late || limit >= kLongestAsk) return served;
  }
}

void ask(const core::Provider& provider, Server& server) {
  auto served = list(provider);
  server.asked_ms = base::wall_ms();
  if (served) {
    server.failures = 0;
    server.models = *std::move(served);
  } else {
    ++server.failures;
  }
}

std::string letters_and_digits(std::string_view text) {
  std::string kept;
  for (const char c : base::to_lower_ascii(text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) kept += c;
  }
  return kept;
}

// The registry's entry for the same weights: "gpt-oss:20b" is found in
// "openai/gpt-oss-20b". A name without a size says too little.
const core::Model* same_weights(const core::Config& config,
                                const std::string& name) {
  const size_t colon = name.find(':');
  if (colon == std::string::npos || name.substr(colon) == ":latest") {
    return nullptr;
  }
  const std::string wanted = letters_and_digits(name);
  for (const core::Model& model : config.models) {
    if (letters_and_digits(model.id).find(wanted) != std::string::npos) {
      return &model;
    }
  }
  return nullptr;
}

// A line through the registry's Llama 3.1 8B (-1.5) and Llama 3.3 70B (-0.45).
double ability_from_size(const std::string& parameter_size) {
  constexpr double kUnknown = -1.5;
  if (parameter_size.empty()) return kUnknown;
  const bool millions = parameter_size.back() == 'M';
  const auto number = base::parse_double(
      std::string_view(parameter_size).substr(0, parameter_size.size() - 1));
  if (!number || *number <= 0) return kUnknown;
  const double billions = millions ? *number / 1000 : *number;
  return std::clamp(-1.5 + 0.48 * std::log(billions / 8), -4.0, 0.5);
}

core::Model describe(const core::Config& config, const core::Provider& provider,
                     const OllamaModel& served) {
  core::Model model;
  model.name = served.name;
  model.provider = provider.name;
  model.id = served.name;
  model.aliases = {provider.name + "/" + served.name};
  model.price = {core::Money{}, core::Money{}, core::Money{}, core::Money{},
                 core::Money{}};
  if (served.context_length.value_or(0) > 0) {
    model.context_window = served.context_length;
  }
  model.ability.fill(ability_from_size(served.parameter_size));
  if (const core::Model* known = same_weights(config, served.name)) {
    model.ability = known->ability;
    model.verbosity = known->verbosity;
  }
  model.tags = {"json"};  // by a grammar, whatever the model
  if (served.tools) model.tags.emplace_back("tools");
  model.tokens_per_second = 25;
  model.origin = provider.base_url;
  return model;
}

bool is_pulled(const Server& server, const std::string& id) {
  return std::any_of(server.models.begin(), server.models.end(),
                     [&](const OllamaModel& model) {
                       return model.name == id || model.name == id + ":latest";
                     });
}

void add_served(const core::Provider& provider, const Server& server,
                core::Config& config) {
  for (const OllamaModel& served : server.models) {
    const bool listed =
        std::any_of(config.models.begin(), config.models.end(),
                    [&](const core::Model& model) {
                      return model.provider == provider.name &&
                             (model.id == served.name ||
                              model.id + ":latest" == served.name);
                    });
    if (!listed && config.find_model(served.name) == nullptr) {
      config.models.push_back(describe(config, provider, served));
    }
  }
}

}  // namespace

std::map<std::string, std::string> find_local_models(
    Asker asker, const base::Environment& environment, core::Config& config) {
  std::map<std::string, std::string> unavailable;
  std::optional<std::vector<Server>> cache;
  bool changed = false;
  for (const core::Provider& provider : config.providers) {
    if (!is_local_ollama(provider)) continue;
    if (!cache) cache = read_cache(environment);
    Server& server = entry_for(*cache, provider.base_url);
    if (asker == Asker::kRun && !is_current(server)) {
      ask(provider, server);
      changed = true;
    }
    if (server.asked_ms == 0) continue;  // nothing known
    if (server.failures > 0) {
      unavailable[provider.name] = "not running at " + provider.base_url;
      continue;
    }
    for (const core::Model& model : config.models) {
      if (model.provider == provider.name && !is_pulled(server, model.id)) {
        unavailable[model.name] = "not pulled";
      }
    }
    add_served(provider, server, config);
  }
  if (changed) write_cache(environment, *cache);
  return unavailable;
}

void remember_refused(const core::Provider& provider,
                      const base::Environment& environment) {
  if (!is_local_ollama(provider)) return;
  std::vector<Server> servers = read_cache(environment);
  Server& server = entry_for(servers, provider.base_url);
  server.asked_ms = base::wall_ms();
  ++server.failures;
  write_cache(environment, servers);
}

}  // namespace llmroute::app
