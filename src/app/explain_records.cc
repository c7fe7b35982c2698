#include "app/explain_records.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "app/batch_record.h"
#include "app/batch_setup.h"
#include "app/input.h"
#include "app/output.h"
#include "app/route.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"
#include "batch/input_lines.h"
#include "batch/record.h"
#include "core/money_json.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using base::Result;
using base::Status;
using core::ExitStatus;
using core::Money;

// The same prompts and options, as a batch would have them; operands are files.
BatchOptions as_batch(const ExplainOptions& options) {
  BatchOptions batch;
  batch.config = options.config;
  batch.input.files = options.input.operands;
  batch.input.files.insert(batch.input.files.end(), options.input.files.begin(),
                           options.input.files.end());
  batch.input.system = options.input.system;
  batch.input.system_file = options.input.system_file;
  batch.routing = options.routing;
  batch.request = options.request;
  batch.limits = options.limits;
  return batch;
}

Result<Routed> routed_by(const ExplainOptions& options,
                         const ConfigOptions& config,
                         const base::Environment& environment) {
  const RouteQuestion question{config,          options.input,
                               options.routing, options.request,
                               options.limits,  Asker::kExplain};
  LLMROUTE_TRY(Routed routed, prepare_routing(question, environment));
  // Each record is decided with what the options need.
  LLMROUTE_CHECK(
      read_schema_and_tools(options.request, routed.prompt.parameters));
  LLMROUTE_CHECK(add_decider(question, environment, routed));
  return routed;
}

void write_choice(JsonWriter& json, const core::Decision& decision,
                  const core::Config& config) {
  const core::Candidate& chosen = decision.candidates.front();
  json.field("model", chosen.model->name);
  json.field("provider", chosen.provider->name);
  json.field("tier", config.tiers[config.tier_of(*chosen.model)].name);
  json.text_or_null("route", decision.route);
  json.field("source", core::source_name(decision.source));
  json.field("rule", decision.rule).field("good", chosen.good);
  core::write_usd(json, "cost_usd", chosen.cost);
  json.field("seconds", chosen.seconds).field("worth_usd", chosen.worth);
}

JsonWriter begin_record(const batch::Record& record) {
  JsonWriter json;
  json.begin_object().key("id");
  record.numeric_id ? json.raw(record.id) : json.value(record.id);
  json.field("line", record.line);
  return json;
}

std::string error_line(const batch::Record& record,
                       const batch::RecordError& error) {
  JsonWriter json = begin_record(record);
  json.key("error").begin_object().field("code", error.code);
  json.field("message", error.message).end_object().end_object();
  return json.take() + "\n";
}

std::string decision_line(const batch::Record& record,
                          const core::Decision& decision,
                          const core::Config& config) {
  const core::Analysis& analysis = decision.analysis;
  JsonWriter json = begin_record(record);
  write_choice(json, decision, config);
  json.field("domain", core::kDomainNames[core::largest(analysis.domain)]);
  json.field("hardness", core::hardness(analysis));
  json.field("confidence", analysis.confidence);
  json.field("coverage", analysis.coverage);
  json.key("error").null().end_object();
  return json.take() + "\n";
}

class Explainer {
 public:
  Explainer(const ExplainOptions& options, BatchOptions batch,
            const std::vector<Expectation>& expectations, Routed now,
            std::optional<Routed> then, const Messages& messages)
      : options_(options),
        batch_(std::move(batch)),
        expectations_(expectations),
        now_(std::move(now)),
        then_(std::move(then)),
        messages_(messages) {}

  Result<ExitStatus> run();

 private:
  Status add(batch::Record record);
  Status compare(batch::Record record, const core::Decision& now);
  Status print_difference() const;
  std::string difference_text() const;
  std::string difference_json() const;

  struct Moved {
    int64_t line = 0;
    std::string id, from, to;
    std::optional<Money> cost_from, cost_to;
  };
  struct Use {
    int64_t now = 0, then = 0;
  };
  static constexpr size_t kMostShown = 100;

  const ExplainOptions& options_;
  const BatchOptions batch_;
  const std::vector<Expectation>& expectations_;
  const Routed now_;
  const std::optional<Routed> then_;
  const Messages& messages_;
  int64_t records_ = 0, faults_ = 0, unexpected_ = 0, moved_count_ = 0;
  std::vector<Moved> moved_;  // the first of them
  std::map<std::string, Use> uses_;
  Money cost_now_, cost_then_;
  int64_t unpriced_ = 0;
};

Result<ExitStatus> Explainer::run() {
  LLMROUTE_TRY(batch::InputLines lines, open_lines(batch_.input));
  LLMROUTE_TRY(batch::RecordParser parser, record_parser(batch_.input, false));
  LLMROUTE_CHECK(for_each_line(lines, [&](const batch::InputLine& line) {
    return add(record_of(line, parser));
  }));
  if (records_ == 0) {
    return base::Error{base::ErrorKind::kNoInput, "no records in the input"};
  }
  if (then_) LLMROUTE_CHECK(print_difference());
  if (unexpected_ > 0) {
    return base::Error{base::ErrorKind::kNegative,
                       fmt::format("{} of {} records are not as expected",
                                   base::with_thousands(unexpected_),
                                   base::with_thousands(records_))};
  }
  return faults_ > 0 ? ExitStatus::kNegative : ExitStatus::kOk;
}

Status Explainer::add(batch::Record record) {
  ++records_;
  std::optional<core::Decision> decision;
  if (!record.error) {
    auto decided = decide_record(record, batch_, now_);
    if (decided) decision = std::move(decided->decision);
    if (!decided) record.error = not_routed(decided.error());
  }
  if (!decision) {
    ++faults_;
    return then_ ? Status() : print_document(error_line(record, *record.error));
  }
  const Status met = check_expectations(*decision, *now_.config, expectations_);
  if (!met) {
    ++unexpected_;
    messages_.error(
        fmt::format("line {}: {}", record.line, met.error().message));
  }
  if (then_) return compare(std::move(record), *decision);
  return print_document(decision_line(record, *decision, *now_.config));
}

Status Explainer::compare(batch::Record record, const core::Decision& now) {
  const auto decided = decide_record(record, batch_, *then_);
  const core::Candidate& from = now.candidates.front();
  Moved moved{record.line, record.id, from.model->name,
              "no model",  from.cost, {}};
  if (decided) {
    const core::Candidate& to = decided->decision.candidates.front();
    moved.to = to.model->name;
    moved.cost_to = to.cost;
  }
  ++uses_[moved.from].now;
  ++uses_[moved.to].then;
  if (moved.cost_from && moved.cost_to) {
    cost_now_ += *moved.cost_from;
    cost_then_ += *moved.cost_to;
  } else {
    ++unpriced_;
  }
  if (moved.from == moved.to) return {};
  ++moved_count_;
  if (options_.format == Format::kJson) {
    JsonWriter json = begin_record(record);
    json.field("from", moved.from).field("to", moved.to);
    core::write_usd(json, "cost_from_usd", moved.cost_from);
    core::write_usd(json, "cost_to_usd", moved.cost_to);
    return print_document(json.end_object().take() + "\n");
  }
  if (moved_.size() < kMostShown) moved_.push_back(std::move(moved));
  return {};
}

std::string Explainer::difference_text() const {
  const auto usd = [](const std::optional<Money>& cost) {
    return cost ? core::display_usd(*cost) : std::string("unknown");
  };
  base::Table table("rllll");
  if (!moved_.empty()) table.add_row({"line", "id", "from", "to", "cost"});
  for (const Moved& one : moved_) {
    table.add_row({std::to_string(one.line), one.id, one.from, one.to,
                   usd(one.cost_from) + " -> " + usd(one.cost_to)});
  }
  std::string text = table.render();
  if (const auto more = moved_count_ - static_cast<int64_t>(moved_.size())) {
    text += fmt::format("and {} more (--json has all)\n",
                        base::with_thousands(more));
  }
  base::Table models("lrr");
  models.add_row({"model", "now", "then"});
  for (const auto& [name, use] : uses_) {
    models.add_row(
        {name, base::with_thousands(use.now), base::with_thousands(use.then)});
  }
  text += models.render();
  text +=
      fmt::format("{} of {} records move; estimated cost {} -> {}",
                  base::with_thousands(moved_count_),
                  base::with_thousands(records_ - faults_),
                  core::display_usd(cost_now_), core::display_usd(cost_then_));
  if (unpriced_ > 0) {
    text += fmt::format(", without {} of unknown price",
                        base::with_thousands(unpriced_));
  }
  if (faults_ > 0) {
    text += fmt::format("; {} cannot be asked", base::with_thousands(faults_));
  }
  return text + "\n";
}

std::string Explainer::difference_json() const {
  JsonWriter json;
  json.begin_object().field("schema", "llmroute.diff/1");
  json.field("records", records_).field("cannot_be_asked", faults_);
  json.field("moved", moved_count_).field("unknown_price", unpriced_);
  core::write_usd(json, "cost_now_usd", cost_now_);
  core::write_usd(json, "cost_then_usd", cost_then_);
  json.key("models").begin_object();
  for (const auto& [name, use] : uses_) {
    json.key(name).begin_object().field("now", use.now);
    json.field("then", use.then).end_object();
  }
  return json.end_object().end_object().take() + "\n";
}

Status Explainer::print_difference() const {
  if (options_.format == Format::kJson) {
    return print_document(difference_json());
  }
  return print_text(difference_text());
}

}  // namespace

Result<ExitStatus> explain_records(const ExplainOptions& options,
                                   const std::vector<Expectation>& expectations,
                                   const base::Environment& environment,
                                   const Messages& messages) {
  LLMROUTE_TRY(BatchOptions batch,
               settle_options(as_batch(options), environment));
  LLMROUTE_TRY(Routed now, routed_by(options, options.config, environment));
  batch.routing = now.decider->options();  // with what --tools needs
  std::optional<Routed> then;
  if (options.diff) {
    ConfigOptions other = options.config;
    other.file = options.diff;
    LLMROUTE_TRY(then, routed_by(options, other, environment));
  }
  return Explainer(options, std::move(batch), expectations, std::move(now),
                   std::move(then), messages)
      .run();
}

}  // namespace llmroute::app
