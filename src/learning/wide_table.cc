#include "learning/wide_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"

namespace llmroute::learning {
namespace {

constexpr std::string_view kCost = "|total_cost";
constexpr std::string_view kResponse = "|model_response";

// RouterBench's own oracle stands among the models.
constexpr std::string_view kNotModels[] = {"oracle_model_to_route_to",
                                           "id",
                                           "sample_id",
                                           "language",
                                           "Unnamed: 0",
                                           "index",
                                           ""};

base::Error bad(std::string what) {
  return {base::ErrorKind::kData, std::move(what)};
}

std::optional<double> number_of(std::string_view text) {
  const std::string lower = base::to_lower_ascii(text);
  if (lower == "true") return 1;
  if (lower == "false") return 0;
  return base::parse_double(text);
}

bool has_cell_columns(const std::vector<std::string>& names,
                      std::set<std::string_view>& models) {
  for (const std::string_view name : names) {
    for (const std::string_view suffix : {kCost, kResponse}) {
      if (name.ends_with(suffix)) {
        models.insert(name.substr(0, name.size() - suffix.size()));
      }
    }
  }
  return !models.empty();
}

}  // namespace

WideColumns::Role WideColumns::role_of(std::string_view name) {
  constexpr std::pair<std::string_view, Role> kRoles[] = {
      {"prompt", Role::kPrompt},         {"context", Role::kContext},
      {"dataset", Role::kDataset},       {"source", Role::kDataset},
      {"eval_name", Role::kDataset},     {"group", Role::kGroup},
      {"paraphrase", Role::kParaphrase}, {"domain", Role::kDomain},
  };
  for (const auto& [known, role] : kRoles) {
    if (known == name) return role;
  }
  return Role::kNone;
}

WideColumns::WideColumns(const std::vector<std::string>& names) {
  std::set<std::string_view> models;
  const bool marked = has_cell_columns(names, models);
  const std::set<std::string_view> not_models(std::begin(kNotModels),
                                              std::end(kNotModels));
  for (const std::string& name : names) {
    Column column{{}, role_of(name)};
    if (column.role == Role::kPrompt) has_prompt_ = true;
    const bool model =
        marked ? models.contains(name)
               : role_of(name) == Role::kNone && !not_models.contains(name);
    if (model) {
      column = {name, Role::kScore};
      ++models_;
    } else if (name.ends_with(kCost)) {
      column = {name.substr(0, name.size() - kCost.size()), Role::kCost};
    }
    columns_.push_back(std::move(column));
  }
  for (const std::string_view dataset : {"dataset", "source", "eval_name"}) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != dataset || columns_[i].role != Role::kDataset) continue;
      datasets_.push_back(i);
    }
  }
}

bool WideColumns::is_marked(std::string_view name) {
  return name.ends_with(kCost) || name.ends_with(kResponse);
}

std::optional<std::string> WideColumns::repeated() const {
  std::set<std::pair<Role, std::string_view>> met;
  for (const Column& column : columns_) {
    if (column.role != Role::kScore && column.role != Role::kCost) continue;
    if (met.emplace(column.role, column.model).second) continue;
    return column.model +
           (column.role == Role::kCost ? std::string(kCost) : "");
  }
  return std::nullopt;
}

std::vector<bool> WideColumns::wanted() const {
  std::vector<bool> wanted;
  for (const Column& column : columns_) {
    wanted.push_back(column.role != Role::kNone);
  }
  return wanted;
}

bool WideColumns::of_model(size_t column) const {
  const Role role = columns_[column].role;
  return role == Role::kScore || role == Role::kCost;
}

base::Status WideColumns::set(size_t column, std::string_view text,
                              Row& row) const {
  const Column& c = columns_[column];
  switch (c.role) {
    case Role::kNone:
    case Role::kDataset:
      return {};
    case Role::kPrompt:
      row.prompt = text;
      return {};
    case Role::kContext:
      row.context = text;
      return {};
    case Role::kGroup:
      row.group = text;
      return {};
    case Role::kParaphrase:
      row.paraphrase = text;
      return {};
    case Role::kDomain:
      row.raw_domain = text;
      row.domain = domain_of(text);
      return {};
    case Role::kScore:
    case Role::kCost:
      break;
  }
  if (base::trim(text).empty()) return {};
  const auto number = number_of(base::trim(text));
  return set(column, number.value_or(-1), row);
}

base::Status WideColumns::set(size_t column, double number, Row& row) const {
  const Column& c = columns_[column];
  if (c.role == Role::kScore) {
    if (!(number >= 0) || !(number <= 1)) {
      return bad(
          fmt::format("score of '{}' is not a number from 0 to 1", c.model));
    }
    row.scores.emplace_back(c.model, number);
  } else if (c.role == Role::kCost) {
    if (!(number >= 0)) {
      return bad(
          fmt::format("cost of '{}' is not a number of dollars", c.model));
    }
    row.costs.emplace_back(c.model, number);
  }
  return {};
}

}  // namespace llmroute::learning
