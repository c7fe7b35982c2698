// The program: words and environment in, documents, messages and a status out.
#pragma once

namespace llmroute::cli {

// Runs the command the words name and returns the exit status. Ends the process
// by a signal where one interrupted it or the reader of stdout went away.
// REQUIRES: SIGPIPE is ignored and descriptors 0 to 2 are open.
int run_program(int argc, char** argv);

}  // namespace llmroute::cli
