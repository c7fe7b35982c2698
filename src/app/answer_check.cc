#include "app/answer_check.h"

#include <fmt/format.h>

#include "core/model.h"
#include "core/prompt.h"

namespace llmroute::app {

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
  if (failure == nullptr) return {true, {}};
  const bool missing = failure->kind == core::FailureClass::kGone;
  return {false,
          {missing ? base::ErrorKind::kUnavailable : base::ErrorKind::kNegative,
           fmt::format("--check '{}': {}", command, failure->message)}};
}

}  // namespace llmroute::app
