#include "app/result.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/terminal_text.h"
#include "base/text.h"
#include "core/exit_status.h"
#include "core/money_json.h"
#include "core/tool_list.h"
#include "provider/call.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using core::Candidate;
using core::Decision;
using core::Money;

const Candidate* strongest(const Decision& decision) {
  const auto found = std::max_element(
      decision.candidates.begin(), decision.candidates.end(),
      [](const Candidate& a, const Candidate& b) {
        return a.model->general_ability() < b.model->general_ability();
      });
  return found == decision.candidates.end() ? nullptr : &*found;
}

void write_model(JsonWriter& json, const Decision& decision,
                 const Answered& answered) {
  json.key("model").begin_object();
  json.field("requested", decision.requested);
  json.field("routed", decision.candidates.front().model->name);
  json.field("used", answered.by->model->name);
  json.text_or_null("served",
                    answered.reply ? answered.reply->served_model : "");
  json.field("provider", answered.by->provider->name).end_object();
}

void write_route(JsonWriter& json, const Routed& routed,
                 const Answered& answered) {
  const Decision& decision = routed.decision;
  json.key("route").begin_object();
  json.text_or_null("name", decision.route);
  json.field("source", core::source_name(decision.source));
  json.field("fell_back",
             answered.by->model != decision.candidates.front().model);
  json.field("rule", decision.rule);
  json.field("decision_us", routed.took.count()).end_object();
}

void write_attempts(JsonWriter& json, const Answered& answered) {
  json.key("attempts").begin_array();
  for (const Attempt& attempt : answered.attempts) {
    json.begin_object();
    json.field("model", attempt.candidate->model->name);
    json.field("provider", attempt.candidate->provider->name);
    json.key("status");
    const int status = attempt.failure ? attempt.failure->http_status : 200;
    const bool http =
        attempt.candidate->provider->protocol != core::Protocol::kExec;
    http&& status != 0 ? json.value(status) : json.null();
    if (attempt.failure) {
      json.field("class", core::failure_class_name(attempt.failure->kind));
      json.field("cause", attempt.failure->cause);
      json.field("message", redacted(attempt.failure->message));
      json.field("retryable", attempt.retryable);
    }
    if (attempt.rejected) json.field("rejected", *attempt.rejected);
    if (attempt.hedge) json.field("hedge", true);
    if (attempt.waited.count() > 0) {
      json.field("waited_ms", attempt.waited.count());
    }
    json.field("ms", attempt.took.count()).end_object();
  }
  json.end_array();
}

void write_usage(JsonWriter& json, const Answered& answered) {
  const core::Usage usage =
      answered.reply ? answered.reply->usage : core::Usage{};
  json.key("usage").begin_object();
  json.field("input", usage.input).field("cached_input", usage.cached_input);
  json.field("output", usage.output).field("reasoning", usage.reasoning);
  json.field("source", usage.complete() ? "provider" : "unknown").end_object();
}

// Then what the whole run cost is not known.
bool failures_may_have_cost(const Answered& answered) {
  return std::any_of(answered.attempts.begin(), answered.attempts.end(),
                     [](const Attempt& attempt) {
                       return attempt.failure &&
                              may_have_cost(*attempt.failure);
                     });
}

// Of the answer, if there is one, and of those before it that would not do.
std::optional<Money> whole_cost(const Answered& answered) {
  if (failures_may_have_cost(answered)) return std::nullopt;
  const bool accepted = answered.reply && !answered.rejected;
  std::optional<Money> sum =
      accepted ? core::cost_of(*answered.by->model, answered.reply->usage)
               : Money{};
  for (const Attempt& attempt : answered.attempts) {
    if (!attempt.rejected) continue;
    if (!sum || !attempt.cost) return std::nullopt;
    sum = *sum + *attempt.cost;
  }
  return sum;
}

void write_cost(JsonWriter& json, const Decision& decision,
                const Answered& answered) {
  std::optional<Money> on_strongest;
  if (answered.reply) {
    on_strongest = strongest_cost(decision, answered.reply->usage);
  }
  json.key("cost").begin_object();
  core::write_usd(json, "usd", whole_cost(answered));
  json.field("estimated",
             answered.reply && answered.reply->usage.contradictory);
  json.text_or_null("price_as_of", answered.by->model->price_as_of);
  core::write_usd(json, "strongest_usd", on_strongest);
  json.end_object();
}

void write_timing(JsonWriter& json, const Answered& answered) {
  json.key("timing_ms").begin_object();
  json.key("first_token");
  const auto first = answered.attempts.back().first_token.count();
  first > 0 ? json.value(first) : json.null();
  json.field("total", answered.took.count()).end_object();
}

// By the model's prices, whatever was charged for another.
std::optional<Money> listed_cost(const core::Model& model, core::Usage usage) {
  usage.charged.reset();
  return core::cost_of(model, usage);
}

void write_error(JsonWriter& json, const base::Error* error) {
  json.key("error");
  if (error == nullptr) return (void)json.null();
  const core::ExitStatus status = core::exit_status(error->kind);
  json.begin_object();
  json.field("code", core::exit_status_code(status));
  json.field("exit", static_cast<int>(status));
  json.field("message", redacted(error->message)).end_object();
}

void write_result(JsonWriter& json, bool with_text, const std::string& id,
                  const Routed& routed, const Answered& answered,
                  const base::Error* error) {
  const base::Wall now = base::wall_now();
  const core::Reply* reply = answered.reply ? &*answered.reply : nullptr;
  json.field("schema", "llmroute.result/1");
  json.field("id", id).field("created", base::format_utc(now));
  if (with_text) {
    json.key("text");
    reply != nullptr ? json.value(reply->text) : json.null();
  }
  json.key("finish_reason");
  reply != nullptr ? json.value(core::finish_name(reply->finish)) : json.null();
  json.key("tool_calls").begin_array();
  if (reply != nullptr) {
    for (const core::ToolCall& call : reply->tool_calls) {
      json.raw(core::tool_call_json(call));
    }
  }
  json.end_array();
  write_model(json, routed.decision, answered);
  write_route(json, routed, answered);
  write_attempts(json, answered);
  write_usage(json, answered);
  write_cost(json, routed.decision, answered);
  write_timing(json, answered);
  json.text_or_null("request_id",
                    reply != nullptr
                        ? reply->request_id
                        : answered.attempts.back().failure->request_id);
  write_error(json, error);
}

}  // namespace

std::string result_json(const std::string& id, const Routed& routed,
                        const Answered& answered, const base::Error* error) {
  JsonWriter json;
  json.begin_object();
  write_result(json, true, id, routed, answered, error);
  return json.end_object().take() + "\n";
}

std::string done_event(const std::string& id, const Routed& routed,
                       const Answered& answered, const base::Error* error) {
  JsonWriter json;
  json.begin_object().field("event", "done");
  write_result(json, false, id, routed, answered, error);
  return json.end_object().take() + "\n";
}

std::string error_facts(const Answered& answered, size_t printed_bytes) {
  const Attempt& last = answered.attempts.back();
  JsonWriter json;
  json.begin_object().key("retry_after_s");
  const bool hint = last.failure && last.failure->retry_after;
  hint ? json.value(static_cast<double>(last.failure->retry_after->count()) /
                    1000)
       : json.null();
  json.field("provider", last.candidate->provider->name);
  json.field("model", last.candidate->model->name).key("http_status");
  const bool status = last.failure && last.failure->http_status != 0;
  status ? json.value(last.failure->http_status) : json.null();
  json.text_or_null("request_id", last.failure ? last.failure->request_id
                                               : answered.reply->request_id);
  json.field("attempts", static_cast<int64_t>(answered.attempts.size()));
  json.field("bytes_printed", static_cast<int64_t>(printed_bytes));
  const std::string object = json.end_object().take();
  return object.substr(1, object.size() - 2);
}

void write_error_members(JsonWriter& json, const base::Error& error) {
  const core::ExitStatus status = core::exit_status(error.kind);
  json.field("code", core::exit_status_code(status));
  json.field("exit", static_cast<int>(status));
  json.field("retryable", status == core::ExitStatus::kTryLater);
  json.members(error.facts.empty()
                   ? R"("retry_after_s":null,"provider":null,"model":null,)"
                     R"("http_status":null,"request_id":null,"attempts":0,)"
                     R"("bytes_printed":0)"
                   : error.facts);
  json.field("message", base::visible_line(redacted(error.message)));
}

std::optional<Money> strongest_cost(const Decision& decision,
                                    const core::Usage& usage) {
  const Candidate* candidate = strongest(decision);
  if (candidate == nullptr) return std::nullopt;
  return listed_cost(*candidate->model, usage);
}

std::optional<Money> cheapest_cost(const Decision& decision,
                                   const core::Usage& usage) {
  std::optional<Money> least;
  for (const Candidate& candidate : decision.candidates) {
    const auto cost = listed_cost(*candidate.model, usage);
    if (cost) least = std::min(least.value_or(*cost), *cost);
  }
  return least;
}

std::string route_line(const Decision& decision) {
  const Candidate& chosen = decision.candidates.front();
  const std::string why = decision.rule
                              ? fmt::format("rule {}", *decision.rule)
                              : std::string(core::source_name(decision.source));
  return fmt::format(
      "{} -> {} ({}), by {}; estimated {}, {:.1f} s", decision.requested,
      chosen.model->name, chosen.provider->name, why,
      chosen.cost ? core::display_usd(*chosen.cost) : "cost unknown",
      chosen.seconds);
}

namespace {

std::string cost_text(const std::optional<Money>& cost) {
  return cost ? core::display_usd(*cost) : "cost unknown";
}

// "1 attempt", "3 attempts, $0.012 in all".
std::string attempts_text(const Answered& answered) {
  const size_t count = answered.attempts.size();
  if (count == 1) return "1 attempt";
  const auto all = whole_cost(answered);
  return fmt::format("{} attempts, {}", count,
                     all ? core::display_usd(*all) + " in all"
                         : "what they cost in all is unknown");
}

}  // namespace

std::string stats_line(const std::string& id, const Answered& answered) {
  const core::Usage& usage = answered.reply->usage;
  const auto count = [](const std::optional<int64_t>& tokens) {
    return tokens ? base::with_thousands(*tokens) : std::string("unknown");
  };
  const auto cost = core::cost_of(*answered.by->model, usage);
  const Attempt& last = answered.attempts.back();
  return fmt::format(
      "{} ({}): {} tokens in, {} out, {}; first text after {} ms, done after "
      "{} ms; {}; id {}",
      answered.by->model->name, answered.by->provider->name, count(usage.input),
      count(usage.output), cost_text(cost), last.first_token.count(),
      last.took.count(), attempts_text(answered), id);
}

std::string dry_run_text(const Routed& routed, const core::Prompt& sent) {
  const Candidate& chosen = routed.decision.candidates.front();
  const provider::Call call{
      *chosen.provider,
      *chosen.model,
      sent,
      "",
      cap_to_send(chosen, sent, routed.config->limits.ceiling.has_value()),
      true,
      {},
      {}};
  std::string text = fmt::format(
      "model     {} ({})\nestimate  {} tokens in, ~{} out, {}{}\n",
      chosen.model->name, chosen.provider->name,
      base::with_thousands(chosen.input_tokens),
      base::with_thousands(chosen.output_tokens),
      chosen.cost ? core::display_usd(*chosen.cost) : "cost unknown",
      chosen.worst_cost
          ? fmt::format(" (at most {})", core::display_usd(*chosen.worst_cost))
          : "");
  if (!chosen.model->price_as_of.empty()) {
    text += fmt::format("prices    as of {}\n", chosen.model->price_as_of);
  }
  text += "\n" + provider::describe_request(call);
  if (text.back() != '\n') text += '\n';
  return text;
}

}  // namespace llmroute::app
