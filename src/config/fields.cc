#include "config/fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "base/url.h"
#include "config/assign.h"
#include "config/names.h"
#include "config/pattern.h"
#include "config/toml_text.h"
#include "core/analysis.h"
#include "core/secret_headers.h"

namespace llmroute::config {
namespace {

using core::Budget;
using core::Config;
using core::Learning;
using core::Limits;
using core::Model;
using core::Price;
using core::Profile;
using core::Provider;
using core::Route;
using core::Rule;
using core::Tier;

// Fields made from a pointer to a member.

template <class M>
struct MemberOf;
template <class T, class V>
struct MemberOf<V T::*> {
  using Type = T;
};
template <auto M>
using ObjectOf = typename MemberOf<decltype(M)>::Type;

std::string text_of(core::Protocol protocol) {
  return quoted(core::protocol_name(protocol));
}
std::string text_of(core::Selection selection) {
  return selection == core::Selection::kOrdered ? "\"ordered\"" : "\"best\"";
}
template <class V>
std::string text_of(const V& value) {
  return toml_text(value);
}

template <auto M>
void list_one(const ObjectOf<M>& object, std::string_view key,
              std::vector<Leaf>& out) {
  out.push_back({std::string(key), text_of(object.*M)});
}

template <auto M>
base::Status set_plain(ObjectOf<M>& object, const Node& node, const Setting&) {
  return assign(object.*M, node);
}

// A string, or each of several, that must be well formed.
template <auto M, auto Check>
base::Status set_checked(ObjectOf<M>& object, const Node& node,
                         const Setting& setting) {
  LLMROUTE_CHECK(complain_each(setting, node, Check));
  return assign(object.*M, node);
}

template <auto M>
constexpr Field<ObjectOf<M>> plain(std::string_view key) {
  return {key, set_plain<M>, list_one<M>};
}
template <auto M, auto Check>
constexpr Field<ObjectOf<M>> checked(std::string_view key) {
  return {key, set_checked<M, Check>, list_one<M>};
}
template <auto M, auto Set>
constexpr Field<ObjectOf<M>> special(std::string_view key) {
  return {key, Set, list_one<M>};
}

// Values that need more than their type.

Complaint pattern_complaint(std::string_view pattern) {
  const std::optional<std::string> error = pattern_error(std::string(pattern));
  if (!error) return std::nullopt;
  return "is not a regular expression: " + *error;
}

// A tag as --tag takes it.
Complaint given_tag_complaint(std::string_view tag) {
  const size_t equals = tag.find('=');
  if (equals != 0 && equals != std::string_view::npos) return std::nullopt;
  return "must be KEY=VALUE";
}

Complaint domain_complaint(std::string_view name) {
  if (core::domain_index(name)) return std::nullopt;
  const std::vector<std::string> known(core::kDomainNames.begin(),
                                       core::kDomainNames.end());
  const std::string near = did_you_mean(name, known);
  return fmt::format("names an unknown domain '{}'{}", name,
                     near.empty()
                         ? fmt::format(" (known: {})", base::join(known, ", "))
                         : near);
}

Complaint script_complaint(std::string_view name) {
  const std::vector<std::string> known(core::kScripts.begin(),
                                       core::kScripts.end());
  if (std::find(known.begin(), known.end(), name) != known.end()) {
    return std::nullopt;
  }
  return fmt::format(
      "holds '{}': only the script of a prompt is told, as one of {}", name,
      base::join(known, ", "));
}

// Relative to the file; "~/" is the home directory.
template <auto M>
base::Status set_path(ObjectOf<M>& object, const Node& node,
                      const Setting& setting) {
  const Layer& layer = setting.layer;
  std::string path = node.text;
  if (path.starts_with("~/")) {
    path = layer.home + path.substr(1);
  } else if (!path.empty() && path.front() != '/' && !layer.directory.empty()) {
    path = layer.directory + "/" + path;
  }
  object.*M = path;
  return {};
}

template <auto M>
base::Status set_command(ObjectOf<M>& object, const Node& node,
                         const Setting& setting) {
  if (!node.items.empty() && node.items.front().text.empty()) {
    return setting.fail(node, "starts with an empty word");
  }
  return assign(object.*M, node);
}

base::Status set_protocol(Provider& provider, const Node& node,
                          const Setting&) {
  for (const core::Protocol protocol : core::kProtocols) {
    if (core::protocol_name(protocol) == node.text) {
      provider.protocol = protocol;
    }
  }
  return {};
}

base::Status set_base_url(Provider& provider, const Node& node,
                          const Setting& setting) {
  const base::Result<base::Url> url = base::parse_url(node.text);
  if (!url) {
    return setting.fail(node, "is not a usable URL: " + url.error().message);
  }
  provider.base_url = url->text();
  return {};
}

base::Status set_headers(Provider& provider, const Node& node,
                         const Setting& setting) {
  for (const Member& member : node.members) {
    LLMROUTE_CHECK(complain(setting, member.value,
                            header_complaint(member.key, member.value.text)));
    if (core::is_secret_header(member.key) && !setting.layer.secret) {
      return base::Error{
          base::ErrorKind::kNoPermission,
          fmt::format("{}: {} holds a key but others can read the file; "
                      "chmod 600 it, or use key_env, key_file or key_command",
                      setting.layer.origin(member.at), setting.label)};
    }
    provider.headers[member.key] = member.value.text;
  }
  return {};
}

void list_headers(const Provider& provider, std::string_view key,
                  std::vector<Leaf>& out) {
  for (const auto& [name, value] : provider.headers) {
    out.push_back(
        {fmt::format("{}.{}", key, key_text(name)),
         core::is_secret_header(name) ? "\"(hidden)\"" : quoted(value)});
  }
}

base::Status set_retry_exit(Provider& provider, const Node& node,
                            const Setting& setting) {
  provider.retry_exit.clear();
  for (const Node& item : node.items) {
    if (item.integer < 1 || item.integer > 255) {
      return setting.fail(item, "takes exit statuses from 1 to 255");
    }
    provider.retry_exit.push_back(static_cast<int>(item.integer));
  }
  return {};
}

template <auto M>
base::Status set_usd_per_million(ObjectOf<M>& price, const Node& node,
                                 const Setting&) {
  price.*M = core::per_token_from_usd_per_million(node.number);
  return {};
}

template <auto M>
void list_usd_per_million(const ObjectOf<M>& price, std::string_view key,
                          std::vector<Leaf>& out) {
  out.push_back({std::string(key),
                 price.*M ? usd_per_million(*(price.*M)) : std::string()});
}

template <auto M>
constexpr Field<Price> price_field(std::string_view key) {
  return {key, set_usd_per_million<M>, list_usd_per_million<M>};
}

// Without provider/id, which every model gets by itself.
void list_aliases(const Model& model, std::string_view key,
                  std::vector<Leaf>& out) {
  std::vector<std::string> aliases = model.aliases;
  std::erase(aliases, model.provider + "/" + model.id);
  out.push_back({std::string(key), toml_text(aliases)});
}

base::Status set_price(Model& model, const Node& node, const Setting& setting) {
  return set_members(model.price, node, setting.layer);
}

void list_price(const Model& model, std::string_view key,
                std::vector<Leaf>& out) {
  for (const Leaf& leaf : list_members(model.price)) {
    out.push_back({fmt::format("{}.{}", key, leaf.key), leaf.text});
  }
}

base::Status set_above(core::PriceTier& tier, const Node& node,
                       const Setting&) {
  tier.above_input_tokens = node.integer;
  return {};
}

template <auto M>
base::Status set_tier_price(core::PriceTier& tier, const Node& node,
                            const Setting& setting) {
  return set_usd_per_million<M>(tier.price, node, setting);
}

base::Status set_price_tiers(Model& model, const Node& node,
                             const Setting& setting) {
  model.price_tiers.clear();
  for (const Node& item : node.items) {
    core::PriceTier tier;
    LLMROUTE_CHECK(set_members(tier, item, setting.layer));
    if (tier.above_input_tokens == 0) {
      return setting.fail(item, "needs 'above' in every entry");
    }
    if (!model.price_tiers.empty() &&
        model.price_tiers.back().above_input_tokens >=
            tier.above_input_tokens) {
      return setting.fail(item, "must be in ascending order of 'above'");
    }
    model.price_tiers.push_back(tier);
  }
  return {};
}

constexpr double kMaxAbility = 20;

base::Status check_ability(const Node& node, const Setting& setting) {
  if (!node.is_number()) {
    return setting.fail(
        node, fmt::format("must be a number, not {}", kind_text(node.kind)));
  }
  if (!(std::fabs(node.number) <= kMaxAbility)) {
    return setting.fail(node, "must be between -20 and 20");
  }
  return {};
}

bool has_ability(const Model& model) {
  return std::any_of(model.ability.begin(), model.ability.end(),
                     [](double value) { return value != 0; });
}

// Domains left out of a model that had no ability yet get the mean of those
// given.
base::Status set_abilities(Model& model, const Node& node,
                           const Setting& setting) {
  const bool fresh = !has_ability(model);
  std::array<bool, core::kDomainCount> given{};
  double sum = 0;
  for (const Member& member : node.members) {
    const std::optional<size_t> domain = core::domain_index(member.key);
    if (!domain) {
      return setting.layer.fail(
          member.at,
          fmt::format("{} {}", setting.label, *domain_complaint(member.key)));
    }
    LLMROUTE_CHECK(check_ability(member.value, setting));
    model.ability[*domain] = member.value.number;
    given[*domain] = true;
    sum += member.value.number;
  }
  for (size_t d = 0; fresh && !node.members.empty() && d < given.size(); ++d) {
    if (!given[d]) {
      model.ability[d] = sum / static_cast<double>(node.members.size());
    }
  }
  return {};
}

base::Status set_ability(Model& model, const Node& node,
                         const Setting& setting) {
  if (node.kind == Node::Kind::kTable) {
    return set_abilities(model, node, setting);
  }
  LLMROUTE_CHECK(check_ability(node, setting));
  model.ability.fill(node.number);
  return {};
}

void list_ability(const Model& model, std::string_view key,
                  std::vector<Leaf>& out) {
  for (size_t d = 0; d < core::kDomainCount; ++d) {
    out.push_back({fmt::format("{}.{}", key, core::kDomainNames[d]),
                   toml_text(model.ability[d])});
  }
}

// The merger acts on it; a model that is listed is enabled.
base::Status set_enabled(Model&, const Node&, const Setting&) { return {}; }

void list_enabled(const Model&, std::string_view key, std::vector<Leaf>& out) {
  out.push_back({std::string(key), "true"});
}

base::Status set_select(Route& route, const Node& node, const Setting&) {
  route.selection = node.text == "ordered" ? core::Selection::kOrdered
                                           : core::Selection::kBest;
  return {};
}

template <auto M>
base::Status set_worth(Profile& profile, const Node& node, const Setting&) {
  profile.worth.*M = node.number;
  return {};
}

template <auto M>
void list_worth(const Profile& profile, std::string_view key,
                std::vector<Leaf>& out) {
  out.push_back({std::string(key), toml_text(profile.worth.*M)});
}

base::Status set_retries(Limits& limits, const Node& node, const Setting&) {
  limits.set_retries(static_cast<int>(node.integer));
  return {};
}

void list_retries(const Limits& limits, std::string_view key,
                  std::vector<Leaf>& out) {
  out.push_back(
      {std::string(key), fmt::format("{}", limits.attempts_per_candidate - 1)});
}

template <auto M>
base::Status set_usd(ObjectOf<M>& object, const Node& node, const Setting&) {
  object.*M = core::from_usd(node.number);
  return {};
}

template <auto M>
void list_usd(const ObjectOf<M>& object, std::string_view key,
              std::vector<Leaf>& out) {
  const std::optional<core::Money>& usd = object.*M;
  out.push_back({std::string(key), usd ? core::format_usd(*usd) : ""});
}

template <auto M>
constexpr Field<ObjectOf<M>> usd(std::string_view key) {
  return {key, set_usd<M>, list_usd<M>};
}

void list_nothing(const core::PriceTier&, std::string_view,
                  std::vector<Leaf>&) {}  // written with its model

template <auto M>
constexpr Field<core::PriceTier> tier_price(std::string_view key) {
  return {key, set_tier_price<M>, list_nothing};
}

// The sections.

constexpr auto kTop = std::to_array<Field<Config>>({
    plain<&Config::default_profile>("profile"),
    plain<&Config::default_route>("route"),
    special<&Config::router_model_file, set_path<&Config::router_model_file>>(
        "model_file"),
});

constexpr auto kTiers = std::to_array<Field<Tier>>({
    checked<&Tier::name, name_complaint>("name"),
    checked<&Tier::aliases, name_complaint>("aliases"),
});

constexpr auto kProviders = std::to_array<Field<Provider>>({
    special<&Provider::protocol, set_protocol>("protocol"),
    special<&Provider::base_url, set_base_url>("base_url"),
    checked<&Provider::key_env, variable_complaint>("key_env"),
    special<&Provider::key_file, set_path<&Provider::key_file>>("key_file"),
    special<&Provider::key_command, set_command<&Provider::key_command>>(
        "key_command"),
    checked<&Provider::key_header, header_name_complaint>("key_header"),
    checked<&Provider::api_version, name_complaint>("api_version"),
    {"headers", set_headers, list_headers},
    checked<&Provider::tags, tag_complaint>("tags"),
    plain<&Provider::token_limit_field>("token_limit_field"),
    plain<&Provider::stream_usage>("stream_usage"),
    checked<&Provider::seed_field, name_complaint>("seed_field"),
    plain<&Provider::reported_cost>("reported_cost"),
    plain<&Provider::rate_limit_scope>("rate_limit_scope"),
    special<&Provider::ca_file, set_path<&Provider::ca_file>>("ca_file"),
    plain<&Provider::allow_http>("allow_http"),
    plain<&Provider::concurrency>("concurrency"),
    plain<&Provider::requests_per_minute>("rpm"),
    plain<&Provider::tokens_per_minute>("tpm"),
    special<&Provider::command, set_command<&Provider::command>>("command"),
    checked<&Provider::pass_env, variable_complaint>("pass_env"),
    special<&Provider::retry_exit, set_retry_exit>("retry_exit"),
    plain<&Provider::pure>("pure"),
});

constexpr auto kModels = std::to_array<Field<Model>>({
    plain<&Model::provider>("provider"),
    plain<&Model::id>("id"),
    {"aliases", set_checked<&Model::aliases, name_complaint>, list_aliases},
    plain<&Model::tier>("tier"),
    checked<&Model::tags, tag_complaint>("tags"),
    plain<&Model::description>("description"),
    plain<&Model::context_window>("context_window"),
    plain<&Model::max_output_tokens>("max_output_tokens"),
    {"price", set_price, list_price},
    special<&Model::price_tiers, set_price_tiers>("price_tiers"),
    checked<&Model::price_as_of, date_complaint>("price_as_of"),
    {"ability", set_ability, list_ability},
    plain<&Model::accepts_temperature>("temperature"),
    plain<&Model::token_limit_field>("token_limit_field"),
    plain<&Model::verbosity>("verbosity"),
    plain<&Model::tokens_per_second>("tokens_per_second"),
    plain<&Model::first_token_seconds>("first_token_seconds"),
    {"enabled", set_enabled, list_enabled},
});

constexpr auto kPrice = std::to_array<Field<Price>>({
    price_field<&Price::input>("input"),
    price_field<&Price::output>("output"),
    price_field<&Price::cached_input>("cached_input"),
    price_field<&Price::cache_write>("cache_write"),
    price_field<&Price::reasoning>("reasoning"),
});

constexpr auto kPriceTiers = std::to_array<Field<core::PriceTier>>({
    {"above", set_above, list_nothing},
    tier_price<&Price::input>("input"),
    tier_price<&Price::output>("output"),
    tier_price<&Price::cached_input>("cached_input"),
    tier_price<&Price::cache_write>("cache_write"),
    tier_price<&Price::reasoning>("reasoning"),
});

constexpr auto kRoutes = std::to_array<Field<Route>>({
    plain<&Route::models>("models"),
    special<&Route::selection, set_select>("select"),
    checked<&Route::prompt_template, template_complaint>("prompt"),
    plain<&Route::description>("description"),
    plain<&Route::no_fallback>("no_fallback"),
    plain<&Route::hedge>("hedge"),
});

constexpr auto kRules = std::to_array<Field<Rule>>({
    checked<&Rule::name, label_complaint>("name"),
    checked<&Rule::pattern, pattern_complaint>("pattern"),
    checked<&Rule::domains, domain_complaint>("domain"),
    plain<&Rule::min_difficulty>("min_difficulty"),
    plain<&Rule::max_difficulty>("max_difficulty"),
    plain<&Rule::min_tokens>("min_tokens"),
    plain<&Rule::max_tokens>("max_tokens"),
    plain<&Rule::tags>("tag"),
    checked<&Rule::languages, script_complaint>("language"),
    plain<&Rule::files>("file"),
    plain<&Rule::route>("route"),
    plain<&Rule::model>("model"),
    plain<&Rule::allow>("allow"),
    plain<&Rule::deny>("deny"),
    checked<&Rule::require, tag_complaint>("require"),
    plain<&Rule::tier>("tier"),
    plain<&Rule::min_tier>("min_tier"),
    plain<&Rule::max_tier>("max_tier"),
    checked<&Rule::prompt_template, template_complaint>("prompt"),
    plain<&Rule::worth>("worth"),
    plain<&Rule::wait>("wait"),
    plain<&Rule::no_fallback>("no_fallback"),
});

constexpr auto kProfiles = std::to_array<Field<Profile>>({
    {"worth", set_worth<&core::Worth::good_answer>,
     list_worth<&core::Worth::good_answer>},
    {"wait", set_worth<&core::Worth::second>, list_worth<&core::Worth::second>},
});

constexpr auto kLimits = std::to_array<Field<Limits>>({
    plain<&Limits::total>("timeout"),
    plain<&Limits::connect>("connect_timeout"),
    plain<&Limits::first_token>("first_token_timeout"),
    plain<&Limits::idle>("idle_timeout"),
    {"retries", set_retries, list_retries},
    plain<&Limits::give_up>("give_up"),
    usd<&Limits::max_cost>("max_cost"),
    usd<&Limits::per_day>("per_day"),
    usd<&Limits::per_month>("per_month"),
});

constexpr auto kLearning = std::to_array<Field<Learning>>({
    plain<&Learning::explore>("explore"),
    plain<&Learning::seed>("seed"),
    plain<&Learning::switch_margin>("switch_margin"),
});

constexpr auto kBudgets = std::to_array<Field<Budget>>({
    checked<&Budget::tag, given_tag_complaint>("tag"),
    usd<&Budget::per_day>("per_day"),
    usd<&Budget::per_month>("per_month"),
});

// Whether the fields are the rows of the section, in their order.
template <class T, size_t N>
constexpr bool covers(const std::array<Field<T>, N>& fields,
                      std::string_view section) {
  size_t next = 0;
  for (const KeyRow& row : kKeys) {
    if (row.section != section) continue;
    if (next == N || fields[next].key != row.key) return false;
    ++next;
  }
  return next == N;
}

static_assert(covers(kTop, ""));
static_assert(covers(kTiers, "tiers"));
static_assert(covers(kProviders, "providers"));
static_assert(covers(kModels, "models"));
static_assert(covers(kPrice, "price"));
static_assert(covers(kPriceTiers, "price_tiers"));
static_assert(covers(kRoutes, "routes"));
static_assert(covers(kRules, "rules"));
static_assert(covers(kProfiles, "profiles"));
static_assert(covers(kLimits, "limits"));
static_assert(covers(kLearning, "learning"));
static_assert(covers(kBudgets, "budgets"));

template <class T>
const Field<T>* find_field(std::string_view key) {
  for (const Field<T>& field : fields<T>()) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

}  // namespace

#define LLMROUTE_SECTION(Type, array, name)     \
  template <>                                   \
  std::span<const Field<Type>> fields<Type>() { \
    return array;                               \
  }                                             \
  template <>                                   \
  std::string_view section_of<Type>() {         \
    return name;                                \
  }
LLMROUTE_SECTION(Config, kTop, "")
LLMROUTE_SECTION(Tier, kTiers, "tiers")
LLMROUTE_SECTION(Provider, kProviders, "providers")
LLMROUTE_SECTION(Model, kModels, "models")
LLMROUTE_SECTION(Price, kPrice, "price")
LLMROUTE_SECTION(core::PriceTier, kPriceTiers, "price_tiers")
LLMROUTE_SECTION(Route, kRoutes, "routes")
LLMROUTE_SECTION(Rule, kRules, "rules")
LLMROUTE_SECTION(Profile, kProfiles, "profiles")
LLMROUTE_SECTION(Limits, kLimits, "limits")
LLMROUTE_SECTION(Learning, kLearning, "learning")
LLMROUTE_SECTION(Budget, kBudgets, "budgets")
#undef LLMROUTE_SECTION

std::string key_label(std::string_view section, std::string_view key) {
  for (const SectionRow& row : kSections) {
    if (row.name == section && !section.empty()) {
      return fmt::format("'{}' in {}", key, row.header);
    }
  }
  return fmt::format("'{}'", key);
}

namespace {

// What people write for a key itself, which has no place in a file.
bool is_key_in_plain(std::string_view key) {
  constexpr std::string_view kNames[] = {
      "api_key", "api-key", "apikey", "api_token", "key", "token", "secret"};
  return std::find(std::begin(kNames), std::end(kNames),
                   base::to_lower_ascii(key)) != std::end(kNames);
}

// [route.auto] for [routes.auto]: a section's name without its last letter is
// a key at the top, or nothing.
std::string meant_section(const Member& member) {
  if (member.value.kind != Node::Kind::kTable &&
      member.value.kind != Node::Kind::kArray) {
    return {};
  }
  for (const SectionRow& row : kSections) {
    if (!row.header.starts_with('[') || row.name != member.key + "s") continue;
    const bool list = row.header.starts_with("[[");
    const auto& members = member.value.members;
    const bool named = !list && members.size() == 1 &&
                       members.front().value.kind == Node::Kind::kTable;
    return named
               ? fmt::format("[{}.{}]", row.name, key_text(members.front().key))
               : std::string(row.header);
  }
  return {};
}

}  // namespace

base::Error unknown_key(const Layer& layer, const Member& member,
                        std::string_view section) {
  if (section.empty() && !meant_section(member).empty()) {
    return layer.fail(member.at,
                      fmt::format("unknown section '{}' (did you mean {}?)",
                                  member.key, meant_section(member)));
  }
  if (section == "providers" && is_key_in_plain(member.key)) {
    return layer.fail(
        member.at,
        fmt::format("unknown key {}: a key is not written here; key_env names "
                    "a variable that holds it, key_file a file, key_command a "
                    "command that prints it",
                    key_label(section, member.key)));
  }
  std::vector<std::string> known = key_names(section);
  if (section.empty()) {
    for (const SectionRow& row : kSections) {
      if (row.header.starts_with('[')) known.emplace_back(row.name);
    }
  }
  return layer.fail(
      member.at, fmt::format("unknown key {}{}", key_label(section, member.key),
                             did_you_mean(member.key, known)));
}

template <class T>
base::Status set_member(T& object, const Member& member, const Layer& layer) {
  const std::string_view section = section_of<T>();
  const KeyRow* row = find_key(section, member.key);
  const Field<T>* field = find_field<T>(member.key);
  if (row == nullptr || field == nullptr) {
    return unknown_key(layer, member, section);
  }
  if (section.empty() && !meant_section(member).empty()) {
    return unknown_key(layer, member, section);
  }
  const Setting setting{*row, key_label(section, member.key), layer};
  LLMROUTE_CHECK(check_value(setting, member.value));
  return field->set(object, member.value, setting);
}

template <class T>
base::Status set_members(T& object, const Node& table, const Layer& layer) {
  for (const Member& member : table.members) {
    LLMROUTE_CHECK(set_member(object, member, layer));
  }
  return {};
}

template base::Status set_member(Config&, const Member&, const Layer&);
template base::Status set_members(Tier&, const Node&, const Layer&);
template base::Status set_members(Provider&, const Node&, const Layer&);
template base::Status set_members(Model&, const Node&, const Layer&);
template base::Status set_members(Price&, const Node&, const Layer&);
template base::Status set_members(core::PriceTier&, const Node&, const Layer&);
template base::Status set_members(Route&, const Node&, const Layer&);
template base::Status set_members(Rule&, const Node&, const Layer&);
template base::Status set_members(Profile&, const Node&, const Layer&);
template base::Status set_members(Limits&, const Node&, const Layer&);
template base::Status set_members(Learning&, const Node&, const Layer&);
template base::Status set_members(Budget&, const Node&, const Layer&);

}  // namespace llmroute::config
