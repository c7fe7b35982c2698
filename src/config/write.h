// The configuration in effect, as settings and as a document.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace llmroute::config {

// Every setting there could be, in the order of the document: its path
// ("models.\"gpt-5.2\".price.input"), its value as TOML ("" if it is not set)
// and where it comes from: "file:line", a variable, "built-in", or "default"
// where nobody said anything. Header values that may be keys are
// "\"(hidden)\"".
std::vector<core::ConfigValue> settings(const core::Config& config);

// The same as a TOML document that reads back to the same configuration;
// what is default is left out of long sections, hidden values are comments.
// `origins`: each line ends with where its value comes from.
std::string toml_document(const core::Config& config, bool origins);

// The part of it that decides routing, without what is as the registry says and
// without anything that could be secret.
std::string routing_document(const core::Config& config);

// A value for a script: a string without its quotes and escapes, anything else
// as it is.
std::string plain_text(const std::string& toml_value);

}  // namespace llmroute::config
