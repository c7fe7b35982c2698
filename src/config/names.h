// What names, variables, headers and templates of a configuration may look
// like. Each function returns what is wrong, for a message, or nothing. Values
// are not quoted in the answers: a key pasted into the wrong place must not be
// printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmroute::config {

using Complaint = std::optional<std::string>;

// Names of models, providers, routes, tiers, profiles: what -m and others take.
Complaint name_complaint(std::string_view name);

// Names of rules: any printable text.
Complaint label_complaint(std::string_view label);

// Tags: a name without a comma or blank.
Complaint tag_complaint(std::string_view tag);

Complaint variable_complaint(std::string_view name);

// A header and its value; refuses what the HTTP layer sets itself.
Complaint header_complaint(std::string_view name, std::string_view value);

// A header's name alone.
Complaint header_name_complaint(std::string_view name);

// A prompt template holds "{input}" exactly once.
Complaint template_complaint(std::string_view text);

// "YYYY-MM-DD" or "YYYY-MM".
Complaint date_complaint(std::string_view text);

bool is_glob(std::string_view text);

}  // namespace llmroute::config
