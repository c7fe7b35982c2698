#include "batch/openai_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "batch/record_fields.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;

// Of an object that is sent on: what reads it later bounds its depth.
constexpr int kMostLevels = 48;

Fault refused_unless_absent(const JsonNode& node, Record&) {
  if (is_absent(node)) return std::nullopt;
  return unsupported(fmt::format("'{}' is not supported", node.key));
}

Fault read_n(const JsonNode& node, Record&) {
  if (node.whole_number() == 1) return std::nullopt;
  return unsupported("'n' other than 1 is not supported");
}

Fault read_top_logprobs(const JsonNode& node, Record&) {
  if (node.whole_number() == 0) return std::nullopt;
  return unsupported("'top_logprobs' is not supported");
}

Fault read_modalities(const JsonNode& node, Record&) {
  for (const JsonNode& item : node.children()) {
    if (item.text != "text") {
      return unsupported(
          fmt::format("the modality {} is not supported", item.raw));
    }
  }
  return std::nullopt;
}

Fault send_on(const JsonNode& node, Record& record) {
  if (is_refused(node.key)) return refused_field(node.key);
  if (node.is(Kind::kArray) || node.levels > kMostLevels) {
    return unsupported(fmt::format("'{}' is not supported", node.key));
  }
  record.prompt.parameters.extra.emplace_back(node.key, node.raw);
  return std::nullopt;
}

Fault read_response_format(const JsonNode& node, Record& record) {
  return read_answer_form(node, node.find_value("json_schema"), record);
}

constexpr FieldRow kChatFields[] = {
    {"messages", passed_over},  // read after the others
    {"model", read_model},
    {"max_tokens", read_max_tokens},
    {"max_completion_tokens", read_max_tokens},
    {"temperature", read_temperature},
    {"stop", read_stop},
    {"seed", read_seed},
    {"stream", passed_over},
    {"stream_options", passed_over},
    {"n", read_n},
    {"modalities", read_modalities},
    {"top_logprobs", read_top_logprobs},
    {"logprobs", refused_unless_absent},
    {"tools", read_tools},
    {"tool_choice", read_tool_choice},
    {"parallel_tool_calls", read_parallel},
    {"response_format", read_response_format},
    {"functions", refused_unless_absent},
    {"function_call", refused_unless_absent},
    {"audio", refused_unless_absent},
};

Fault read_effort(const JsonNode& node, Record& record) {
  const JsonNode* effort = node.find_value("effort");
  for (const JsonNode& member : node.children()) {
    if (&member != effort && !is_absent(member)) {
      return unsupported(
          fmt::format("'reasoning.{}' is not supported", member.key));
    }
  }
  if (effort != nullptr) {
    record.prompt.parameters.extra.emplace_back("reasoning_effort",
                                                effort->raw);
  }
  return std::nullopt;
}

Fault read_text_settings(const JsonNode& node, Record& record) {
  for (const JsonNode& member : node.children()) {
    if (member.key == "verbosity") {
      record.prompt.parameters.extra.emplace_back("verbosity", member.raw);
    } else if (member.key == "format" && !member.is_null()) {
      LLMROUTE_FAULT(read_answer_form(member, &member, record));
    } else if (!is_absent(member)) {
      return unsupported(fmt::format("'text.{}' is not supported", member.key));
    }
  }
  return std::nullopt;
}

Fault read_truncation(const JsonNode& node, Record&) {
  if (node.text == "disabled") return std::nullopt;
  return unsupported(fmt::format("'truncation' {} is not supported", node.raw));
}

constexpr FieldRow kResponsesFields[] = {
    {"input", passed_over},         // read after the others
    {"instructions", passed_over},  // likewise
    {"model", read_model},
    {"max_output_tokens", read_max_tokens},
    {"temperature", read_temperature},
    {"stream", passed_over},
    {"stream_options", passed_over},
    {"store", passed_over},  // nothing is kept at the provider
    {"metadata", passed_over},
    {"reasoning", read_effort},
    {"text", read_text_settings},
    {"truncation", read_truncation},
    {"top_logprobs", read_top_logprobs},
    {"include", refused_unless_absent},
    {"tools", read_tools},
    {"tool_choice", read_tool_choice},
    {"parallel_tool_calls", read_parallel},
    {"background", refused_unless_absent},
    {"conversation", refused_unless_absent},
    {"context_management", refused_unless_absent},
    {"max_tool_calls", refused_unless_absent},
    {"previous_response_id", refused_unless_absent},
    {"prompt", refused_unless_absent},
};

Fault read_body_fields(const JsonNode& body, std::span<const FieldRow> rows,
                       Record& record) {
  for (const JsonNode& member : body.children()) {
    if (member.is_null()) continue;
    const auto row = std::find_if(
        rows.begin(), rows.end(),
        [&member](const FieldRow& one) { return one.name == member.key; });
    LLMROUTE_FAULT((row == rows.end() ? send_on : row->read)(member, record));
  }
  return check_tool_choice(record);
}

RecordError missing(std::string_view field) {
  return {"missing_field", fmt::format("no '{}'", field)};
}

Fault read_chat(const JsonNode& body, Record& record) {
  LLMROUTE_FAULT(read_body_fields(body, kChatFields, record));
  const JsonNode* messages = body.find_value("messages");
  if (messages == nullptr) return missing("body.messages");
  return read_messages(*messages, "messages", record.prompt);
}

Fault read_responses(const JsonNode& body, Record& record) {
  LLMROUTE_FAULT(read_body_fields(body, kResponsesFields, record));
  if (const JsonNode* text = body.find_value("instructions")) {
    LLMROUTE_FAULT(read_text(*text, "instructions", record.prompt.system));
  }
  const JsonNode* input = body.find_value("input");
  if (input == nullptr) return missing("body.input");
  if (!input->is(Kind::kString)) {
    return read_messages(*input, "input", record.prompt);
  }
  std::string text;
  LLMROUTE_FAULT(read_text(*input, "input", text));
  return set_prompt(std::move(text), record.prompt);
}

constexpr FieldRow kFields[] = {
    {"custom_id", passed_over},  // read before the others
    {"method", passed_over},    {"url", passed_over},
    {"body", passed_over},      {"meta", read_meta},
};

}  // namespace

Fault read_openai(const JsonNode& root, bool ignore_unknown, Record& record) {
  const std::string_view url = root.text_of("url");
  record.responses = url == "/v1/responses";
  LLMROUTE_FAULT(read_fields(root, kFields, ignore_unknown, record));
  if (root.find_value("custom_id") == nullptr) return missing("custom_id");
  if (root.find_value("url") == nullptr) {
    return RecordError{"missing_field",
                       "no 'url': \"/v1/chat/completions\" or "
                       "\"/v1/responses\""};
  }
  if (!record.responses && url != "/v1/chat/completions") {
    return RecordError{"bad_url",
                       fmt::format("the url {} is neither /v1/chat/completions "
                                   "nor /v1/responses",
                                   root.find_value("url")->raw)};
  }
  const JsonNode* method = root.find_value("method");
  if (method != nullptr && method->text != "POST") {
    return bad_value(fmt::format("the method {} is not POST", method->raw));
  }
  const JsonNode* body = root.find_value("body");
  if (body == nullptr || !body->is(Kind::kObject)) return missing("body");
  return record.responses ? read_responses(*body, record)
                          : read_chat(*body, record);
}

}  // namespace llmroute::batch
