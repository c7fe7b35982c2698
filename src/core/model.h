// A registry entry and the endpoint that serves it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain.h"
#include "core/money.h"

namespace llmroute::core {

enum class Protocol {
  kOpenAiChat,
  kOpenAiResponses,
  kAnthropic,
  kGemini,
  kOllama,
  kExec
};
inline constexpr std::array<Protocol, 6> kProtocols = {
    Protocol::kOpenAiChat, Protocol::kOpenAiResponses, Protocol::kAnthropic,
    Protocol::kGemini,     Protocol::kOllama,          Protocol::kExec};
// "openai-chat", "openai-responses", "anthropic", ...
std::string_view protocol_name(Protocol protocol);

// An endpoint with a protocol and a key; an exec provider is any local command.
struct Provider {
  std::string name;
  Protocol protocol = Protocol::kOpenAiChat;
  std::string base_url;              // no trailing slash; empty for exec
  std::vector<std::string> key_env;  // first variable that is set wins
  std::string key_file;
  std::vector<std::string> key_command;  // argv, no shell
  std::string key_header;   // that carries the key; empty: by protocol
  std::string api_version;  // Azure: the model's id is a deployment in the path
  std::map<std::string, std::string> headers;
  std::vector<std::string>
      tags;  // places: every model of the provider has them ("local", "eu")
  // What a compatible server wants differently. Empty token_limit_field: the
  // model's own, else by protocol.
  std::string token_limit_field;  // "max_tokens" or "max_completion_tokens"
  bool stream_usage = true;       // accepts stream_options.include_usage
  std::string seed_field = "seed";
  bool reported_cost = false;  // usage.cost is what was charged, in USD
  // What a rate limit is of: "model", or "key": all models of the provider.
  std::string rate_limit_scope = "model";
  std::string ca_file;
  bool allow_http =
      false;  // plain http to a host that is not loopback; never with a key
  // How a batch may ask it. Unset: no limit of its own.
  std::optional<int64_t> concurrency;  // requests at a time
  std::optional<double> requests_per_minute, tokens_per_minute;
  // exec only
  std::vector<std::string> command;  // argv, no shell
  std::vector<std::string> pass_env;
  std::vector<int> retry_exit;
  bool pure = false;   // does no harm if it is run for nothing
  std::string origin;  // "built-in" or file:line

  bool limits_whole_key() const { return rate_limit_scope == "key"; }
  // No key is configured, so none is needed.
  bool keyless() const {
    return key_env.empty() && key_file.empty() && key_command.empty();
  }
};

// Per token. Unset: not known, which is never the same as free.
struct Price {
  std::optional<Money> input, output, cached_input, cache_write, reasoning;
};

// A price that applies to the whole request once its input exceeds a size.
struct PriceTier {
  int64_t above_input_tokens = 0;
  Price price;
};

struct Model {
  std::string name;      // unique; what -m takes
  std::string provider;  // Provider::name
  std::string id;        // what the provider is asked for
  std::vector<std::string> aliases;
  std::string tier;               // Tier::name; empty: by ability
  std::vector<std::string> tags;  // capabilities ("tools", "json", "vision",
                                  // "reasoning"), without the provider's
  std::string description;
  std::optional<int64_t> context_window;  // tokens, input and output together
  std::optional<int64_t> max_output_tokens;
  Price price;
  std::vector<PriceTier> price_tiers;  // ascending by above_input_tokens
  std::string price_as_of;             // "2026-07-02"; empty: unknown
  PerDomain ability{};  // logits; 0 is the GPT-4o class in each domain
  bool accepts_temperature = true;
  std::string token_limit_field;  // overrides the provider's
  double verbosity = 1;  // tokens of its answers against the median model
  double tokens_per_second = 60;   // prior; measured where known
  double first_token_seconds = 1;  // prior
  std::string origin;              // "built-in" or file:line

  double general_ability() const;  // mean over the domains
  const Price& price_for(int64_t input_tokens) const;
};

// A named level of strength, weakest first in Config::tiers.
struct Tier {
  std::string name;
  std::vector<std::string> aliases;
};

}  // namespace llmroute::core
