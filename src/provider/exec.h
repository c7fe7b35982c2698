// Exec providers: any local command that reads a prompt on stdin and writes an
// answer on stdout.
//
// The command is an argument vector, never a shell's; the prompt goes to its
// stdin only. Its environment is PATH, HOME, USER, LANG, LC_*, TMPDIR, TZ and
// what the provider's pass_env names. Exit status 0 is a complete answer, 75 or
// one of retry_exit a transient failure, 126 and 127 a missing command,
// anything else a failure.
#pragma once

#include <string>

#include "provider/call.h"

namespace llmroute::provider {

CallResult exec_call(const Call& call, const TextSink& on_text);

// What the command reads: the system text, a blank line, the messages.
std::string exec_input(const core::Prompt& prompt);

// The command as JSON array and what it would read.
std::string describe_exec(const Call& call);

}  // namespace llmroute::provider
