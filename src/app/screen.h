// The terminal that stdout is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace llmroute::app {

// How wide it is; nothing: stdout is none, or it does not say.
std::optional<size_t> screen_columns();

// Lines that are too long for it continued under their text, of which `label`
// columns stand before it; `text` as it is where stdout is no terminal.
std::string fitted_to_screen(const std::string& text, size_t label);

}  // namespace llmroute::app
