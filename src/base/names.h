// Help with names that nobody knows.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llmroute::base {

// " (did you mean 'y'?)" where one of them is near, else empty.
std::string did_you_mean(std::string_view name,
                         std::span<const std::string> known);

// To follow "unknown profile 'x'": " (did you mean 'y'?)", or " (known: y, z)"
// where nothing is near and there are few; else empty.
std::string name_help(std::string_view name,
                      std::span<const std::string> known);

// The name as a message shows it: cut to a readable length, between characters.
std::string shown_name(std::string_view name);

}  // namespace llmroute::base
