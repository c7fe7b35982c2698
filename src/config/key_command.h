// Runs the command that prints a key.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace llmroute::config {

inline constexpr std::chrono::seconds kKeyCommandTime{10};

// stdout of the command: argv without a shell, nothing on stdin, default
// signal handling, a session of its own, stderr ours. Anything but exit 0
// within `limit` is kNoPermission, no descriptors kOs. What is left of the
// session's group is killed. At most 64 KiB are read. REQUIRES: `command` is
// not empty.
base::Result<std::string> run_key_command(
    const std::vector<std::string>& command,
    std::chrono::milliseconds limit = kKeyCommandTime);

}  // namespace llmroute::config
