// Money in documents: exact decimal dollars, null where it is not known.
#pragma once

#include <optional>
#include <string_view>

#include "base/json_writer.h"
#include "core/money.h"

namespace llmroute::core {

inline void write_usd(base::JsonWriter& json, std::string_view key,
                      const std::optional<Money>& money) {
  json.key(key);
  money ? json.raw(format_usd(*money)) : json.null();
}

}  // namespace llmroute::core
