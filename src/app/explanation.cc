#include "app/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/attempt_plan.h"
#include "app/experience.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"
#include "core/money_json.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using core::Candidate;
using core::Decision;

constexpr size_t kMostCandidates = 12;  // shown as text; JSON has all
constexpr size_t kMostNamed = 4;        // models named for one reason

std::string money_or_unknown(const std::optional<core::Money>& money) {
  return money ? core::display_usd(*money) : "unknown";
}

std::string named(const Candidate& candidate) {
  return fmt::format("{} ({})", candidate.model->name,
                     candidate.provider->name);
}

std::string model_line(const Decision& decision) {
  std::string line = named(decision.candidates.front());
  std::vector<std::string> then;
  for (size_t i = 1; i < std::min<size_t>(4, decision.chain().size()); ++i) {
    then.push_back(named(decision.candidates[i]));
  }
  if (!then.empty()) line += "   then: " + base::join(then, ", ");
  return line;
}

// Prices, abilities and estimates are not known more exactly than to this part
// of what a good answer is worth.
constexpr double kTie = 0.001;

// Where the second is as good as the first, what put it second.
std::string tie_text(const Decision& decision) {
  const Candidate& first = decision.candidates[0];
  const Candidate& second = decision.candidates[1];
  const double lead = first.worth - second.worth;
  if (lead < 0 || lead >= kTie * decision.worth.good_answer) return {};
  const double good = (first.good - second.good) * decision.worth.good_answer;
  const double wait = (second.seconds - first.seconds) * decision.worth.second;
  const double cost = lead - good - wait;
  std::string text = ": nearly a tie";
  if (cost > 0 && cost >= good && cost >= wait) {
    return text + fmt::format(", decided by cost, {} against {}",
                              money_or_unknown(first.cost),
                              money_or_unknown(second.cost));
  }
  if (good > 0 && good >= wait) {
    return text + fmt::format(", decided by good, {:.4f} against {:.4f}",
                              first.good, second.good);
  }
  if (wait <= 0) return text;
  return text + fmt::format(", decided by the wait, {:.2f} s against {:.2f} s",
                            first.seconds, second.seconds);
}

std::string because_line(const Decision& decision) {
  const Candidate& chosen = decision.candidates.front();
  const std::string sum =
      fmt::format("{:.4f} x {} - {} - {:.2f} s x {} = {}", chosen.good,
                  core::display_usd(decision.worth.good_answer),
                  money_or_unknown(chosen.cost), chosen.seconds,
                  core::display_usd(decision.worth.second),
                  core::display_usd(chosen.worth));
  switch (decision.source) {
    case core::Source::kFlag:
    case core::Source::kEnv:
    case core::Source::kRecord:
      return fmt::format("asked for: {}   (worth {})", decision.requested, sum);
    case core::Source::kRule:
      return fmt::format("rule {}   (worth {})", decision.rule.value_or(""),
                         sum);
    case core::Source::kAnalyzer:
    case core::Source::kDefault:
      break;
  }
  if (chosen.worth < 0) {
    return fmt::format(
        "least per good answer: ({} + {:.2f} s x {}) / {:.4f} = {}",
        money_or_unknown(chosen.cost), chosen.seconds,
        core::display_usd(decision.worth.second), chosen.good,
        core::display_usd(chosen.per_good_answer));
  }
  std::string line = "worth most: " + sum;
  if (decision.candidates.size() > 1) {
    const Candidate& second = decision.candidates[1];
    line += fmt::format("   ({}{} over {}{})",
                        chosen.worth >= second.worth ? "+" : "",
                        core::display_usd(chosen.worth - second.worth),
                        second.model->name, tie_text(decision));
  }
  return line;
}

size_t count_words(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank && !inside) ++words;
    inside = !blank;
  }
  return words;
}

std::string numbered(size_t count, const char* what) {
  return fmt::format("{} {}{}",
                     base::with_thousands(static_cast<int64_t>(count)), what,
                     count == 1 ? "" : "s");
}

bool has_read_line(const Routed& routed) {
  const core::Analysis& analysis = routed.decision.analysis;
  return !routed.prompt.context().empty() ||
         analysis.bytes_read < analysis.bytes;
}

// At most 100 columns, as words are counted here only where they are few.
std::string prompt_line(const Routed& routed) {
  const core::Analysis& analysis = routed.decision.analysis;
  const size_t top = core::largest(analysis.domain);
  std::string line = fmt::format(
      "{} {:.2f}  hard {:.2f}  answer ~{} tokens  confidence {:.2f}  ",
      core::kDomainNames[top], analysis.domain[top], core::hardness(analysis),
      std::lround(analysis.output_tokens), analysis.confidence);
  if (!has_read_line(routed)) {
    line += numbered(count_words(routed.prompt.instruction()), "word") + ", ";
  }
  return line + fmt::format("{:.0f} % known", 100 * analysis.coverage);
}

// What else was given beside a short prompt, and how much of it was looked at.
std::string read_line(const Routed& routed) {
  if (!has_read_line(routed)) return {};
  const core::Analysis& analysis = routed.decision.analysis;
  const size_t context = routed.prompt.context().size();
  std::string line = "read       " +
                     numbered(count_words(routed.prompt.instruction()), "word");
  if (context > 0) line += " + " + numbered(context, "byte") + " of context";
  if (analysis.bytes_read < analysis.bytes) {
    line += fmt::format(", looked at {} of {} bytes",
                        base::with_thousands(analysis.bytes_read),
                        base::with_thousands(analysis.bytes));
  }
  return line + "\n";
}

// Corrections of single models, the largest first.
std::string learned_line(const core::Analysis& analysis) {
  std::vector<core::Analysis::Learned> learned = analysis.learned;
  if (learned.empty()) return {};
  std::stable_sort(learned.begin(), learned.end(),
                   [](const auto& a, const auto& b) {
                     return std::fabs(a.logit) > std::fabs(b.logit);
                   });
  std::vector<std::string> models;
  for (const auto& [model, logit] : learned) {
    models.push_back(fmt::format("{} {:+.2f}", model, logit));
  }
  return "learned    " + base::first_few(models, kMostNamed) + "\n";
}

// What the ledger's statistics changed.
std::string measured_line(const Decision& decision) {
  std::vector<std::string> models;
  bool any_failed = false;
  for (const Candidate& c : decision.candidates) {
    if (c.calls == 0) continue;
    any_failed = any_failed || c.failed > 0;
    const std::string failed =
        c.failed == 0
            ? ""
            : fmt::format(", {} failed", base::with_thousands(c.failed));
    models.push_back(fmt::format("{} {:.1f} s instead of {:.1f} s ({}{})",
                                 c.model->name, c.seconds, c.seconds_listed,
                                 numbered(static_cast<size_t>(c.calls), "call"),
                                 failed));
  }
  if (models.empty()) return {};
  // Which of the failures are such, the ledger does not keep.
  return "measured   " + base::first_few(models, kMostNamed) +
         (any_failed ? "; an outage counts as the time-out\n" : "\n");
}

std::string verdicts_line(const Decision& decision) {
  std::vector<std::string> models;
  for (const Candidate& c : decision.candidates) {
    if (c.verdicts == 0) continue;
    models.push_back(fmt::format(
        "{} good {:.2f} instead of {:.2f} ({})", c.model->name, c.good,
        c.listed_good, numbered(static_cast<size_t>(c.verdicts), "verdict")));
  }
  if (models.empty()) return {};
  return "verdicts   " + base::first_few(models, kMostNamed) + "\n";
}

std::string candidate_table(const Decision& decision) {
  base::Table table("lrrrrl");
  table.add_row({"candidates", "good", "cost", "wait", "worth", ""});
  const size_t shown = std::min(kMostCandidates, decision.candidates.size());
  for (size_t i = 0; i < shown; ++i) {
    const Candidate& c = decision.candidates[i];
    table.add_row({"  " + c.model->name, fmt::format("{:.2f}", c.good),
                   money_or_unknown(c.cost), fmt::format("{:.1f} s", c.seconds),
                   core::display_usd(c.worth), i == 0 ? "chosen" : ""});
  }
  std::string text = table.render();
  if (shown < decision.candidates.size()) {
    text += fmt::format("  and {} more\n", decision.candidates.size() - shown);
  }
  return text;
}

std::string rule_lines(const Decision& decision) {
  base::Table table("llll");
  for (const core::RuleTrace& rule : decision.rules) {
    table.add_row({&rule == decision.rules.data() ? "rules     " : "",
                   rule.rule->name, rule.why,
                   fmt::format("{}:{}", rule.rule->file, rule.rule->line)});
  }
  return table.render();
}

// What any text has, by its size alone.
bool is_of_size(std::string_view feature) {
  constexpr std::string_view kNames[] = {
      "[length]", "[words]",          "[word length]", "[short words]",
      "[lines]",  "[distinct words]", "[line length]", "[spaces]"};
  return std::find(std::begin(kNames), std::end(kNames), feature) !=
         std::end(kNames);
}

// The features that moved the difficulty most, in each direction.
std::string pushed_lines(const std::vector<core::Contribution>& contributions) {
  constexpr size_t kMostFeatures = 6;
  std::string sides[3];
  size_t counts[3] = {0, 0, 0};
  for (const core::Contribution& c : contributions) {
    const size_t side = is_of_size(c.text) ? 2 : c.contribution > 0 ? 0 : 1;
    if (c.head != "difficulty" || counts[side] == kMostFeatures) continue;
    ++counts[side];
    sides[side] += fmt::format(
        "  {} {:+.2f}", c.text.starts_with('[') ? c.text : '"' + c.text + '"',
        c.contribution);
  }
  std::string text;
  if (!sides[0].empty()) text += "harder   " + sides[0] + "\n";
  if (!sides[1].empty()) text += "easier   " + sides[1] + "\n";
  if (!sides[2].empty()) text += "size     " + sides[2] + "\n";
  return text;
}

std::string flip_lines(const std::vector<routing::Flip>& flips) {
  base::Table table("lll");
  for (const routing::Flip& flip : flips) {
    table.add_row({&flip == flips.data() ? "flips     " : "", flip.winner->name,
                   "if " + flip_condition(flip)});
  }
  return table.render();
}

// Models grouped by their reason; those without a key by provider only.
std::string excluded_lines(const Decision& decision) {
  std::map<std::pair<core::Gate, std::string>, std::vector<std::string>> groups;
  std::vector<std::string> keyless;
  size_t without_key = 0;
  for (const core::Exclusion& excluded : decision.excluded) {
    const core::Model& model = *excluded.model;
    if (excluded.gate == core::Gate::kKey && model.origin == "built-in") {
      ++without_key;
      if (std::find(keyless.begin(), keyless.end(), model.provider) ==
          keyless.end()) {
        keyless.push_back(model.provider);
      }
    } else {
      groups[{excluded.gate, excluded.reason}].push_back(model.name);
    }
  }
  std::string text;
  for (const auto& [key, models] : groups) {
    text += fmt::format("{:<10} {}: {}\n", text.empty() ? "excluded" : "",
                        key.second, base::first_few(models, kMostNamed));
  }
  if (without_key > 0) {
    text += fmt::format("{:<10} no key: {} built-in models of {}\n",
                        text.empty() ? "excluded" : "", without_key,
                        base::join(keyless, ", "));
  }
  return text;
}

std::string footer(const Explanation& explanation) {
  const Routed& routed = explanation.routed;
  const auto& files = routed.config->files;
  std::string line = fmt::format(
      "config     {}   model {} (sha256 {}...)",
      files.empty() ? "none (built-in)" : base::join(files, ", "),
      routed.analyzer->id(), routed.analyzer->sha256().substr(0, 8));
  if (explanation.timing) {
    line += fmt::format("   took {} us", routed.took.count());
  }
  return line + "\n";
}

// Who is asked as well if the first is silent for so long; null: nobody.
struct Hedge {
  const core::Model* model = nullptr;
  double seconds = 0;
};

Hedge hedge_of(const Routed& routed) {
  const AttemptPlan plan(routed.decision, {}, routed.config->limits.ceiling);
  const auto& all = routed.decision.candidates;
  const auto other = all.empty() ? std::nullopt : plan.beside(0);
  const bool hedged =
      other && routed.known && all[*other].worst_cost &&
      may_hedge(routed.decision, routed.prompt, all[0], all[*other]);
  if (!hedged) return {};
  const auto patience = patience_with(*routed.known, all[0].model->name);
  return {all[*other].model, std::chrono::duration<double>(patience).count()};
}

std::string hedge_line(const Routed& routed) {
  const Hedge hedge = hedge_of(routed);
  if (hedge.model == nullptr) return {};
  return fmt::format(
      "hedge      {} may be asked as well after {:.1f} s of silence\n",
      hedge.model->name, hedge.seconds);
}

void write_hedge(JsonWriter& json, const Routed& routed) {
  const Hedge hedge = hedge_of(routed);
  json.key("hedge");
  if (hedge.model == nullptr) return (void)json.null();
  json.begin_object().field("model", hedge.model->name);
  json.field("after_s", hedge.seconds).end_object();
}

void write_decision(JsonWriter& json, const Routed& routed) {
  const Decision& decision = routed.decision;
  json.key("decision").begin_object();
  json.field("requested", decision.requested);
  json.text_or_null("route", decision.route);
  json.field("source", core::source_name(decision.source));
  json.field("rule", decision.rule).field("profile", decision.profile);
  json.field("worth_usd", decision.worth.good_answer);
  json.field("wait_usd_per_second", decision.worth.second);
  json.field("difficulty_used", decision.difficulty_used);
  json.key("model");
  if (decision.candidates.empty()) {
    json.null().key("tier").null();
  } else {
    const core::Model& model = *decision.candidates.front().model;
    json.value(model.name);
    json.field("tier",
               routed.config->tiers[routed.config->tier_of(model)].name);
  }
  write_hedge(json, routed);
  json.field("notes", decision.notes).end_object();
}

void write_analysis(JsonWriter& json, const core::Analysis& analysis) {
  json.key("analysis").begin_object().key("domain").begin_object();
  for (size_t d = 0; d < core::kDomainCount; ++d) {
    json.field(core::kDomainNames[d], analysis.domain[d]);
  }
  json.end_object();
  json.field("difficulty", analysis.difficulty).field("slope", analysis.slope);
  json.field("hardness", core::hardness(analysis));
  json.field("confidence", analysis.confidence);
  json.field("coverage", analysis.coverage);
  json.field("output_tokens", analysis.output_tokens);
  json.field("language", analysis.language);
  json.key("learned").begin_object();
  for (const core::Analysis::Learned& one : analysis.learned) {
    json.field(one.model, one.logit);
  }
  json.end_object();
  json.field("bytes", analysis.bytes);
  json.field("bytes_read", analysis.bytes_read).end_object();
}

void write_candidates(JsonWriter& json, const Decision& decision) {
  json.key("candidates").begin_array();
  for (const Candidate& c : decision.candidates) {
    json.begin_object().field("model", c.model->name);
    json.field("provider", c.provider->name).field("good", c.good);
    core::write_usd(json, "cost_usd", c.cost);
    core::write_usd(json, "worst_cost_usd", c.worst_cost);
    json.field("seconds", c.seconds);
    json.field("seconds_listed", c.seconds_listed);
    json.field("seconds_measured", c.seconds_measured).field("calls", c.calls);
    json.field("failed", c.failed);
    json.field("learned", c.learned).field("verdicts", c.verdicts);
    if (decision.explored) json.field("propensity", c.propensity);
    json.field("worth_usd", c.worth);
    json.field("usd_per_good_answer", c.per_good_answer);
    json.field("input_tokens", c.input_tokens);
    json.field("output_tokens", c.output_tokens);
    json.field("output_cap", c.output_cap).end_object();
  }
  json.end_array();
  json.key("excluded").begin_array();
  for (const core::Exclusion& excluded : decision.excluded) {
    json.begin_object().field("model", excluded.model->name);
    json.field("reason", excluded.reason).end_object();
  }
  json.end_array();
}

void write_rules(JsonWriter& json, const Decision& decision) {
  json.key("rules").begin_array();
  for (const core::RuleTrace& rule : decision.rules) {
    json.begin_object().field("name", rule.rule->name);
    json.field("file", rule.rule->file).field("line", rule.rule->line);
    json.field("matched", rule.matched);
    json.field("why", rule.why).end_object();
  }
  json.end_array();
}

void write_features(JsonWriter& json,
                    const std::vector<core::Contribution>& contributions) {
  json.key("features").begin_array();
  for (const core::Contribution& c : contributions) {
    json.begin_object().field("text", c.text).field("head", c.head);
    json.field("weight", c.weight).field("count", c.count);
    json.field("contribution", c.contribution).end_object();
  }
  json.end_array();
}

}  // namespace

Explanation explain_decision(const Routed& routed, size_t most_contributions) {
  return {routed,
          routed.analyzer->explain(
              {routed.prompt.instruction(), routed.prompt.context()},
              most_contributions),
          std::nullopt,
          routing::flips(routed.decision, *routed.config,
                         routed.config->limits.ceiling.has_value()),
          std::nullopt,
          true};
}

std::string explanation_text(const Explanation& explanation) {
  const Decision& decision = explanation.routed.decision;
  std::string text;
  if (!decision.candidates.empty()) {
    text += "model      " + model_line(decision) + "\n";
    text += "because    " + because_line(decision) + "\n";
  }
  for (const std::string& note : decision.notes) {
    text += "note       " + note + "\n";
  }
  text += "prompt     " + prompt_line(explanation.routed) + "\n";
  text += read_line(explanation.routed);
  text += learned_line(decision.analysis);
  text += measured_line(decision) + verdicts_line(decision);
  if (explanation.stability) text += stability_lines(*explanation.stability);
  if (!decision.candidates.empty()) text += candidate_table(decision);
  text += hedge_line(explanation.routed);
  text += rule_lines(decision);
  text += pushed_lines(explanation.contributions);
  text += flip_lines(explanation.flips);
  if (explanation.why_not) text += why_not_lines(*explanation.why_not);
  text += excluded_lines(decision);
  return text + footer(explanation);
}

std::string explanation_json(const Explanation& explanation) {
  const Routed& routed = explanation.routed;
  JsonWriter json;
  json.begin_object().field("schema", "llmroute.explain/1");
  write_decision(json, routed);
  write_analysis(json, routed.decision.analysis);
  write_candidates(json, routed.decision);
  write_rules(json, routed.decision);
  write_features(json, explanation.contributions);
  json.list("flips", explanation.flips, write_flip);
  if (explanation.why_not) {
    json.key("why_not");
    write_why_not(json, *explanation.why_not);
  }
  if (explanation.stability) {
    json.key("robustness");
    write_stability(json, *explanation.stability);
  }
  json.key("config").begin_object();
  json.field("files", routed.config->files).end_object();
  json.key("model").begin_object().field("id", routed.analyzer->id());
  json.field("sha256", routed.analyzer->sha256()).end_object();
  if (explanation.timing) json.field("took_us", routed.took.count());
  json.end_object();
  return json.take() + "\n";
}

}  // namespace llmroute::app
