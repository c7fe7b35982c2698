#include "batch/result_line.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "batch/result_body.h"
#include "core/money_json.h"
#include "core/tool_list.h"

namespace llmroute::batch {
namespace {

using base::JsonWriter;

void write_text(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key);
  text.empty() ? json.null() : json.value(text);
}

void write_raw(JsonWriter& json, const char* key, const std::string& raw) {
  json.key(key);
  raw.empty() ? json.null() : json.raw(raw);
}

void write_input(JsonWriter& json, const Record& record) {
  json.key("input");
  if (record.input.empty()) {
    json.null();
  } else if (record.input_is_json) {
    json.raw(record.input);
  } else {
    json.value(record.input);
  }
}

void write_error(JsonWriter& json, const std::optional<ResultError>& error,
                 bool extras) {
  json.key("error");
  if (!error) {
    json.null();
    return;
  }
  json.begin_object().field("code", error->code);
  json.field("message", error->message);
  if (extras) {
    json.field("retryable", error->retryable).key("http_status");
    error->http_status != 0 ? json.value(error->http_status) : json.null();
    write_text(json, "provider", error->provider);
  }
  json.end_object();
}

void write_model(JsonWriter& json, const Result& result) {
  json.key("model").begin_object();
  write_text(json, "routed", result.routed);
  write_text(json, "served", result.reply.served_model);
  write_text(json, "provider", result.provider);
  json.end_object();
}

void write_route(JsonWriter& json, const Result& result) {
  json.key("route").begin_object();
  write_text(json, "name", result.route);
  write_text(json, "source", result.source);
  json.end_object();
}

void write_calls(JsonWriter& json, const core::Reply& reply) {
  json.begin_array();
  for (const core::ToolCall& call : reply.tool_calls) {
    json.raw(core::tool_call_json(call));
  }
  json.end_array();
}

void write_native(JsonWriter& json, const Record& record, const Result& result,
                  const ResultOptions& options) {
  const core::Reply& reply = result.reply;
  json.begin_object().key("id");
  record.numeric_id ? json.raw(record.id) : json.value(record.id);
  json.field("line", record.line).key("text");
  result.has_reply() ? json.value(reply.text) : json.null();
  json.key("finish_reason");
  result.has_reply() ? json.value(core::finish_name(reply.finish))
                     : json.null();
  const bool tools = !record.prompt.parameters.tools.empty();
  if (tools || !reply.tool_calls.empty()) {
    write_calls(json.key("tool_calls"), reply);
  }
  write_model(json, result);
  write_route(json, result);
  json.key("usage").begin_object().field("input", reply.usage.input);
  json.field("output", reply.usage.output).end_object();
  json.key("cost").begin_object();
  core::write_usd(json, "usd", result.cost);
  if (result.cost_estimated) json.field("estimated", true);
  json.end_object();
  json.field("attempts", result.attempts).field("ms", result.ms);
  write_raw(json, "meta", record.meta);
  if (options.echo) write_input(json, record);
  write_error(json, result.error, true);
  json.end_object();
}

void write_extras(JsonWriter& json, const Record& record, const Result& result,
                  const ResultOptions& options) {
  json.key("llmroute").begin_object().field("line", record.line);
  write_text(json, "model", result.routed);
  write_text(json, "provider", result.provider);
  write_text(json, "route", result.route);
  write_text(json, "source", result.source);
  core::write_usd(json, "cost_usd", result.cost);
  if (result.cost_estimated) json.field("cost_estimated", true);
  if (result.error && result.has_reply()) {
    json.field("incomplete", result.error->message);
  }
  json.field("attempts", result.attempts).field("ms", result.ms);
  if (!record.meta.empty()) write_raw(json, "meta", record.meta);
  if (options.echo) write_input(json, record);
  json.end_object();
}

void write_openai(JsonWriter& json, const Record& record, const Result& result,
                  const ResultOptions& options) {
  const std::string ids = options.run_id + "_" + std::to_string(record.line);
  json.begin_object().field("id", "batch_req_" + ids);
  json.field("custom_id", record.id).key("response");
  if (!result.has_reply()) {
    json.null();
  } else {
    json.begin_object().field("status_code", 200).key("request_id");
    json.value(result.reply.request_id.empty() ? "req_" + ids
                                               : result.reply.request_id);
    json.key("body");
    if (record.responses) {
      write_response(json, record, result, ids);
    } else {
      write_chat_completion(json, result, ids);
    }
    json.end_object();
  }
  write_error(json, result.has_reply() ? std::nullopt : result.error,
              options.extras);
  if (options.extras) write_extras(json, record, result, options);
  json.end_object();
}

}  // namespace

Result unasked(const Record& record) {
  Result result;
  result.error =
      ResultError{record.error->code, record.error->message, false, 0, ""};
  result.cost = core::Money{0};
  return result;
}

std::string result_line(const Record& record, const Result& result,
                        const ResultOptions& options) {
  JsonWriter json;
  if (options.form.value_or(record.form) == Form::kOpenAi) {
    write_openai(json, record, result, options);
  } else {
    write_native(json, record, result, options);
  }
  return json.take();
}

// Quotes in texts are escaped, so that what is found was written above. The
// number's first place is the line's own: what users gave (`meta`, `input`)
// stands as it is, but behind it.
std::string moved_line(std::string line, const std::string& run_id,
                       int64_t from, int64_t to) {
  const bool openai = line.starts_with("{\"id\":\"batch_req_");
  const std::string before = openai ? "\"llmroute\":{\"line\":" : ",\"line\":";
  const std::string behind = openai ? "," : ",\"text\":";
  const std::string number = std::to_string(from);
  const size_t own = line.find(before + number + behind);
  if (own != std::string::npos) {
    line.replace(own + before.size(), number.size(), std::to_string(to));
  }
  if (!openai) return line;
  const auto replace = [&line](const std::string& old, const std::string& now) {
    for (size_t at = line.find(old); at != std::string::npos;
         at = line.find(old, at + now.size())) {
      line.replace(at, old.size(), now);
    }
  };
  for (const char end : {'"', '_'}) {
    replace(fmt::format("_{}_{}{}", run_id, from, end),
            fmt::format("_{}_{}{}", run_id, to, end));
  }
  replace(fmt::format("-{}_{}\"", run_id, from),
          fmt::format("-{}_{}\"", run_id, to));
  return line;
}

}  // namespace llmroute::batch
