// Colour for people, put on after outside text has been made visible. The
// answer is never coloured.
#pragma once

#include <string>

#include "app/options.h"

namespace llmroute::app {

// Whether stdout gets colour: as asked for, else if it is a terminal.
bool colors_stdout(const MessageOptions& options);

// The first word of each line that does not begin with a blank in bold.
std::string with_bold_labels(const std::string& text);

}  // namespace llmroute::app
