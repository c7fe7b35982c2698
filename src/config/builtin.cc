#include <string>
#include <vector>

#include "config/builtin_rows.h"
#include "config/load.h"
#include "config/snapshot.h"

namespace llmroute::config {
namespace {

#include "config/registry_rows.inc"

constexpr char kOrigin[] = "built-in";

std::vector<std::string> strings(Words words) {
  return {words.begin(), words.end()};
}

std::optional<core::Money> money(int64_t pico) {
  if (pico == kUnset) return std::nullopt;
  return core::Money{pico};
}

std::optional<int64_t> tokens(int64_t count) {
  if (count == kUnset) return std::nullopt;
  return count;
}

core::Price price(const PriceRow& row) {
  return {money(row.input), money(row.output), money(row.cached_input),
          money(row.cache_write), money(row.reasoning)};
}

core::Provider provider(const ProviderRow& row) {
  core::Provider out;
  out.name = row.name;
  out.protocol = row.protocol;
  out.base_url = row.base_url;
  out.key_env = strings(row.key_env);
  out.tags = strings(row.tags);
  out.token_limit_field = row.token_limit_field;
  out.stream_usage = row.stream_usage;
  out.seed_field = row.seed_field;
  out.reported_cost = row.reported_cost;
  out.origin = kOrigin;
  return out;
}

void fill(core::Model& out, const ModelRow& row) {
  out.name = row.name;
  out.provider = row.provider;
  out.id = row.id;
  out.aliases = strings(row.aliases);
  out.tier = row.tier;
  out.tags = strings(row.tags);
  out.description = row.description;
  out.context_window = tokens(row.context_window);
  out.max_output_tokens = tokens(row.max_output_tokens);
  out.price = price(row.price);
  for (const PriceTierRow& tier : row.price_tiers) {
    out.price_tiers.push_back({tier.above, price(tier.price)});
  }
  out.price_as_of = row.price_as_of;
  out.ability = row.ability;
  out.accepts_temperature = row.accepts_temperature;
  out.token_limit_field = row.token_limit_field;
  out.verbosity = row.verbosity;
  out.tokens_per_second = row.tokens_per_second;
  out.first_token_seconds = row.first_token_seconds;
  out.origin = kOrigin;
}

}  // namespace

std::string_view registry_hash() { return kRegistrySha256; }

core::Config builtin() {
  core::Config config;
  for (const TierRow& row : kTierRows) {
    config.tiers.push_back({std::string(row.name), strings(row.aliases)});
  }
  for (const ProfileRow& row : kProfileRows) {
    config.profiles.push_back(
        {std::string(row.name), {row.worth, row.wait}, kOrigin});
  }
  for (const RouteRow& row : kRouteRows) {
    core::Route& route = config.routes.emplace_back();
    route.name = row.name;
    route.description = row.description;
    route.origin = kOrigin;
  }
  for (const ProviderRow& row : kProviderRows) {
    config.providers.push_back(provider(row));
  }
  config.models.resize(std::size(kModelRows));
  for (size_t i = 0; i < config.models.size(); ++i) {
    fill(config.models[i], kModelRows[i]);
  }
  return config;
}

}  // namespace llmroute::config
