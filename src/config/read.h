// TOML 1.0 text -> tree. The only part that knows the TOML library.
//
// The text is scanned before the library sees it: at most 1 MiB, lines of at
// most 64 KiB, nesting of at most 64 and dotted keys of at most 32 parts, valid
// UTF-8, ASCII outside strings and comments. The library recurses, and its
// assertions end the process on some malformed documents; within these limits
// it needs little stack, and its assertions are made to throw and are caught
// here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/document.h"

namespace llmroute::config {

inline constexpr size_t kMaxFile = size_t{1} << 20;
inline constexpr size_t kMaxLine = size_t{64} << 10;
inline constexpr size_t kMaxNesting = 64;
inline constexpr size_t kMaxKeyParts = 32;

// The top-level table. `file` names the source in messages. Errors: kConfig
// with "FILE:LINE:COLUMN: what".
base::Result<Node> read_toml(std::string_view text, const std::string& file);

}  // namespace llmroute::config
