#include "app/models.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "app/local_models.h"
#include "app/messages.h"
#include "app/model_record.h"
#include "app/output.h"
#include "app/terminal.h"
#include "base/json_writer.h"
#include "base/names.h"
#include "base/table.h"
#include "base/text.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/toml_text.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;
using core::Model;

enum class KeyState { kPresent, kMissing, kNotNeeded };

// A model as it is listed.
struct Entry {
  const Model* model = nullptr;
  const core::Provider* provider = nullptr;
  std::string tier;
  size_t tier_index = 0;
  KeyState key = KeyState::kMissing;
  std::string problem;  // why it cannot be called now; empty: it can
  const ModelRecord* record = nullptr;  // null: nothing is known

  bool usable() const { return problem.empty(); }
};

class Listing {
 public:
  Listing(const ModelsOptions& options, core::Config config,
          std::map<std::string, std::string> unavailable,
          const base::Environment& environment)
      : options_(options),
        config_(std::move(config)),
        unavailable_(std::move(unavailable)),
        records_(read_model_records(config_, options.ledger, environment)),
        environment_(environment) {}

  Result<std::vector<Entry>> entries() const;
  bool any_key() const;

 private:
  Entry entry(const Model& model) const;
  bool wanted(const Model& model) const;
  base::Status check_patterns() const;

  const ModelsOptions& options_;
  core::Config config_;
  std::map<std::string, std::string> unavailable_;
  std::map<std::string, ModelRecord> records_;
  const base::Environment& environment_;
};

bool matches(const std::string& pattern, const Model& model) {
  return base::glob_match(pattern, model.name) ||
         base::glob_match(pattern, model.provider + "/" + model.id) ||
         std::any_of(model.aliases.begin(), model.aliases.end(),
                     [&](const std::string& alias) {
                       return base::glob_match(pattern, alias);
                     });
}

Entry Listing::entry(const Model& model) const {
  const core::Provider& provider = *config_.find_provider(model.provider);
  Entry entry;
  entry.model = &model;
  entry.provider = &provider;
  const auto record = records_.find(model.name);
  if (record != records_.end()) entry.record = &record->second;
  entry.tier_index = config_.tier_of(model);
  if (!config_.tiers.empty()) entry.tier = config_.tiers[entry.tier_index].name;
  if (provider.keyless()) {
    entry.key = KeyState::kNotNeeded;
  } else if (config::key_present(provider, environment_)) {
    entry.key = KeyState::kPresent;
  } else {
    entry.problem = config::missing_key_text(provider);
  }
  for (const std::string& name : {provider.name, model.name}) {
    const auto found = unavailable_.find(name);
    if (found != unavailable_.end()) entry.problem = found->second;
  }
  return entry;
}

bool Listing::wanted(const Model& model) const {
  if (options_.patterns.empty()) return true;
  return std::any_of(
      options_.patterns.begin(), options_.patterns.end(),
      [&](const std::string& pattern) { return matches(pattern, model); });
}

base::Status Listing::check_patterns() const {
  std::vector<std::string> names;
  for (const Model& model : config_.models) {
    names.push_back(model.name);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  for (const std::string& pattern : options_.patterns) {
    if (std::any_of(config_.models.begin(), config_.models.end(),
                    [&](const Model& m) { return matches(pattern, m); })) {
      continue;
    }
    return Error{ErrorKind::kNegative,
                 fmt::format("no model matches '{}'{}", pattern,
                             base::did_you_mean(pattern, names))};
  }
  return {};
}

// Weakest tier first, then by price.
bool before(const Entry& a, const Entry& b) {
  const auto price = [](const Entry& entry) {
    return entry.model->price.output.value_or(core::Money::max());
  };
  if (a.tier_index != b.tier_index) return a.tier_index < b.tier_index;
  if (price(a) != price(b)) return price(a) < price(b);
  return a.model->name < b.model->name;
}

Result<std::vector<Entry>> Listing::entries() const {
  LLMROUTE_CHECK(check_patterns());
  std::vector<Entry> entries;
  for (const Model& model : config_.models) {
    if (!wanted(model)) continue;
    Entry one = entry(model);
    const bool listed = options_.all || !options_.patterns.empty() ||
                        one.key != KeyState::kMissing;
    if (listed) entries.push_back(std::move(one));
  }
  std::stable_sort(entries.begin(), entries.end(), before);
  return entries;
}

bool Listing::any_key() const {
  return std::any_of(config_.models.begin(), config_.models.end(),
                     [&](const Model& model) {
                       return entry(model).key != KeyState::kMissing;
                     });
}

std::string price_text(const std::optional<core::Money>& price) {
  return price ? config::usd_per_million(*price) : "?";
}

// Of a key that several variables may hold, the first: JSON names all.
std::string first_key_text(const Entry& entry) {
  const std::vector<std::string>& names = entry.provider->key_env;
  if (names.size() < 2 || !entry.provider->key_file.empty()) {
    return entry.problem;
  }
  return fmt::format("{} (or {} more) is not set", names.front(),
                     names.size() - 1);
}

std::string state_text(const Entry& entry) {
  if (entry.key == KeyState::kMissing) return first_key_text(entry);
  if (!entry.problem.empty()) return entry.problem;
  return entry.key == KeyState::kNotNeeded ? "not needed" : "yes";
}

// `brief`: for where there is little room.
std::vector<std::string> registry_cells(const Entry& entry, bool brief) {
  const Model& m = *entry.model;
  return {
      m.name,
      m.provider,
      entry.tier,
      price_text(m.price.input),
      price_text(m.price.output),
      m.context_window ? base::with_thousands(*m.context_window) : "?",
      fmt::format("{:+.2f}", m.general_ability()),
      m.price_as_of.empty() ? "?" : m.price_as_of,
      brief && entry.key == KeyState::kMissing ? "missing" : state_text(entry)};
}

std::string seconds_text(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.2f} s", *seconds) : "";
}

std::vector<std::string> record_cells(const ModelRecord* record) {
  if (record == nullptr) return {"", "", "", "", "", "", ""};
  const std::string rate =
      record->calls == 0
          ? ""
          : fmt::format("{:.0f} %", 100.0 *
                                        static_cast<double>(record->answered) /
                                        static_cast<double>(record->calls));
  std::string breaker = record->breaker == "closed" ? "ok" : "to be tried";
  if (record->left_alone_ms > 0) {
    breaker =
        fmt::format("left alone {} s", (record->left_alone_ms + 999) / 1000);
  }
  return {base::with_thousands(record->calls), rate,
          seconds_text(record->p50),           seconds_text(record->p90),
          core::display_usd(record->spent),    std::move(breaker),
          record->last_error.value_or("")};
}

// What the ledger knows stands beside, where it knows anything.
base::Table table_of(const std::vector<Entry>& entries, bool brief) {
  const bool recorded =
      std::any_of(entries.begin(), entries.end(),
                  [](const Entry& entry) { return entry.record != nullptr; });
  base::Table table(recorded ? "lllrrrrllrrrrrll" : "lllrrrrll");
  std::vector<std::string> heads = {"MODEL",   "PROVIDER", "TIER",
                                    "IN $/1M", "OUT $/1M", "WINDOW",
                                    "ABILITY", "PRICED",   "KEY"};
  if (recorded) {
    for (const char* head :
         {"CALLS", "OK", "P50", "P90", "SPENT", "BREAKER", "LAST ERROR"}) {
      heads.emplace_back(head);
    }
  }
  table.add_row(heads);
  for (const Entry& entry : entries) {
    std::vector<std::string> cells = registry_cells(entry, brief);
    if (recorded) {
      for (std::string& cell : record_cells(entry.record)) {
        cells.push_back(std::move(cell));
      }
    }
    table.add_row(cells);
  }
  return table;
}

// `columns`: what there is room for; nothing: for all.
std::string table_text(const std::vector<Entry>& entries,
                       std::optional<size_t> columns) {
  const base::Table whole = table_of(entries, false);
  if (!columns || whole.width() <= *columns) return whole.render();
  base::Table table = table_of(entries, true);
  std::vector<std::string> gone =
      table.narrow(*columns, {"PRICED", "WINDOW", "P90", "LAST ERROR",
                              "ABILITY", "BREAKER", "OK", "SPENT", "PROVIDER",
                              "OUT $/1M", "IN $/1M", "TIER", "P50", "CALLS"});
  const bool keyless = std::any_of(
      entries.begin(), entries.end(),
      [](const Entry& entry) { return entry.key == KeyState::kMissing; });
  if (keyless) gone.emplace_back("names of missing keys");
  return table.render() +
         base::wrapped("not shown: " + base::join(gone, ", ") +
                           "; -v or a pipe shows all",
                       *columns, 2) +
         "\n";
}

void add_price(base::JsonWriter& json, std::string_view key,
               const std::optional<core::Money>& price) {
  json.key(key);
  price ? json.raw(config::usd_per_million(*price)) : json.null();
}

void add_prices(base::JsonWriter& json, const core::Price& price) {
  add_price(json, "input", price.input);
  add_price(json, "output", price.output);
  add_price(json, "cached_input", price.cached_input);
  add_price(json, "cache_write", price.cache_write);
  add_price(json, "reasoning", price.reasoning);
}

void add_tier(base::JsonWriter& json, const core::PriceTier& tier) {
  json.begin_object().field("above_input_tokens", tier.above_input_tokens);
  add_prices(json, tier.price);
  json.end_object();
}

void add_costs(base::JsonWriter& json, const Model& model) {
  json.key("usd_per_1m").begin_object();
  add_prices(json, model.price);
  json.end_object();
  json.list("price_tiers", model.price_tiers, add_tier);
  json.text_or_null("price_as_of", model.price_as_of);
}

void add_ability(base::JsonWriter& json, const Model& model) {
  json.key("ability").begin_object();
  json.key("general").raw(fmt::format("{:.3f}", model.general_ability()));
  for (size_t d = 0; d < core::kDomainCount; ++d) {
    json.field(core::kDomainNames[d], model.ability[d]);
  }
  json.end_object();
}

std::string_view key_text(KeyState key) {
  switch (key) {
    case KeyState::kPresent:
      return "present";
    case KeyState::kMissing:
      return "missing";
    case KeyState::kNotNeeded:
      return "not needed";
  }
  return "";
}

void add_entry(base::JsonWriter& json, const Entry& entry) {
  const Model& m = *entry.model;
  json.begin_object().field("name", m.name).field("provider", m.provider);
  json.field("id", m.id).field("description", m.description);
  json.field("aliases", m.aliases);
  json.field("tier", entry.tier).field("tags", m.tags);
  json.field("context_window", m.context_window);
  json.field("max_output_tokens", m.max_output_tokens);
  add_costs(json, m);
  add_ability(json, m);
  json.field("key", key_text(entry.key)).field("usable", entry.usable());
  json.text_or_null("problem", entry.problem);
  json.field("origin", m.origin).key("record");
  write_record(json, entry.record);
  json.end_object();
}

std::string json_text(const std::vector<Entry>& entries) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.models/1");
  json.list("models", entries, add_entry).end_object();
  return json.take() + "\n";
}

}  // namespace

Result<ExitStatus> models(const ModelsOptions& options,
                          const base::Environment& environment) {
  LLMROUTE_TRY(core::Config config, config::load(options.config, environment));
  auto unavailable = find_local_models(Asker::kExplain, environment, config);
  const Listing listing(options, std::move(config), std::move(unavailable),
                        environment);
  LLMROUTE_TRY(const std::vector<Entry> entries, listing.entries());
  if (options.format == Format::kJson) {
    LLMROUTE_CHECK(print_text(json_text(entries)));
  } else if (!entries.empty()) {
    LLMROUTE_CHECK(
        print_text(table_text(entries, options.messages.verbose > 0
                                           ? std::nullopt
                                           : screen_columns(STDOUT_FILENO))));
  }
  if (!listing.any_key()) {
    Messages(options.messages)
        .warn(std::string(
                  "no model has a key: set a variable such as "
                  "OPENAI_API_KEY or ANTHROPIC_API_KEY, or start Ollama") +
              (options.all ? "" : "; --all lists every model"));
  }
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
