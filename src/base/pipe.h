// A pipe whose ends are owned.
#pragma once

#include "base/files.h"

namespace llmroute::base {

struct Pipe {
  Descriptor read, write;
};

// Both ends are closed in programs that are started. On failure the errno, else
// 0.
int open_pipe(Pipe& pipe);

}  // namespace llmroute::base
