#include "app/answer_check.h"

#include <fmt/format.h>

#include "app/whole_answer.h"
#include "base/fence.h"
#include "core/model.h"
#include "core/prompt.h"
#include "core/tool_list.h"

namespace llmroute::app {
base::Status fits_schema(const core::JsonSchema& schema,
                         const core::Reply& reply, bool extract) {
  if (!reply.tool_calls.empty()) return {};
  std::string text = reply.text;
  if (extract) {
    base::FenceFilter fence;
    text = fence.feed(reply.text) + fence.finish();
  }
  const base::Status checked = schema.check(text);
  if (checked) return {};
  return base::with_context("the answer does not fit the schema",
                            checked.error());
}

base::Status fits_schema(const std::string& schema, const core::Reply& reply) {
  LLMROUTE_TRY(const core::JsonSchema parsed, core::JsonSchema::parse(schema));
  return fits_schema(parsed, reply, false);
}

Check answer_check(const RunOptions& options,
                   const std::optional<core::JsonSchema>& schema,
                   const core::Limits& limits, provider::Cancel cancel) {
  const std::optional<std::string>& command = options.output.check;
  if (!command && !schema) return {};
  return [&options, &limits, &command, &schema, cancel](
             const core::Reply& reply, const core::Candidate& by) {
    const std::optional<bool> bad =
        command ? std::optional(false) : std::nullopt;
    const base::Status whole = whole_answer(
        reply, by, options.request.max_tokens, options.output.fail_on);
    if (!whole) return Verdict{false, whole.error(), false, bad};
    const base::Status fit =
        schema ? fits_schema(*schema, reply, options.output.extract)
               : base::Status();
    if (!fit) return Verdict{false, fit.error(), false, bad};
    if (!command) return Verdict{true, {}, false, {}};
    return check_answer(*command, answer_text(reply), limits, cancel);
  };
}

std::string answer_text(const core::Reply& reply) {
  std::string text = reply.text;
  for (const core::ToolCall& call : reply.tool_calls) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += core::tool_call_json(call) + "\n";
  }
  return text;
}

namespace {

// "/bin/sh ended with status 3: its last words" without the shell.
std::string check_failed(const std::string& command,
                         const core::Failure& failure) {
  const size_t status = failure.message.find("status ");
  if (!failure.cause.starts_with("exit ") || status == std::string::npos) {
    return fmt::format("--check '{}': {}", command, failure.message);
  }
  return fmt::format("--check '{}' rejected the answer ({})", command,
                     failure.message.substr(status));
}

}  // namespace

Verdict check_answer(const std::string& command, const std::string& answer,
                     const core::Limits& limits,
                     const provider::Cancel& cancel) {
  core::Provider shell;
  shell.name = "--check";
  shell.protocol = core::Protocol::kExec;
  shell.command = {"/bin/sh", "-c", command};
  core::Model model;
  model.provider = shell.name;
  core::Prompt prompt;
  prompt.messages.push_back({core::Role::kUser, answer});
  const auto ended = provider::call(
      {shell,
       model,
       prompt,
       "",
       0,
       true,
       {limits.connect, limits.total, limits.total, limits.total},
       cancel},
      [](std::string_view) { return true; });
  const auto* failure = std::get_if<core::Failure>(&ended);
  if (failure == nullptr) return {true, {}, false, true};
  const bool missing = failure->kind == core::FailureClass::kGone;
  return {false,
          missing ? base::Error{base::ErrorKind::kUnavailable,
                                fmt::format("--check '{}': {}", command,
                                            failure->message)}
                  : base::Error{base::ErrorKind::kNegative,
                                check_failed(command, *failure)},
          missing, missing ? std::nullopt : std::optional(false)};
}

}  // namespace llmroute::app
