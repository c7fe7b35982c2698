#include "learning/study_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/names.h"
#include "base/text.h"
#include "learning/abilities.h"

namespace llmroute::learning {
namespace {

using ModelNumbers = std::vector<uint32_t>;

// The name without its endings; above that, the last `parts` of the path.
std::string short_name(const std::string& path, size_t parts) {
  if (parts == 0) {
    std::string_view name = path;
    name.remove_prefix(path.rfind('/') + 1);
    for (const std::string_view ending :
         {".gz", ".jsonl", ".ndjson", ".json", ".csv"}) {
      if (name.ends_with(ending)) name.remove_suffix(ending.size());
    }
    return std::string(name.empty() ? path : name);
  }
  size_t begin = path.size();
  for (; parts > 0 && begin != std::string::npos; --parts) {
    begin = begin == 0 ? std::string::npos : path.rfind('/', begin - 1);
  }
  return begin == std::string::npos ? path : path.substr(begin + 1);
}

// As short as it can be without being that of another file.
std::string name_among(const std::vector<std::string>& files, uint32_t file) {
  for (size_t parts = 0;; ++parts) {
    std::string name = short_name(files[file], parts);
    const auto same = [&](const std::string& other) {
      return other != files[file] && short_name(other, parts) == name;
    };
    if (std::none_of(files.begin(), files.end(), same)) return name;
  }
}

// Numbers of the models that match a pattern, ascending.
base::Result<ModelNumbers> matching(const NameTable& models,
                                    const std::vector<std::string>& patterns) {
  std::vector<bool> chosen(models.size());
  std::vector<std::string> names;
  for (uint32_t m = 0; m < models.size(); ++m) names.push_back(models.name(m));
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (size_t m = 0; m < names.size(); ++m) {
      if (names[m] != pattern && !base::glob_match(pattern, names[m])) continue;
      chosen[m] = any = true;
    }
    if (any) continue;
    return base::Error{
        base::ErrorKind::kUsage,
        fmt::format("--models: no model of the files matches '{}'{}", pattern,
                    base::did_you_mean(pattern, names))};
  }
  ModelNumbers numbers;
  for (uint32_t m = 0; m < chosen.size(); ++m) {
    if (chosen[m]) numbers.push_back(m);
  }
  return numbers;
}

// The models of each file, ascending.
std::vector<ModelNumbers> models_of_files(const StudyRows& rows) {
  std::vector<std::vector<size_t>> answered(
      rows.files.size(), std::vector<size_t>(rows.models.size()));
  std::vector<size_t> size(rows.files.size());
  for (const StudyRow& row : rows.rows) {
    ++size[row.file];
    for (uint32_t o = row.outcome_begin; o < row.outcome_end; ++o) {
      ++answered[row.file][rows.outcomes[o].model];
    }
  }
  std::vector<ModelNumbers> models(rows.files.size());
  for (size_t f = 0; f < models.size(); ++f) {
    for (uint32_t m = 0; m < rows.models.size(); ++m) {
      const size_t n = answered[f][m];
      if (n > 0 && n * 10 >= size[f] * 9) models[f].push_back(m);
    }
  }
  return models;
}

class Builder {
 public:
  Builder(const StudyRows& rows, const core::Config& config)
      : rows_(rows), priced_(models_by_name(config)) {}

  StudyTable build(const ModelNumbers& models,
                   const std::vector<uint32_t>& files) const {
    StudyTable table;
    table.name = name_among(rows_.files, files[0]);
    if (files.size() > 1) {
      table.name += fmt::format(" and {} more", files.size() - 1);
    }
    for (const uint32_t m : models) {
      table.models.push_back(rows_.models.name(m));
    }
    for (uint32_t i = 0; i < rows_.rows.size(); ++i) {
      const uint32_t file = rows_.rows[i].file;
      if (std::find(files.begin(), files.end(), file) == files.end()) continue;
      add_row(i, models, table);
    }
    std::vector<PromptKeys> keys;
    for (const uint32_t row : table.rows) keys.push_back(rows_.rows[row].keys);
    table.prompts = identities_of(keys);
    if (costs_known(table)) {
      table.costs = CostSource::kFile;
    } else if (estimate_costs(table)) {
      table.costs = CostSource::kPrices;
    }
    table.chance.assign(table.quality.size(), kMissing);
    return table;
  }

 private:
  void add_row(uint32_t index, const ModelNumbers& models,
               StudyTable& table) const {
    const StudyRow& row = rows_.rows[index];
    std::vector<float> quality(models.size(), kMissing), cost = quality;
    size_t known = 0;
    for (uint32_t o = row.outcome_begin; o < row.outcome_end; ++o) {
      const ModelOutcome& outcome = rows_.outcomes[o];
      const auto place =
          std::lower_bound(models.begin(), models.end(), outcome.model);
      if (place == models.end() || *place != outcome.model) continue;
      const auto m = static_cast<size_t>(place - models.begin());
      known += std::isnan(quality[m]);
      quality[m] = outcome.score;
      cost[m] = outcome.cost;
    }
    if (known < 2) return;
    table.rows.push_back(index);
    table.quality.insert(table.quality.end(), quality.begin(), quality.end());
    table.cost.insert(table.cost.end(), cost.begin(), cost.end());
  }

  // Whether the files have nine tenths of the costs.
  static bool costs_known(const StudyTable& table) {
    const auto known =
        std::count_if(table.cost.begin(), table.cost.end(),
                      [](float cost) { return !std::isnan(cost); });
    return static_cast<size_t>(known) * 10 >= table.cost.size() * 9;
  }

  bool estimate_costs(StudyTable& table) const {
    constexpr double kBytesPerToken = 4;
    std::vector<const core::Model*> priced;
    for (const std::string& model : table.models) {
      const auto place = priced_.find(normalised_model_name(model));
      if (place == priced_.end() || !place->second->price.input ||
          !place->second->price.output) {
        return false;
      }
      priced.push_back(place->second);
    }
    for (size_t i = 0; i < table.size(); ++i) {
      const StudyRow& row = rows_.rows[table.rows[i]];
      const double input = static_cast<double>(row.bytes) / kBytesPerToken;
      for (size_t m = 0; m < priced.size(); ++m) {
        const core::Model& model = *priced[m];
        const double output =
            static_cast<double>(row.output_tokens) * model.verbosity;
        table.cost[table.at(i, m)] =
            static_cast<float>(input * model.price.input->usd() +
                               output * model.price.output->usd());
      }
    }
    return true;
  }

  const StudyRows& rows_;
  std::map<std::string, const core::Model*> priced_;
};

}  // namespace

base::Result<std::vector<StudyTable>> make_studies(
    const StudyRows& rows, const std::vector<std::string>& patterns,
    const core::Config& config) {
  std::vector<ModelNumbers> models = models_of_files(rows);
  if (!patterns.empty()) {
    LLMROUTE_TRY(const ModelNumbers chosen, matching(rows.models, patterns));
    if (chosen.size() == 1) {
      return base::Error{
          base::ErrorKind::kUsage,
          fmt::format("--models: of the files' models only '{}' matches; to "
                      "compare takes two",
                      rows.models.name(chosen[0]))};
    }
    for (ModelNumbers& of_file : models) of_file = chosen;
  }
  std::vector<std::pair<ModelNumbers, std::vector<uint32_t>>> groups;
  for (uint32_t f = 0; f < models.size(); ++f) {
    if (models[f].size() < 2) continue;
    const auto same = std::find_if(
        groups.begin(), groups.end(),
        [&](const auto& group) { return group.first == models[f]; });
    if (same == groups.end()) {
      groups.push_back({models[f], {f}});
    } else {
      same->second.push_back(f);
    }
  }
  const Builder builder(rows, config);
  std::vector<StudyTable> studies;
  for (const auto& [numbers, files] : groups) {
    StudyTable table = builder.build(numbers, files);
    if (table.size() > 0) studies.push_back(std::move(table));
  }
  if (studies.empty() && rows.labels.empty()) {
    return base::Error{base::ErrorKind::kData,
                       "no file has outcomes of two models, nor labels of "
                       "domains"};
  }
  return studies;
}

}  // namespace llmroute::learning
