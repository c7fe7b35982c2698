// The registry as constant tables, so that start-up parses no TOML. Made from
// models/registry.toml at build time by tools/compile_registry.cc; read by
// builtin.cc. Only what the registry uses is here; the tool refuses the rest.
// Rows hold places instead of addresses, which the loader would have to write
// at every start.
#pragma once

#include <cstdint>

#include "core/domain.h"
#include "core/model.h"

namespace llmroute::config {

struct Text {  // of kText
  uint16_t at, size;
};

struct Rows {  // of kRows or kPriceTierRows
  uint16_t first, count;
};

inline constexpr int64_t kUnset = -1;

struct TierRow {
  Text name;
  Rows aliases;
};

struct ProfileRow {
  Text name;
  double worth, wait;
};

struct RouteRow {
  Text name, description;
};

struct ProviderRow {
  Text name;
  core::Protocol protocol;
  Text base_url;
  Rows key_env, tags;
  Text token_limit_field;
  bool stream_usage;
  Text seed_field;
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
  Text name, provider, id;
  Rows aliases;
  Text tier;
  Rows tags;
  Text description;
  int64_t context_window, max_output_tokens;  // kUnset if not known
  PriceRow price;
  Rows price_tiers;
  Text price_as_of;
  core::PerDomain ability;
  bool accepts_temperature;
  Text token_limit_field;
  double verbosity, tokens_per_second, first_token_seconds;
};

}  // namespace llmroute::config
