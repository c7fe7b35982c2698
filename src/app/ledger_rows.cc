#include "app/ledger_rows.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "app/result.h"
#include "app/retake.h"
#include "base/json_writer.h"
#include "core/domain.h"

namespace llmroute::app {
namespace {

std::string tags_json(const std::map<std::string, std::string>& tags) {
  base::JsonWriter json;
  json.begin_object();
  for (const auto& [key, value] : tags) json.field(key, value);
  json.end_object();
  return json.take();
}

int64_t bytes_of(const core::Prompt& prompt) {
  size_t bytes = prompt.system.size();
  for (const core::Message& message : prompt.messages) {
    bytes += message.text.size();
    for (const core::ToolCall& call : message.calls) bytes += call.bytes();
  }
  return static_cast<int64_t>(bytes);
}

store::Integer pico(const std::optional<core::Money>& money) {
  return money ? store::Integer(money->pico) : std::nullopt;
}

store::Integer if_any(std::chrono::milliseconds time) {
  return time.count() > 0 ? store::Integer(time.count()) : std::nullopt;
}

// What `bytes` of an answer are likely to have cost: a token is about 4 bytes.
store::Integer likely_cost(const core::Candidate& by, size_t bytes) {
  core::Usage tokens;
  tokens.input = by.input_tokens;
  tokens.output = static_cast<int64_t>((bytes + 3) / 4);
  return pico(core::cost_of(*by.model, tokens));
}

// Of a call whose cost is not known: without a price, or a limit of its answer,
// there is no worst case.
int64_t charge_unknown(const store::AttemptRow& row) {
  return row.worst_pico.value_or(row.likely_pico.value_or(0));
}

void charge_answer(const core::Candidate& by, const core::Reply& reply,
                   store::AttemptRow& row) {
  row.cost_pico = pico(core::cost_of(*by.model, reply.usage));
  if (!row.cost_pico) row.likely_pico = likely_cost(by, reply.bytes());
  row.charged_pico = row.cost_pico.value_or(charge_unknown(row));
  row.charged_as = "usage";
  if (!row.cost_pico) row.charged_as = "estimated";
  if (row.cost_pico && row.worst_pico && *row.cost_pico > *row.worst_pico) {
    row.charged_as = "overrun";
  }
}

void add_answer(const core::Decision& decision, const core::Candidate& by,
                const core::Reply& reply, store::AttemptRow& row) {
  const core::Usage& usage = reply.usage;
  row.state = "answered";
  if (!reply.served_model.empty()) row.served = reply.served_model;
  row.input_tokens = usage.input;
  row.output_tokens = usage.output;
  row.cached_tokens = usage.cached_input;
  row.cache_write_tokens = usage.cache_write;
  row.reasoning_tokens = usage.reasoning;
  row.strongest_pico = pico(strongest_cost(decision, usage));
  row.cheapest_pico = pico(cheapest_cost(decision, usage));
  charge_answer(by, reply, row);
}

void add_failure(const core::Candidate& of, const core::Failure& failure,
                 store::AttemptRow& row) {
  row.state = "failed";
  row.cause_class = std::string(core::failure_class_name(failure.kind));
  row.cause = failure.cause;
  if (failure.http_status != 0) row.status = failure.http_status;
  if (may_have_cost(failure)) {
    row.likely_pico = likely_cost(of, failure.bytes_streamed);
    row.charged_pico = charge_unknown(row);
    row.charged_as = "unknown";
  } else {
    row.cost_pico = 0;
    row.charged_as = "nothing";
  }
}

store::Text propensities_json(const core::Decision& decision) {
  if (!decision.explored) return std::nullopt;
  base::JsonWriter json;
  json.begin_object();
  for (const core::Candidate& candidate : decision.candidates) {
    if (candidate.propensity <= 0) continue;
    json.field(candidate.model->name, candidate.propensity);
  }
  json.end_object();
  return json.take();
}

}  // namespace

store::DecisionRow decision_row(const std::string& id, std::string_view command,
                                const Taken& taken) {
  const core::Decision& decision = taken.decision;
  const core::Analysis& analysis = decision.analysis;
  store::DecisionRow row;
  row.id = id;
  row.command = command;
  row.requested = decision.requested;
  row.route = decision.route;
  row.source = core::source_name(decision.source);
  row.rule = decision.rule;
  row.profile = decision.profile;
  row.worth_usd = decision.worth.good_answer;
  row.wait_usd = decision.worth.second;
  row.domain = core::kDomainNames[core::largest(analysis.domain)];
  row.difficulty = analysis.difficulty;
  row.confidence = analysis.confidence;
  row.model = decision.candidates.front().model->name;
  row.seed = taken.seed;
  row.propensities = propensities_json(decision);
  row.tags = tags_json(taken.options.tags);
  row.prompt_bytes = bytes_of(taken.prompt);
  row.decision_us = taken.took.count();
  return row;
}

void add_retake(const Taken& taken, store::DecisionRow& row) {
  row.inputs = {pack_inputs(taken)};
  row.outcome = {pack_outcome(taken.decision)};
}

store::AttemptRow attempt_row(const core::Decision& decision,
                              const Attempt& attempt, const core::Reply* reply,
                              int64_t number) {
  const core::Candidate& candidate = *attempt.candidate;
  store::AttemptRow row;
  row.number = number;
  row.model = candidate.model->name;
  row.provider = candidate.provider->name;
  row.waited_ms = attempt.waited.count();
  row.ms = attempt.took.count();
  row.first_token_ms = if_any(attempt.first_token);
  row.worst_pico = pico(candidate.worst_cost);
  if (attempt.hedge) row.hedge = 1;
  if (reply != nullptr) {
    add_answer(decision, candidate, *reply, row);
  } else if (attempt.failure) {
    add_failure(candidate, *attempt.failure, row);
  }
  return row;
}

base::Result<store::AttemptRow> row_to_hold(const core::Decision& decision,
                                            const Attempt& asked,
                                            int64_t number) {
  const core::Candidate& candidate = *asked.candidate;
  if (!candidate.worst_cost && asked.hedge) {
    return base::Error{
        base::ErrorKind::kBudget,
        fmt::format("{}: beside another its worst case must be known: a price "
                    "and max_output_tokens",
                    candidate.model->name)};
  }
  store::AttemptRow row = attempt_row(decision, asked, nullptr, number);
  // With --allow-unpriced.
  if (!row.worst_pico) row.worst_pico = pico(candidate.cost).value_or(0);
  row.likely_pico = pico(candidate.cost);  // should its process die
  return row;
}

std::string hashed_text(const core::Prompt& prompt) {
  std::string text;
  text.reserve(static_cast<size_t>(bytes_of(prompt)) + 64);
  const auto add = [&](std::string_view part) {
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{}:"), part.size());
    text += part;
  };
  add(prompt.system);
  for (const core::Message& message : prompt.messages) {
    text += message.role == core::Role::kUser   ? 'u'
            : message.role == core::Role::kTool ? 't'
                                                : 'a';
    add(message.text);
    if (!message.call_id.empty()) {
      text += 'i';
      add(message.call_id);
    }
    for (const core::ToolCall& call : message.calls) {
      text += 'c';
      for (const std::string_view part :
           {std::string_view(call.id), std::string_view(call.name),
            std::string_view(call.arguments)})
        add(part);
    }
  }
  return text;
}

}  // namespace llmroute::app
