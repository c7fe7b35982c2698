// Values -> TOML text. Every function returns "" for what is not set: an empty
// string or list, or no value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "core/model.h"

namespace llmroute::config {

// A basic string with its quotes; always, also if empty.
std::string quoted(std::string_view text);

// A bare key where TOML allows it, else quoted.
std::string key_text(std::string_view key);

std::string toml_text(const std::string& text);
std::string toml_text(bool flag);
std::string toml_text(double number);
std::string toml_text(int64_t number);
std::string toml_text(const std::vector<std::string>& texts);
std::string toml_text(const std::vector<int>& numbers);
std::string toml_text(std::chrono::milliseconds time);
std::string toml_text(const std::vector<core::PriceTier>& tiers);
template <class T>
std::string toml_text(const std::optional<T>& maybe) {
  return maybe ? toml_text(*maybe) : std::string();
}

// USD per million tokens of a price per token; exact.
std::string usd_per_million(core::Money per_token);
std::string toml_text(const std::optional<core::Money>& per_token) = delete;

// A value as it stands in a document.
std::string toml_text(const Node& node);

}  // namespace llmroute::config
