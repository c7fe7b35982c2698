#include "config/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <type_traits>

#include "config/fields.h"
#include "config/origins.h"
#include "config/read.h"
#include "config/toml_text.h"

namespace llmroute::config {
namespace {

constexpr char kDefault[] = "default";
constexpr char kBuiltIn[] = "built-in";
constexpr char kHidden[] = "\"(hidden)\"";

struct Line {
  std::string key;  // below the section
  core::ConfigValue value;
};

struct Section {
  std::string header;  // "[models.cheap]"; empty: the top level
  std::vector<Line> lines;
  bool whole = false;  // written with its defaults
};

// Sections that are worth reading in full.
template <class T>
constexpr bool is_short =
    std::is_same_v<T, core::Config> || std::is_same_v<T, core::Limits> ||
    std::is_same_v<T, core::Profile>;

bool is_written(const Section& section, const Line& line) {
  if (line.value.value.empty()) return false;
  return section.whole || line.value.origin != kDefault ||
         line.key == "protocol";
}

class Writer {
 public:
  explicit Writer(const core::Config& config) : config_(config) {
    for (const core::ConfigValue& value : config.values) {
      set_[value.key] = &value;
    }
  }

  std::vector<Section> sections();
  // What routing reads, without what is built in.
  std::vector<Section> own_routing();

 private:
  template <class T>
  bool is_own(std::string_view section, const T& object) const;
  // `origin`: of what no file set.
  template <class T>
  void add(const std::string& header, const std::string& path, const T& object,
           const T& fresh, const std::string& origin);
  template <class T>
  void add_named(std::string_view section, const std::vector<T>& objects);
  bool is_set(const std::string& path) const;
  void add_tiers();
  void add_rules();
  void add_routing();
  void add_removed_models();
  // The recorded value at the path, or at the table that it is part of.
  const core::ConfigValue* recorded(const std::string& path,
                                    const Leaf& leaf) const;
  core::ConfigValue value_of(const std::string& path, const Leaf& leaf,
                             bool is_default, const std::string& origin) const;

  const core::Config& config_;
  bool own_only_ = false;
  std::map<std::string, const core::ConfigValue*> set_;
  std::vector<Section> sections_;
};

const core::ConfigValue* Writer::recorded(const std::string& path,
                                          const Leaf& leaf) const {
  std::string key = leaf.key.substr(0, leaf.key.find('.'));
  for (const std::string& part : {leaf.key, key}) {
    const auto found = set_.find(path.empty() ? part : path + "." + part);
    if (found != set_.end()) return found->second;
  }
  return nullptr;
}

core::ConfigValue Writer::value_of(const std::string& path, const Leaf& leaf,
                                   bool is_default,
                                   const std::string& origin) const {
  const std::string key = path.empty() ? leaf.key : path + "." + leaf.key;
  if (const core::ConfigValue* set = recorded(path, leaf)) {
    // Set to nothing, over something that is built in.
    const bool cleared = leaf.text.empty() && set->key == key;
    return {key, cleared ? set->value : leaf.text, set->origin};
  }
  return {key, leaf.text, is_default ? kDefault : origin};
}

bool same(const Leaf& a, const Leaf& b) {
  return a.key == b.key && a.text == b.text;
}

// A model has all of its abilities or none: a domain left out would be read as
// the mean of the others.
bool is_ability(const Leaf& leaf) { return leaf.key.starts_with("ability."); }

bool contains(const std::vector<Leaf>& leaves, const Leaf& wanted) {
  return std::any_of(leaves.begin(), leaves.end(),
                     [&](const Leaf& leaf) { return same(leaf, wanted); });
}

template <class T>
void Writer::add(const std::string& header, const std::string& path,
                 const T& object, const T& fresh, const std::string& origin) {
  Section section{header, {}, is_short<T>};
  const std::vector<Leaf> leaves = list_members(object);
  const std::vector<Leaf> defaults = list_members(fresh);
  const bool able =
      std::any_of(leaves.begin(), leaves.end(), [&](const Leaf& leaf) {
        return is_ability(leaf) &&
               (!contains(defaults, leaf) || recorded(path, leaf) != nullptr);
      });
  for (const Leaf& leaf : leaves) {
    const bool is_default = leaf.text.empty() || (contains(defaults, leaf) &&
                                                  !(able && is_ability(leaf)));
    section.lines.push_back(
        {leaf.key, value_of(path, leaf, is_default, origin)});
  }
  sections_.push_back(std::move(section));
}

void name(core::Model& fresh, const core::Model& object) {
  fresh.id = object.name;
}
template <class T>
void name(T&, const T&) {}

bool Writer::is_set(const std::string& path) const {
  const auto next = set_.lower_bound(path);
  return next != set_.end() && next->first.starts_with(path);
}

// Whether anything of it was set outside the built-in layer.
template <class T>
bool Writer::is_own(std::string_view section, const T& object) const {
  if (object.origin != kBuiltIn) return true;
  return is_set(join_path(section, object.name));
}

template <class T>
void Writer::add_named(std::string_view section,
                       const std::vector<T>& objects) {
  for (const T& object : objects) {
    if (own_only_ && !is_own(section, object)) continue;
    const std::string path = join_path(section, object.name);
    T fresh;
    name(fresh, object);
    add("[" + path + "]", path, object, fresh, object.origin);
  }
}

void Writer::add_removed_models() {
  for (const core::ConfigValue& value : config_.values) {
    constexpr std::string_view kEnd = ".enabled";
    if (!value.key.ends_with(kEnd) || value.value != "false") continue;
    const std::string path =
        value.key.substr(0, value.key.size() - kEnd.size());
    sections_.push_back({"[" + path + "]", {{"enabled", value}}, true});
  }
}

void Writer::add_tiers() {
  for (const core::Tier& tier : config_.tiers) {
    add("[[tiers]]", join_path("tiers", tier.name), tier, core::Tier(),
        kBuiltIn);
  }
}

void Writer::add_rules() {
  for (const core::Rule& rule : config_.rules) {
    add("[[rules]]", join_path("rules", rule.name), rule, core::Rule(),
        fmt::format("{}:{}", rule.file, rule.line));
  }
}

void Writer::add_routing() {
  add_named("providers", config_.providers);
  add_named("models", config_.models);
  add_removed_models();
  add_named("routes", config_.routes);
  add_rules();
}

std::vector<Section> Writer::own_routing() {
  own_only_ = true;
  add("", "", config_, core::Config(), kBuiltIn);
  if (is_set("tiers")) add_tiers();
  add_named("profiles", config_.profiles);
  if (is_set("learning")) {
    add("[learning]", "learning", config_.learning, core::Learning(), kBuiltIn);
  }
  add_routing();
  return std::move(sections_);
}

std::vector<Section> Writer::sections() {
  add("", "", config_, core::Config(), kBuiltIn);
  add_tiers();
  add_named("profiles", config_.profiles);
  add("[limits]", "limits", config_.limits, core::Limits(), kBuiltIn);
  add("[learning]", "learning", config_.learning, core::Learning(), kBuiltIn);
  add_named("budgets", config_.budgets);
  add_routing();
  return std::move(sections_);
}

std::string line_text(const Line& line, bool origins) {
  std::string text = fmt::format("{} = {}", line.key, line.value.value);
  if (line.value.value == kHidden) text.insert(0, "# ");
  if (origins) text += "  # " + line.value.origin;
  return text + "\n";
}

std::string document_of(const std::vector<Section>& sections, bool origins) {
  std::string text;
  for (const Section& section : sections) {
    std::string body;
    for (const Line& line : section.lines) {
      if (is_written(section, line)) body += line_text(line, origins);
    }
    if (body.empty() && !section.header.starts_with("[")) continue;
    if (!text.empty()) text += "\n";
    if (!section.header.empty()) text += section.header + "\n";
    text += body;
  }
  return text;
}

// Of providers: nothing that routing reads.
bool may_be_private(std::string_view key) {
  constexpr std::string_view kKeys[] = {"key_file", "key_command",
                                        "headers",  "ca_file",
                                        "pass_env", "model_file"};
  return std::find(std::begin(kKeys), std::end(kKeys),
                   key.substr(0, key.find('.'))) != std::end(kKeys);
}

}  // namespace

std::vector<core::ConfigValue> settings(const core::Config& config) {
  std::vector<core::ConfigValue> all;
  for (Section& section : Writer(config).sections()) {
    for (Line& line : section.lines) all.push_back(std::move(line.value));
  }
  return all;
}

std::string toml_document(const core::Config& config, bool origins) {
  return document_of(Writer(config).sections(), origins);
}

std::string routing_document(const core::Config& config) {
  std::vector<Section> sections = Writer(config).own_routing();
  for (Section& section : sections) {
    for (Line& line : section.lines) {
      if (may_be_private(line.key)) line.value.value.clear();
      if (line.key == "command" && !line.value.value.empty()) {
        line.value.value = "[" + std::string(kHidden) + "]";
      }
    }
  }
  return document_of(sections, false);
}

std::string plain_text(const std::string& toml_value) {
  const auto document = read_toml("x = " + toml_value, "value");
  const Node* node = document ? document->find("x") : nullptr;
  if (node == nullptr || node->kind != Node::Kind::kString) return toml_value;
  return node->text;
}

}  // namespace llmroute::config
