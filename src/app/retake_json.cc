#include <algorithm>
#include <bit>

#include "app/retake.h"
#include "base/json_text.h"
#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

using base::Json;
using base::JsonWriter;

void add_texts(JsonWriter& json, std::string_view key,
               const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void add_map(JsonWriter& json, std::string_view key,
             const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  json.key(key).begin_object();
  for (const auto& [name, value] : map) json.field(name, value);
  json.end_object();
}

template <class T>
void add_if(JsonWriter& json, std::string_view key,
            const std::optional<T>& maybe) {
  if (maybe) json.field(key, *maybe);
}

void add_learned(JsonWriter& json, const core::Analysis& analysis) {
  json.key("learned").begin_object();
  for (const core::Analysis::Learned& learned : analysis.learned) {
    json.field(learned.model, learned.logit);
  }
  json.end_object();
}

void add_analysis(JsonWriter& json, const core::Analysis& analysis) {
  json.key("analysis").begin_object().key("domain").begin_array();
  for (const double share : analysis.domain) json.value(share);
  json.end_array();
  json.field("difficulty", analysis.difficulty).field("slope", analysis.slope);
  json.field("confidence", analysis.confidence);
  json.field("coverage", analysis.coverage);
  json.field("output_tokens", analysis.output_tokens);
  json.field("urgency", analysis.urgency);
  json.field("language", analysis.language);
  if (!analysis.learned.empty()) add_learned(json, analysis);
  json.field("bytes", analysis.bytes);
  if (analysis.bytes_read != analysis.bytes) {
    json.field("bytes_read", analysis.bytes_read);
  }
  json.end_object();
}

std::string options_json(const core::RoutingOptions& options) {
  JsonWriter json;
  json.begin_object();
  add_texts(json, "models", options.models);
  add_if(json, "route", options.route);
  if (options.models_from_environment) {
    json.field("models_from_environment", true);
  }
  if (options.route_from_environment) {
    json.field("route_from_environment", true);
  }
  if (options.from_record) json.field("from_record", true);
  add_if(json, "profile", options.profile);
  add_if(json, "worth", options.worth);
  add_if(json, "wait", options.wait);
  add_if(json, "tier", options.tier);
  add_if(json, "min_tier", options.min_tier);
  add_if(json, "max_tier", options.max_tier);
  add_texts(json, "allow", options.allow);
  add_texts(json, "deny", options.deny);
  add_texts(json, "require", options.require);
  add_texts(json, "fallback", options.fallback);
  if (options.no_fallback) json.field("no_fallback", true);
  add_map(json, "tags", options.tags);
  json.end_object();
  return json.take();
}

// Numbers of the rules whose conditions on text were met.
void add_text_findings(JsonWriter& json, const Taken& taken) {
  const auto list = [&](std::string_view key, auto found) {
    const std::vector<core::RuleTrace>& rules = taken.decision.rules;
    if (rules.empty()) return;
    json.key(key).begin_array();
    for (size_t i = 0; i < rules.size(); ++i) {
      if (found(rules[i]) == true) json.value(i);
    }
    json.end_array();
  };
  list("patterns", [](const auto& rule) { return rule.pattern_matched; });
  list("files", [](const auto& rule) { return rule.file_matched; });
  json.field("no_files", taken.prompt.files.empty());
}

// Of the verdicts only those in the prompt's cell count.
void add_verdicts(JsonWriter& json, const core::Experience& experience,
                  const core::Cell& cell) {
  json.field("verdicts",
             experience.verdicts[cell.domain][static_cast<size_t>(cell.level)]);
  json.key("judged").begin_object();
  for (const auto& [model, all] : experience.judged) {
    const core::Judged* judged = core::find_judged(experience, model, cell);
    if (judged == nullptr) continue;
    json.key(model).begin_object().field("good", judged->verdicts.good);
    json.field("bad", judged->verdicts.bad).field("at", judged->verdicts.at);
    json.field("count", judged->count).end_object();
  }
  json.end_object();
}

void add_session(JsonWriter& json, const core::Session& session) {
  json.key("session").begin_object().field("name", session.name);
  json.field("model", session.model);
  json.field("cached_tokens", session.cached_tokens).end_object();
}

void add_experience(JsonWriter& json, const core::Experience& experience,
                    const core::Cell& cell) {
  json.key("experience").begin_object().field("unseen", experience.unseen);
  json.key("paces").begin_object();
  for (const auto& [model, pace] : experience.paces) {
    json.key(model).begin_object().field("calls", pace.calls);
    json.field("failed", pace.failed);
    add_if(json, "failed_ago", pace.failed_ago);
    json.field("first_token", pace.first_token);
    add_if(json, "per_token", pace.per_token);
    json.field("freshness", pace.freshness).end_object();
  }
  json.end_object();
  add_map(json, "held", experience.held);
  add_verdicts(json, experience, cell);
  if (experience.session) add_session(json, *experience.session);
  json.end_object();
}

// --- and back ----------------------------------------------------------------

std::vector<std::string> texts_of(const Json& json) {
  std::vector<std::string> texts;
  for (const Json& item : json.items()) texts.emplace_back(item.text());
  return texts;
}

std::optional<std::string> text_of(const Json& json) {
  const auto text = json.string();
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::map<std::string, std::string> map_of(const Json& json) {
  std::map<std::string, std::string> map;
  for (const std::string& name : json.names()) {
    map[name] = json[name].text();
  }
  return map;
}

// Of bytes, tokens, calls; sums of a few are in range.
constexpr int64_t kMostCounted = 1'000'000'000'000'000;

// Notes what is missing or out of range, so that nothing is taken for a number
// that is none.
class NumberReader {
 public:
  double real(const Json& json) {
    const auto number = json.number();
    if (!number) whole_ = false;
    return number.value_or(0);
  }
  // 0 .. `most`
  int64_t integer(const Json& json, int64_t most) {
    const auto number = base::parse_int(json.text_or_number());
    if (!number || *number < 0 || *number > most) whole_ = false;
    return whole_ ? *number : 0;
  }
  int64_t count(const Json& json) { return integer(json, kMostCounted); }
  bool whole() const { return whole_; }

 private:
  bool whole_ = true;
};

core::Analysis analysis_of(const Json& json, NumberReader& numbers) {
  core::Analysis analysis;
  for (size_t d = 0; d < core::kDomainCount; ++d) {
    analysis.domain[d] = numbers.real(json["domain"].at(d));
  }
  analysis.difficulty = numbers.real(json["difficulty"]);
  analysis.slope = numbers.real(json["slope"]);
  analysis.confidence = numbers.real(json["confidence"]);
  analysis.coverage = numbers.real(json["coverage"]);
  analysis.output_tokens = numbers.real(json["output_tokens"]);
  analysis.urgency = numbers.real(json["urgency"]);
  analysis.language = json["language"].text();
  for (const std::string& model : json["learned"].names()) {
    analysis.learned.push_back({model, numbers.real(json["learned"][model])});
  }
  analysis.bytes = numbers.count(json["bytes"]);
  analysis.bytes_read = json.has("bytes_read")
                            ? numbers.count(json["bytes_read"])
                            : analysis.bytes;
  return analysis;
}

void read_verdicts(const Json& json, const core::Cell& cell,
                   NumberReader& numbers, core::Experience& experience) {
  experience.verdicts[cell.domain][static_cast<size_t>(cell.level)] =
      numbers.real(json["verdicts"]);
  const Json judged = json["judged"];
  for (const std::string& model : judged.names()) {
    const Json its = judged[model];
    core::Judged one;
    one.cell = cell;
    one.verdicts = {numbers.real(its["good"]), numbers.real(its["bad"]),
                    numbers.real(its["at"])};
    one.count = numbers.count(its["count"]);
    experience.judged[model].push_back(one);
  }
}

core::Experience experience_of(const Json& json, const core::Cell& cell,
                               NumberReader& numbers) {
  core::Experience experience;
  experience.unseen = numbers.real(json["unseen"]);
  const Json paces = json["paces"];
  for (const std::string& model : paces.names()) {
    const Json its = paces[model];
    core::Pace& pace = experience.paces[model];
    pace.calls = numbers.count(its["calls"]);
    pace.failed = numbers.count(its["failed"]);
    if (its.has("failed_ago")) {
      pace.failed_ago = numbers.count(its["failed_ago"]);
    }
    pace.first_token = numbers.real(its["first_token"]);
    pace.per_token = its["per_token"].number();
    pace.freshness = numbers.real(its["freshness"]);
  }
  experience.held = map_of(json["held"]);
  read_verdicts(json, cell, numbers, experience);
  if (json.has("session")) {
    const Json session = json["session"];
    experience.session = {std::string(session["name"].text()),
                          std::string(session["model"].text()),
                          numbers.count(session["cached_tokens"])};
  }
  return experience;
}

core::RoutingOptions options_of(const Json& json) {
  core::RoutingOptions options;
  options.models = texts_of(json["models"]);
  options.models_from_environment = json["models_from_environment"].is_true();
  options.route = text_of(json["route"]);
  options.route_from_environment = json["route_from_environment"].is_true();
  options.from_record = json["from_record"].is_true();
  options.profile = text_of(json["profile"]);
  options.worth = json["worth"].number();
  options.wait = json["wait"].number();
  options.tier = text_of(json["tier"]);
  options.min_tier = text_of(json["min_tier"]);
  options.max_tier = text_of(json["max_tier"]);
  options.allow = texts_of(json["allow"]);
  options.deny = texts_of(json["deny"]);
  options.require = texts_of(json["require"]);
  options.fallback = texts_of(json["fallback"]);
  options.no_fallback = json["no_fallback"].is_true();
  options.tags = map_of(json["tags"]);
  return options;
}

bool contains(const Json& numbers, size_t wanted) {
  return std::any_of(numbers.items().begin(), numbers.items().end(),
                     [&](const Json& number) {
                       return number.count() == static_cast<int64_t>(wanted);
                     });
}

routing::Evidence evidence_of(const Json& json,
                              const std::vector<core::Rule>& rules,
                              NumberReader& numbers) {
  routing::Evidence evidence;
  evidence.sizes = {numbers.count(json["input_tokens"]),
                    numbers.count(json["input_bound"])};
  evidence.no_files = json["no_files"].is_true();
  for (size_t i = 0; i < rules.size(); ++i) {
    const core::Rule& rule = rules[i];
    if (!rule.pattern.empty()) {
      evidence.patterns[rule.pattern] = contains(json["patterns"], i);
    }
    if (!rule.files.empty()) {
      evidence.files[rule.files] = contains(json["files"], i);
    }
  }
  return evidence;
}

base::Error makes_no_sense() {
  return {base::ErrorKind::kData,
          "what the ledger kept of the decision makes no sense"};
}

// --- the outcome -------------------------------------------------------------

void add_head(JsonWriter& json, const core::Decision& decision) {
  json.field("requested", decision.requested).field("route", decision.route);
  json.field("source", core::source_name(decision.source));
  add_if(json, "rule", decision.rule);
  json.field("profile", decision.profile);
  json.field("worth", decision.worth.good_answer);
  json.field("wait", decision.worth.second);
  json.field("difficulty_used", decision.difficulty_used);
}

void add_candidate(JsonWriter& json, const core::Candidate& candidate) {
  json.begin_object().field("model", candidate.model->name);
  json.field("good", candidate.good);
  json.key("cost_pico");
  candidate.cost ? json.value(candidate.cost->pico) : json.null();
  json.field("seconds", candidate.seconds);
  json.field("output_cap", candidate.output_cap);
  json.field("worth", candidate.worth).end_object();
}

void add_candidates(JsonWriter& json, const core::Decision& decision) {
  constexpr size_t kKept = 8;
  json.key("candidates").begin_array();
  for (size_t i = 0; i < std::min(kKept, decision.candidates.size()); ++i) {
    add_candidate(json, decision.candidates[i]);
  }
  json.end_array();
}

// Takes in values one after the other, so that no two sequences of them are
// the same bytes.
class Fingerprinter {
 public:
  Fingerprinter& text(std::string_view text) {
    number(text.size());
    bytes_ += text;
    return *this;
  }
  Fingerprinter& number(uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes_ += static_cast<char>(number >> shift);
    }
    return *this;
  }
  Fingerprinter& real(double number) {
    return this->number(std::bit_cast<uint64_t>(number));
  }
  // Of a list: before each item, and after the last.
  Fingerprinter& item() { return number(1); }
  Fingerprinter& end() { return number(0); }
  std::string hex() const { return base::hex(base::fingerprint(bytes_)); }

 private:
  std::string bytes_;
};

void take_candidates(Fingerprinter& all, const core::Decision& decision) {
  for (const core::Candidate& candidate : decision.candidates) {
    all.item().text(candidate.model->name).real(candidate.good);
    all.number(candidate.cost.has_value());
    if (candidate.cost) all.number(static_cast<uint64_t>(candidate.cost->pico));
    all.real(candidate.seconds).real(candidate.worth);
    all.number(static_cast<uint64_t>(candidate.output_cap.value_or(-1)));
  }
  all.end();
}

void take_excluded(Fingerprinter& all, const core::Decision& decision) {
  for (const core::Exclusion& excluded : decision.excluded) {
    if (excluded.gate == core::Gate::kKey) continue;  // the inputs name them
    all.item().text(excluded.model->name).text(excluded.reason);
    all.number(static_cast<uint64_t>(excluded.gate));
  }
  all.end();
}

// What a decision is told apart by, but for its head.
std::string fingerprint(const core::Decision& decision) {
  Fingerprinter all;
  take_candidates(all, decision);
  take_excluded(all, decision);
  for (const core::RuleTrace& rule : decision.rules) {
    all.item().text(rule.rule->name).number(rule.matched).text(rule.why);
  }
  all.end().text(decision.prompt_template).number(decision.no_fallback);
  for (const std::string& note : decision.notes) all.text(note);
  return all.hex();
}

}  // namespace

std::string shared_inputs_json(const SharedInputs& shared) {
  JsonWriter json;
  json.begin_object().field("config", shared.config);
  json.field("router_model", shared.router_model);
  add_texts(json, "missing_keys", shared.missing_keys);
  add_map(json, "unavailable", shared.unavailable);
  json.end_object();
  return json.take();
}

base::Result<SharedInputs> read_shared_inputs(std::string_view text) {
  const auto read = base::read_json(text);
  if (!read || !read->root["config"].string()) return makes_no_sense();
  const Json& json = read->root;
  return SharedInputs{std::string(json["config"].text()),
                      std::string(json["router_model"].text()),
                      texts_of(json["missing_keys"]),
                      map_of(json["unavailable"])};
}

std::string inputs_json(const Taken& taken) {
  const Circumstances& around = taken.around;
  const routing::Sizes sizes = routing::measure(taken.prompt);
  JsonWriter json;
  json.begin_object();
  add_analysis(json, taken.decision.analysis);
  const std::string options = options_json(taken.options);
  if (options != "{}") json.key("options").raw(options);
  json.field("input_tokens", sizes.input_tokens);
  json.field("input_bound", sizes.input_bound);
  add_if(json, "max_tokens", taken.prompt.parameters.max_tokens);
  if (taken.ceiling) json.field("ceiling_pico", taken.ceiling->pico);
  add_text_findings(json, taken);
  if (around.experience != nullptr) {
    add_experience(json, *around.experience,
                   core::cell_of(taken.decision.analysis));
  }
  add_if(json, "draw", around.draw);
  json.end_object();
  return json.take();
}

base::Result<Inputs> read_inputs(std::string_view text,
                                 const std::vector<core::Rule>& rules) {
  const auto read = base::read_json(text);
  NumberReader numbers;
  Inputs inputs;
  if (read && read->root.is_object()) {
    const Json& json = read->root;
    inputs.analysis = analysis_of(json["analysis"], numbers);
    inputs.options = options_of(json["options"]);
    inputs.evidence = evidence_of(json, rules, numbers);
    if (json.has("max_tokens")) {
      inputs.max_tokens = numbers.integer(json["max_tokens"], INT64_MAX);
    }
    if (json.has("ceiling_pico")) {
      inputs.ceiling =
          core::Money{numbers.integer(json["ceiling_pico"], INT64_MAX)};
    }
    if (json.has("experience")) {
      inputs.experience = experience_of(
          json["experience"], core::cell_of(inputs.analysis), numbers);
    }
    if (json.has("draw")) inputs.draw = numbers.real(json["draw"]);
    if (numbers.whole()) return inputs;
  }
  return makes_no_sense();
}

std::string outcome_json(const core::Decision& decision) {
  JsonWriter json;
  json.begin_object();
  add_head(json, decision);
  add_candidates(json, decision);
  json.field("fingerprint", fingerprint(decision));
  json.end_object();
  return json.take();
}

}  // namespace llmroute::app
