#include "app/events.h"

#include "app/messages.h"
#include "app/result.h"
#include "base/json_writer.h"
#include "core/money_json.h"
#include "core/tool_list.h"

namespace llmroute::app {
namespace {

base::JsonWriter begin(const char* event) {
  base::JsonWriter json;
  json.begin_object().field("event", event);
  return json;
}

std::string end(base::JsonWriter& json) {
  return json.end_object().take() + "\n";
}

}  // namespace

std::string route_event(const core::Decision& decision) {
  const core::Candidate& chosen = decision.candidates.front();
  base::JsonWriter json = begin("route");
  json.field("requested", decision.requested);
  json.text_or_null("name", decision.route);
  json.field("source", core::source_name(decision.source));
  json.field("rule", decision.rule).field("model", chosen.model->name);
  json.field("provider", chosen.provider->name).field("good", chosen.good);
  core::write_usd(json, "cost_usd", chosen.cost);
  json.field("seconds", chosen.seconds);
  return end(json);
}

std::string attempt_event(const Attempt& asked) {
  base::JsonWriter json = begin("attempt");
  json.field("number", asked.number);
  json.field("model", asked.candidate->model->name);
  json.field("provider", asked.candidate->provider->name);
  if (asked.hedge) json.field("hedge", true);
  return end(json);
}

std::string retry_event(const Attempt& failed, const core::Candidate& next,
                        std::chrono::milliseconds wait) {
  base::JsonWriter json = begin("retry");
  json.field("model", failed.candidate->model->name);
  if (failed.rejected) {
    json.key("status").null().field("class", "rejected");
    json.field("cause", "rejected").field("message", *failed.rejected);
  } else {
    const core::Failure& failure = *failed.failure;
    json.key("status");
    failure.http_status != 0 ? json.value(failure.http_status) : json.null();
    json.field("class", core::failure_class_name(failure.kind));
    json.field("cause", failure.cause);
    json.field("message", redacted(failure.message));
  }
  json.field("next", next.model->name).field("wait_ms", wait.count());
  return end(json);
}

std::string tool_call_event(const core::ToolCall& call) {
  const std::string object = core::tool_call_json(call);
  base::JsonWriter json = begin("tool_call");
  json.members(std::string_view(object).substr(1, object.size() - 2));
  return end(json);
}

std::string error_event(const base::Error& error) {
  base::JsonWriter json = begin("error");
  write_error_members(json, error);
  return end(json);
}

}  // namespace llmroute::app
