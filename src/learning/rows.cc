#include "learning/rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <memory>

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

std::string text_or_empty(const dom::object& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

bool flag(const dom::object& object, std::string_view key) {
  bool value = false;
  return object[key].get(value) == simdjson::SUCCESS && value;
}

base::Status read_level(const dom::object& object, Row& row) {
  double number = 0;
  if (object["difficulty"].get(number) == simdjson::SUCCESS) {
    row.difficulty = number;
    return {};
  }
  const std::string text = text_or_empty(object, "difficulty");
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

base::Status read_scores(const dom::object& object, Row& row) {
  dom::object scores;
  if (object["scores"].get(scores) != simdjson::SUCCESS) return {};
  for (const auto& [model, element] : scores) {
    double score = 0;
    if (element.get(score) != simdjson::SUCCESS || !(score >= 0) ||
        !(score <= 1)) {
      return bad(
          fmt::format("score of '{}' is not a number from 0 to 1", model));
    }
    row.scores.emplace_back(model, score);
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

void read_source(const dom::object& object, std::string_view file_name,
                 Row& row) {
  row.group = text_or_empty(object, "dataset");
  if (row.group.empty()) row.group = text_or_empty(object, "source");
  if (row.group.empty()) row.group = file_name;
  row.source =
      std::string(file_name) + ":" + row.group.substr(0, row.group.find('/'));
}

}  // namespace

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
  row.context = text_or_empty(object, "context");
  read_source(object, file_name, row);
  row.raw_domain = text_or_empty(object, "domain");
  row.domain = domain_of(row.raw_domain);
  row.language = text_or_empty(object, "language");
  row.suspect = flag(object, "suspect");
  row.weak = flag(object, "weak");
  if (object["compose"].get(row.compose) != simdjson::SUCCESS ||
      row.compose < 0 || row.compose > kMostCompositions) {
    row.compose = 0;
  }
  row.preference = object["h2h"].error() == simdjson::SUCCESS;
  LLMROUTE_CHECK(read_scores(object, row));
  LLMROUTE_CHECK(read_level(object, row));
  row.answer_tokens = answer_tokens(object);
  row.answer_ratio = positive(object, "answer_ratio");
  return row;
}

}  // namespace llmroute::learning
