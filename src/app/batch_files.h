// The files of a batch, told apart whatever they are called.
#pragma once

#include <span>
#include <string>

#include "app/options.h"
#include "base/result.h"
#include "batch/input_lines.h"

namespace llmroute::app {

inline constexpr char kStdout[] = "-";  // as a file's name

// Writing to a file that is read would never end, or lose the input:
// kCannotCreate. Nor may two outputs be one file: kUsage.
base::Status check_outputs(std::span<const batch::FileIdentity> inputs,
                           const BatchOutputOptions& output);

// --split: no input is among the files of DIR that it may replace.
base::Status check_split(std::span<const batch::FileIdentity> inputs,
                         const std::string& directory);
// --collect: no output is among the files of DIR that it reads, now or when
// the same is done again.
base::Status check_collect(const std::string& directory,
                           const BatchOutputOptions& output);

}  // namespace llmroute::app
