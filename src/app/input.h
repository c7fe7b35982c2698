// Arguments, files, stdin -> Prompt.
#pragma once

#include <string>

#include "app/messages.h"
#include "app/options.h"
#include "base/result.h"
#include "core/prompt.h"

namespace llmroute::app {

inline constexpr size_t kMostInput = size_t{64}
                                     << 20;  // bytes of stdin or a file

// Context (stdin, files) comes first, then one blank line, then the
// instruction; without an instruction the context is the prompt. Blank:
// kNoInput. A schema or a list of tools that is none: kData. Invalid UTF-8 or
// NUL without --lossy: kData with the byte offset. Nothing given and stdin is a
// terminal: kUsage.
base::Result<core::Prompt> read_prompt(const InputOptions& input,
                                       const RequestOptions& request,
                                       const Messages& messages);

// What --schema and --tools name. One that is none: kData.
base::Status read_schema_and_tools(const RequestOptions& request,
                                   core::Parameters& parameters);

// The prompt with the user's last message put into `prompt_template` at
// "{input}", once and literally.
core::Prompt apply_template(core::Prompt prompt,
                            const std::string& prompt_template);

}  // namespace llmroute::app
