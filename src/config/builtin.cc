#include <span>
#include <string>
#include <vector>

#include "config/builtin_rows.h"
#include "config/load.h"
#include "config/snapshot.h"

namespace llmroute::config {
namespace {

#include "config/registry_rows.inc"

constexpr char kOrigin[] = "built-in";

std::string text(Text place) { return {kText + place.at, place.size}; }

std::vector<std::string> texts(Rows rows) {
  std::vector<std::string> out;
  out.reserve(rows.count);
  for (const Text word : std::span(kWords).subspan(rows.first, rows.count)) {
    out.push_back(text(word));
  }
  return out;
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
  out.name = text(row.name);
  out.protocol = row.protocol;
  out.base_url = text(row.base_url);
  out.key_env = texts(row.key_env);
  out.tags = texts(row.tags);
  out.token_limit_field = text(row.token_limit_field);
  out.stream_usage = row.stream_usage;
  out.seed_field = text(row.seed_field);
  out.reported_cost = row.reported_cost;
  out.origin = kOrigin;
  return out;
}

void fill(core::Model& out, const ModelRow& row) {
  out.name = text(row.name);
  out.provider = text(row.provider);
  out.id = text(row.id);
  out.aliases = texts(row.aliases);
  out.tier = text(row.tier);
  out.tags = texts(row.tags);
  out.description = text(row.description);
  out.context_window = tokens(row.context_window);
  out.max_output_tokens = tokens(row.max_output_tokens);
  out.price = price(row.price);
  for (const PriceTierRow& tier :
       std::span(kPriceTierRows)
           .subspan(row.price_tiers.first, row.price_tiers.count)) {
    out.price_tiers.push_back({tier.above, price(tier.price)});
  }
  out.price_as_of = text(row.price_as_of);
  out.ability = row.ability;
  out.accepts_temperature = row.accepts_temperature;
  out.token_limit_field = text(row.token_limit_field);
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
    config.tiers.push_back({text(row.name), texts(row.aliases)});
  }
  for (const ProfileRow& row : kProfileRows) {
    config.profiles.push_back({text(row.name), {row.worth, row.wait}, kOrigin});
  }
  for (const RouteRow& row : kRouteRows) {
    core::Route& route = config.routes.emplace_back();
    route.name = text(row.name);
    route.description = text(row.description);
    route.origin = kOrigin;
  }
  config.providers.reserve(std::size(kProviderRows));
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
