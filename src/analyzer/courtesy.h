// Politeness around a prompt: what greets, thanks or asks for help with what
// follows says nothing of the task, so it is not looked at.
#pragma once

#include <string_view>

namespace llmroute::analyzer {

// `prompt` without the clauses at its beginning and the sentences at its end
// that hold nothing but courtesies ("Hi there! Could you please help me with
// the following?", "Thanks in advance!") and without rules and headings that
// only say "task". English only. All of it where little else would be left: a
// greeting alone is a prompt.
std::string_view without_courtesy(std::string_view prompt);

}  // namespace llmroute::analyzer
