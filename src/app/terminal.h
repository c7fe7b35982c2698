// The terminal that stdout is: how wide, and what suits it. Colour is put on
// after outside text has been made visible; the answer is never coloured.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "app/options.h"

namespace llmroute::app {

bool stdout_is_terminal();

// How wide the terminal `fd` is; nothing: it is none, or it does not say.
std::optional<size_t> screen_columns(int fd);

// Lines that are too long for stdout's continued under their text, of which
// `label` columns stand before it; `text` as it is where stdout is no terminal.
std::string fitted_to_screen(const std::string& text, size_t label);

// Whether stdout gets colour: as asked for, else if it is a terminal.
bool colors_stdout(const MessageOptions& options);

// The first word of each line that does not begin with a blank in bold.
std::string with_bold_labels(const std::string& text);

}  // namespace llmroute::app
