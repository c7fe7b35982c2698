#include "learning/rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <memory>
#include <utility>

#include "base/text.h"
#include "learning/wide_table.h"

namespace llmroute::learning {
namespace {

namespace dom = simdjson::dom;

base::Error bad(std::string what) {
  return {base::ErrorKind::kData, std::move(what)};
}

struct Renamed {
  std::string_view raw, domain;
};
constexpr Renamed kRenamed[] = {
    {"science", "knowledge"},          {"factual_qa", "knowledge"},
    {"professional", "knowledge"},     {"reading", "text"},
    {"summarization", "text"},         {"extraction", "text"},
    {"classification", "text"},        {"rewriting", "text"},
    {"translation", "text"},           {"creative_writing", "writing"},
    {"functional_writing", "writing"}, {"roleplay", "writing"},
    {"instruction", "chat"},           {"tool_use", "tools"},
};

constexpr int64_t kMostCompositions = 1000;
// English answers of language models have about this many characters a token.
constexpr double kCharsPerToken = 3.6;

// Nothing if the key is missing or null.
std::optional<dom::element> given(const dom::object& object,
                                  std::string_view key) {
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
  return value;
}

// Leaves `out` as it is where nothing is given.
template <class T>
base::Status read(const dom::object& object, std::string_view key,
                  std::string_view kind, T& out) {
  const auto value = given(object, key);
  if (!value || value->get(out) == simdjson::SUCCESS) return {};
  return bad(fmt::format("\"{}\" is not {}", key, kind));
}

base::Status read_text(const dom::object& object, std::string_view key,
                       std::string& out) {
  std::string_view text;
  LLMROUTE_CHECK(read(object, key, "a string", text));
  out = text;
  return {};
}

base::Status read_flag(const dom::object& object, std::string_view key,
                       bool& out) {
  return read(object, key, "true or false", out);
}

base::Status read_level(const dom::object& object, Row& row) {
  double number = 0;
  if (object["difficulty"].get(number) == simdjson::SUCCESS) {
    row.difficulty = number;
    return {};
  }
  std::string_view text;
  LLMROUTE_CHECK(read(object, "difficulty", "a number or a string", text));
  if (text.empty()) return {};
  constexpr std::array<std::string_view, 3> kNames = {"simple", "medium",
                                                      "hard"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) row.level = static_cast<Level>(i);
  }
  // Outcome data name levels in their own words; only labels are held to ours.
  if (!row.level && row.scores.empty()) {
    return bad(
        fmt::format("difficulty '{}' is none of simple, medium, hard", text));
  }
  return {};
}

base::Status read_compose(const dom::object& object, Row& row) {
  LLMROUTE_CHECK(read(object, "compose", "a whole number", row.compose));
  if (row.compose >= 0 && row.compose <= kMostCompositions) return {};
  return bad(fmt::format("\"compose\" is not from 0 to {}", kMostCompositions));
}

using Values = std::vector<std::pair<std::string, double>>;

base::Status add(std::string_view what, std::string_view model, double value,
                 Values& values) {
  for (const auto& [name, other] : values) {
    if (name != model) continue;
    return bad(fmt::format("{} of '{}' is given twice", what, model));
  }
  values.emplace_back(model, value);
  return {};
}

// {"prompt": "...", "model": 1, "model|total_cost": 0.01, ...}
// Only the cells of models: what else is in it is read as of any row.
base::Status read_wide(const dom::object& object, Row& row) {
  std::vector<std::string> names;
  bool wide = false;
  for (const auto& [key, element] : object) {
    names.emplace_back(key);
    wide = wide || WideColumns::is_marked(key);
  }
  if (!wide) return {};
  const WideColumns columns(names);
  if (const auto twice = columns.repeated()) {
    return bad(fmt::format("\"{}\" is given twice", *twice));
  }
  size_t next = 0;
  for (const auto& [key, element] : object) {
    const size_t column = next++;
    if (!columns.of_model(column)) continue;
    std::string_view text;
    double number = 0;
    bool truth = false;
    const bool is_text = element.get(text) == simdjson::SUCCESS;
    if (element.get(number) == simdjson::SUCCESS) {
      LLMROUTE_CHECK(columns.set(column, number, row));
    } else if (element.get(truth) == simdjson::SUCCESS) {
      LLMROUTE_CHECK(columns.set(column, truth ? 1.0 : 0.0, row));
    } else if (is_text) {
      LLMROUTE_CHECK(columns.set(column, text, row));
    } else if (!element.is_null()) {
      LLMROUTE_CHECK(columns.set(column, -1.0, row));  // none of both
    }
  }
  return {};
}

base::Status read_costs(const dom::object& object, Row& row) {
  dom::object costs;
  if (!given(object, "cost")) return {};
  LLMROUTE_CHECK(
      read(object, "cost", "an object of model names and dollars", costs));
  for (const auto& [model, element] : costs) {
    double cost = 0;
    if (element.is_null()) continue;
    if (element.get(cost) != simdjson::SUCCESS || !(cost >= 0)) {
      return bad(fmt::format("cost of '{}' is not a number of dollars", model));
    }
    LLMROUTE_CHECK(add("cost", model, cost, row.costs));
  }
  return {};
}

base::Status read_scores(const dom::object& object, Row& row) {
  if (!given(object, "scores")) return read_wide(object, row);
  LLMROUTE_CHECK(read_costs(object, row));
  dom::object scores;
  LLMROUTE_CHECK(
      read(object, "scores", "an object of model names and numbers", scores));
  for (const auto& [model, element] : scores) {
    double score = 0;
    if (element.get(score) != simdjson::SUCCESS || !(score >= 0) ||
        !(score <= 1)) {
      return bad(
          fmt::format("score of '{}' is not a number from 0 to 1", model));
    }
    LLMROUTE_CHECK(add("score", model, score, row.scores));
  }
  return {};
}

std::optional<double> mean_of_map(const dom::object& object,
                                  std::string_view key, bool second_of_pair) {
  dom::object values;
  if (object[key].get(values) != simdjson::SUCCESS) return std::nullopt;
  double sum = 0;
  int count = 0;
  for (const auto& [model, element] : values) {
    double value = 0;
    const auto got =
        second_of_pair ? element.at(1).get(value) : element.get(value);
    if (got != simdjson::SUCCESS || !(value > 0)) continue;
    sum += value;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

std::optional<double> positive(const dom::object& object,
                               std::string_view key) {
  double value = 0;
  if (object[key].get(value) != simdjson::SUCCESS || !(value > 0)) return {};
  return value;
}

std::optional<double> answer_tokens(const dom::object& object) {
  if (const auto given = positive(object, "answer_tokens")) return given;
  if (const auto tokens = mean_of_map(object, "tokens", true)) return tokens;
  const auto chars = mean_of_map(object, "out_chars", false);
  if (!chars) return std::nullopt;
  return *chars / kCharsPerToken;
}

base::Status read_source(const dom::object& object, std::string_view file_name,
                         Row& row) {
  std::string dataset, group;
  LLMROUTE_CHECK(read_text(object, "dataset", dataset));
  if (dataset.empty()) {
    LLMROUTE_CHECK(read_text(object, "source", dataset));
  }
  if (dataset.empty()) {
    LLMROUTE_CHECK(read_text(object, "eval_name", dataset));
  }
  LLMROUTE_CHECK(read_text(object, "group", group));
  set_source(dataset, group, file_name, row);
  return {};
}

// In small letters, with single blanks between them.
std::string words_of(std::string_view text) {
  std::string words;
  bool gap = false;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      gap = !words.empty();
      continue;
    }
    if (std::exchange(gap, false)) words += ' ';
    words += c;
  }
  return base::to_lower_ascii(words);
}

}  // namespace

void set_source(std::string_view dataset, std::string_view group,
                std::string_view file_name, Row& row) {
  if (dataset.empty()) dataset = file_name;
  row.group = group.empty() ? dataset : group;
  row.source = std::string(file_name) + ":";
  row.source += dataset.substr(0, dataset.find('/'));
}

std::optional<size_t> domain_of(std::string_view raw) {
  for (const Renamed& renamed : kRenamed) {
    if (renamed.raw == raw) return core::domain_index(renamed.domain);
  }
  return core::domain_index(raw);
}

struct RowParser::Impl {
  dom::parser parser;
};

RowParser::RowParser() : impl_(std::make_unique<Impl>()) {}
RowParser::RowParser(RowParser&&) noexcept = default;
RowParser::~RowParser() = default;

base::Result<Row> RowParser::parse(std::string_view line,
                                   std::string_view file_name) {
  dom::object object;
  const auto error =
      impl_->parser.parse(line.data(), line.size(), true).get(object);
  if (error != simdjson::SUCCESS) {
    return bad("not a JSON object");
  }
  Row row;
  std::string_view prompt;
  if (object["prompt"].get(prompt) != simdjson::SUCCESS) {
    return bad("no string \"prompt\"");
  }
  row.prompt = prompt;
  LLMROUTE_CHECK(read_text(object, "context", row.context));
  LLMROUTE_CHECK(read_source(object, file_name, row));
  LLMROUTE_CHECK(read_text(object, "paraphrase", row.paraphrase));
  LLMROUTE_CHECK(read_text(object, "domain", row.raw_domain));
  row.domain = domain_of(row.raw_domain);
  LLMROUTE_CHECK(read_flag(object, "suspect", row.suspect));
  LLMROUTE_CHECK(read_flag(object, "weak", row.weak));
  row.difficulty_weight =
      std::min(positive(object, "difficulty_weight").value_or(1), kMostWeight);
  LLMROUTE_CHECK(read_compose(object, row));
  row.preference = object["h2h"].error() == simdjson::SUCCESS;
  LLMROUTE_CHECK(read_scores(object, row));
  LLMROUTE_CHECK(read_level(object, row));
  row.answer_tokens = answer_tokens(object);
  row.answer_ratio = positive(object, "answer_ratio");
  return row;
}

uint64_t prompt_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  return hash;
}

uint64_t Row::wording() const {
  const std::string about = words_of(context);
  return prompt_hash(about.empty() ? words_of(prompt)
                                   : words_of(prompt) + '\n' + about);
}

PromptKeys Row::keys() const {
  const std::string key = words_of(paraphrase);
  return {wording(), key.empty() ? 0 : prompt_hash(key)};
}

std::vector<uint64_t> identities_of(std::span<const Row> rows) {
  std::vector<PromptKeys> keys;
  keys.reserve(rows.size());
  for (const Row& row : rows) keys.push_back(row.keys());
  return identities_of(keys);
}

}  // namespace llmroute::learning
