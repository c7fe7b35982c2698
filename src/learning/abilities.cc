#include "learning/abilities.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cctype>

#include "base/files.h"

namespace llmroute::learning {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kLargestFile = size_t{64} << 20;

bool read_model(const dom::element& model, core::PerDomain& ability) {
  for (size_t d = 0; d < ability.size(); ++d) {
    const auto got =
        model["abilities"][core::kDomainNames[d]]["ability"].get(ability[d]);
    if (got != simdjson::SUCCESS) return false;
  }
  return true;
}

void add_name(Abilities& all, const dom::element& model, const char* key,
              const core::PerDomain& ability) {
  std::string_view name;
  if (model[key].get(name) == simdjson::SUCCESS) {
    all.try_emplace(normalised_model_name(name), ability);
  }
}

void add_aliases(Abilities& all, const dom::element& model,
                 const core::PerDomain& ability) {
  dom::array aliases;
  if (model["aliases"].get(aliases) != simdjson::SUCCESS) return;
  for (const dom::element alias : aliases) {
    std::string_view name;
    if (alias.get(name) == simdjson::SUCCESS) {
      all.try_emplace(normalised_model_name(name), ability);
    }
  }
}

}  // namespace

std::string normalised_model_name(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string plain;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) {
      plain += static_cast<char>(std::tolower(byte));
    }
  }
  if (plain.starts_with("meta")) plain.erase(0, 4);
  return plain;
}

std::map<std::string, const core::Model*> models_by_name(
    const core::Config& config) {
  std::map<std::string, const core::Model*> models;
  for (const core::Model& model : config.models) {
    for (const std::string& name : {model.name, model.id}) {
      models.try_emplace(normalised_model_name(name), &model);
    }
  }
  return models;
}

base::Result<Abilities> read_abilities(const std::string& path) {
  LLMROUTE_TRY(const std::string text, base::read_file(path, kLargestFile));
  dom::parser parser;
  dom::array models;
  const auto error = parser.parse(text)["models"].get(models);
  if (error != simdjson::SUCCESS) {
    return base::Error{base::ErrorKind::kData,
                       fmt::format("'{}' is no abilities file, as *.json are "
                                   "taken for (name JSON lines *.jsonl)",
                                   path)};
  }
  Abilities all;
  for (const dom::element model : models) {
    core::PerDomain ability{};
    if (!read_model(model, ability)) continue;
    add_name(all, model, "id", ability);
    add_name(all, model, "key", ability);
    add_aliases(all, model, ability);
  }
  return all;
}

}  // namespace llmroute::learning
