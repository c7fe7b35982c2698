#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "core/json_schema_nodes.h"

namespace llmroute::core {
namespace {

using base::Json;

bool is_plain_integer(std::string_view digits) {
  return digits.find_first_of(".eE") == std::string_view::npos;
}

void append_canonical(const Json& value, base::JsonWriter& json);

void append_number(const Json& value, base::JsonWriter& json) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const std::string_view digits = value.digits();
  if (is_plain_integer(digits)) {
    json.raw(digits == "-0" ? "0" : digits);
    return;
  }
  const auto number = base::parse_double(digits);
  if (!number) {
    json.raw(digits);
  } else if (*number == std::floor(*number) && std::abs(*number) < kExact) {
    json.value(static_cast<int64_t>(*number));
  } else {
    json.value(*number);
  }
}

void append_object(const Json& value, base::JsonWriter& json) {
  const std::vector<std::string>& names = value.names();
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&names](size_t a, size_t b) {
    return names[a] < names[b];
  });
  json.begin_object();
  for (size_t i = 0; i < order.size(); ++i) {
    const bool last =
        i + 1 == order.size() || names[order[i]] != names[order[i + 1]];
    if (!last) continue;
    json.key(names[order[i]]);
    append_canonical(value.items()[order[i]], json);
  }
  json.end_object();
}

void append_canonical(const Json& value, base::JsonWriter& json) {
  if (value.kind() == Json::Kind::kNumber) return append_number(value, json);
  if (value.is_object()) return append_object(value, json);
  if (!value.is_array()) return base::write_json(json, value);
  json.begin_array();
  for (const Json& item : value.items()) append_canonical(item, json);
  json.end_array();
}

}  // namespace

std::string canonical_json(const Json& value) {
  base::JsonWriter json;
  append_canonical(value, json);
  return json.take();
}

double schema_number(const Json& number) {
  const std::string_view digits = number.digits();
  if (const auto value = base::parse_double(digits)) return *value;
  if (digits.find("e-") != std::string_view::npos ||
      digits.find("E-") != std::string_view::npos) {
    return 0;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return digits.starts_with('-') ? -kInfinity : kInfinity;
}

// RFC 3339, 5321 and 1123, 4122, 3986, as far as a pattern goes: whether a day
// exists in its month is not looked at.
std::string_view format_pattern(std::string_view name) {
#define LLMROUTE_DATE R"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
#define LLMROUTE_OCTET R"((?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))"
#define LLMROUTE_TIME                                     \
  R"((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?)" \
  R"((?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))"
  constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
      {"date", LLMROUTE_DATE},
      {"time", LLMROUTE_TIME},
      {"date-time", LLMROUTE_DATE "[Tt ]" LLMROUTE_TIME},
      {"email", R"([^\s@"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"},
      {"uuid", "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"},
      {"uri", R"([A-Za-z][A-Za-z0-9+.-]*:[^\s"<>\\^`{|}]*)"},
      {"ipv4", "(?:" LLMROUTE_OCTET "\\.){3}" LLMROUTE_OCTET},
      {"hostname", R"([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
                   R"((?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)"}};
#undef LLMROUTE_DATE
#undef LLMROUTE_TIME
#undef LLMROUTE_OCTET
  const auto* const found =
      std::find_if(std::begin(kFormats), std::end(kFormats),
                   [name](const auto& row) { return row.first == name; });
  return found == std::end(kFormats) ? std::string_view() : found->second;
}

}  // namespace llmroute::core
