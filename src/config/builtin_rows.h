// The registry as constant tables, so that start-up parses no TOML. Made from
// models/registry.toml at build time by tools/compile_registry.cc; read by
// builtin.cc. Only what the registry uses is here; the tool refuses the rest.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/domain.h"
#include "core/model.h"

namespace llmroute::config {

using Words = std::span<const std::string_view>;

inline constexpr int64_t kUnset = -1;

struct TierRow {
  std::string_view name;
  Words aliases;
};

struct ProfileRow {
  std::string_view name;
  double worth, wait;
};

struct RouteRow {
  std::string_view name, description;
};

struct ProviderRow {
  std::string_view name;
  core::Protocol protocol;
  std::string_view base_url;
  Words key_env, tags;
  std::string_view token_limit_field;
  bool stream_usage;
  std::string_view seed_field;
  bool reported_cost;
};

// Picodollars per token, kUnset if not known.
struct PriceRow {
  int64_t input, output, cached_input, cache_write, reasoning;
};

struct PriceTierRow {
  int64_t above;
  PriceRow price;
};

struct ModelRow {
  std::string_view name, provider, id;
  Words aliases;
  std::string_view tier;
  Words tags;
  std::string_view description;
  int64_t context_window, max_output_tokens;  // kUnset if not known
  PriceRow price;
  std::span<const PriceTierRow> price_tiers;
  std::string_view price_as_of;
  core::PerDomain ability;
  bool accepts_temperature;
  std::string_view token_limit_field;
  double verbosity, tokens_per_second, first_token_seconds;
};

}  // namespace llmroute::config
