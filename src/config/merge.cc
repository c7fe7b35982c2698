#include "config/merge.h"

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "base/url.h"
#include "config/fields.h"
#include "config/names.h"
#include "config/validate.h"

namespace llmroute::config {
namespace {

using Index = std::unordered_map<std::string, size_t>;

template <class T>
Index index_of(const std::vector<T>& objects) {
  Index index;
  for (size_t i = 0; i < objects.size(); ++i) index[objects[i].name] = i;
  return index;
}

base::Status expect_table(const Member& section, const Layer& layer) {
  if (section.value.kind == Node::Kind::kTable) return {};
  const bool named = section.key != "limits" && section.key != "learning";
  return layer.fail(
      section.at, fmt::format("'{0}' is a section: write [{0}{1}]", section.key,
                              named ? ".NAME" : ""));
}

base::Status expect_tables(const Member& section, const Layer& layer) {
  bool fine = section.value.kind == Node::Kind::kArray;
  for (const Node& item : section.value.items) {
    fine = fine && item.kind == Node::Kind::kTable;
  }
  if (fine) return {};
  return layer.fail(
      section.at,
      fmt::format("'{0}' is a list of sections: write [[{0}]]", section.key));
}

// [models.gpt-5.4] is TOML for a table "4" in "gpt-5".
base::Status check_dots(const Member& section, const Member& member,
                        const Layer& layer) {
  for (const Member& inner : member.value.members) {
    if (inner.value.kind != Node::Kind::kTable ||
        find_key(section.key, inner.key) != nullptr) {
      continue;
    }
    return layer.fail(
        inner.at, fmt::format("unknown key {} (a name with a dot needs quotes: "
                              "[{}.\"{}.{}\"])",
                              key_label(section.key, inner.key), section.key,
                              member.key, inner.key));
  }
  return {};
}

}  // namespace

Merger::Merger(core::Config base)
    : config_(std::move(base)),
      providers_(index_of(config_.providers)),
      models_(index_of(config_.models)),
      routes_(index_of(config_.routes)),
      profiles_(index_of(config_.profiles)),
      budgets_(index_of(config_.budgets)) {
  for (core::Model& model : config_.models) {
    std::erase(model.aliases, model.provider + "/" + model.id);
  }
}

base::Status Merger::add(const Node& document, const Layer& layer) {
  for (const Member& member : document.members) {
    LLMROUTE_CHECK(add_member(member, layer));
  }
  return {};
}

base::Status Merger::add_member(const Member& member, const Layer& layer) {
  if (find_key("", member.key) == nullptr) return add_section(member, layer);
  LLMROUTE_CHECK(set_member(config_, member, layer));
  Node table;
  table.members.push_back(member);
  origins_.add_values("", table, layer);
  return {};
}

base::Status Merger::add_section(const Member& member, const Layer& layer) {
  if (member.key == "providers") {
    return add_named(config_.providers, providers_, member, layer);
  }
  if (member.key == "models") {
    return add_named(config_.models, models_, member, layer);
  }
  if (member.key == "routes") {
    return add_named(config_.routes, routes_, member, layer);
  }
  if (member.key == "profiles") {
    return add_named(config_.profiles, profiles_, member, layer);
  }
  if (member.key == "budgets") {
    return add_named(config_.budgets, budgets_, member, layer);
  }
  if (member.key == "limits") return add_one(config_.limits, member, layer);
  if (member.key == "learning") {
    return add_one(config_.learning, member, layer);
  }
  if (member.key == "tiers") return add_tiers(member, layer);
  if (member.key == "rules") return add_rules(member, layer);
  return unknown_key(layer, member, "");
}

template <class T>
base::Status Merger::add_named(std::vector<T>& objects, Index& index,
                               const Member& section, const Layer& layer) {
  LLMROUTE_CHECK(expect_table(section, layer));
  for (const Member& member : section.value.members) {
    if (const Complaint bad = name_complaint(member.key)) {
      return layer.fail(member.at,
                        fmt::format("a name in [{}] {}", section.key, *bad));
    }
    if (member.value.kind != Node::Kind::kTable) {
      return layer.fail(member.at, fmt::format("'{1}' in [{0}] must be a "
                                               "section: write [{0}.{1}]",
                                               section.key, member.key));
    }
    LLMROUTE_CHECK(check_dots(section, member, layer));
    const auto [at, fresh] = index.try_emplace(member.key, objects.size());
    if (fresh) objects.emplace_back().name = member.key;
    T& object = objects[at->second];
    LLMROUTE_CHECK(set_members(object, member.value, layer));
    note(object, member.value, !fresh);
    if (fresh) object.origin = layer.origin(member.at);
    const std::string path = join_path(section.key, member.key);
    origins_.add_place(path, layer, member.at);
    origins_.add_values(path, member.value, layer);
  }
  return {};
}

// A new price without a day is not of the old day.
void Merger::note(core::Model& model, const Node& table, bool existed) {
  const bool priced =
      table.find("price") != nullptr || table.find("price_tiers") != nullptr;
  if (existed && priced && table.find("price_as_of") == nullptr) {
    model.price_as_of.clear();
    origins_.forget(join_path(join_path("models", model.name), "price_as_of"));
  }
  if (const Node* enabled = table.find("enabled")) {
    if (enabled->flag) disabled_.erase(model.name);
    if (!enabled->flag) disabled_.insert(model.name);
  }
}

template <class T>
base::Status Merger::add_one(T& object, const Member& section,
                             const Layer& layer) {
  LLMROUTE_CHECK(expect_table(section, layer));
  LLMROUTE_CHECK(set_members(object, section.value, layer));
  origins_.add_values(section.key, section.value, layer);
  return {};
}

base::Status Merger::add_tiers(const Member& section, const Layer& layer) {
  LLMROUTE_CHECK(expect_tables(section, layer));
  config_.tiers.clear();
  origins_.forget(section.key);
  for (const Node& item : section.value.items) {
    core::Tier& tier = config_.tiers.emplace_back();
    LLMROUTE_CHECK(set_members(tier, item, layer));
    if (tier.name.empty()) {
      return layer.fail(item.at, "a tier needs a name");
    }
    const std::string path = join_path(section.key, tier.name);
    if (origins_.has(path)) {
      return layer.fail(item.at, fmt::format("a second tier '{}'", tier.name));
    }
    origins_.add_place(path, layer, item.at);
    origins_.add_values(path, item, layer);
  }
  return {};
}

base::Status Merger::add_rules(const Member& section, const Layer& layer) {
  LLMROUTE_CHECK(expect_tables(section, layer));
  std::set<std::string> here;
  std::vector<core::Rule> rules;
  for (const Node& item : section.value.items) {
    LLMROUTE_CHECK(add_rule(item, layer, rules));
    if (!here.insert(rules.back().name).second) {
      return layer.fail(item.at,
                        fmt::format("a second rule '{}'", rules.back().name));
    }
  }
  for (core::Rule& rule : config_.rules) {
    if (!here.contains(rule.name)) rules.push_back(std::move(rule));
  }
  config_.rules = std::move(rules);
  return {};
}

base::Status Merger::add_rule(const Node& table, const Layer& layer,
                              std::vector<core::Rule>& rules) {
  core::Rule& rule = rules.emplace_back();
  LLMROUTE_CHECK(set_members(rule, table, layer));
  if (rule.name.empty()) rule.name = free_rule_name(layer, table.at);
  rule.file = layer.file;
  rule.line = table.at.line;
  const std::string path = join_path("rules", rule.name);
  origins_.forget(path);
  origins_.add_place(path, layer, table.at);
  origins_.add_values(path, table, layer);
  return {};
}

std::string Merger::free_rule_name(const Layer& layer, Position at) const {
  std::string name = fmt::format("{}:{}", base::base_name(layer.file), at.line);
  if (!origins_.has(join_path("rules", name))) return name;
  return layer.origin(at);
}

void Merger::remove_disabled() {
  std::erase_if(config_.models, [&](const core::Model& model) {
    return disabled_.contains(model.name);
  });
}

// What is built in says of a provider where it is; another base_url makes that
// untrue, as new tiers do with the tiers of built-in models.
void Merger::drop_stale_tags() {
  const auto is_own = [&](std::string_view section, const std::string& name,
                          std::string_view key) {
    return is_set(join_path(join_path(section, name), key));
  };
  for (core::Provider& provider : config_.providers) {
    if (provider.tags.empty()) continue;
    const auto url = base::parse_url(provider.base_url);
    if (url && !url->is_loopback() &&
        !is_own("providers", provider.name, "tags")) {
      std::erase(provider.tags, "local");
    }
  }
  for (core::Model& model : config_.models) {
    if (model.tier.empty() || config_.find_tier(model.tier)) continue;
    if (!is_own("models", model.name, "tier")) model.tier.clear();
  }
}

base::Result<core::Config> Merger::finish() {
  remove_disabled();
  drop_stale_tags();
  LLMROUTE_CHECK(validate(config_, origins_, disabled_));
  config_.values = origins_.values();
  return std::move(config_);
}

}  // namespace llmroute::config
