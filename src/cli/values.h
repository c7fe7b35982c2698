// Values of options: each function checks a word and records it. Errors say
// what was expected; the caller puts the name and the value in front.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/money.h"

namespace llmroute::cli {

base::Error expected(std::string_view what);

// Not empty.
base::Status set_text(std::optional<std::string>& target,
                      std::string_view value);
base::Status add_text(std::vector<std::string>& target, std::string_view value);
// "a,b": no empty part. Replaces what is there.
base::Status set_list(std::vector<std::string>& target, std::string_view value);
base::Status add_list(std::vector<std::string>& target, std::string_view value);

// A duration above zero.
base::Status set_duration(std::optional<std::chrono::milliseconds>& target,
                          std::string_view value);
// Decimal dollars.
base::Status set_usd(std::optional<double>& target, std::string_view value);
base::Status set_usd(std::optional<core::Money>& target,
                     std::string_view value);

base::Result<int64_t> whole_number(std::string_view value, int64_t low,
                                   int64_t high);
base::Result<double> number(std::string_view value, double low, double high);

// "K=V" with K not empty.
base::Result<std::pair<std::string, std::string>> key_value(
    std::string_view value);
// "k=v,k2=v2".
base::Status add_tags(std::map<std::string, std::string>& target,
                      std::string_view value);

}  // namespace llmroute::cli
