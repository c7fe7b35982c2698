// A schema, a NUL byte and a text: whatever they are, checking ends, twice the
// same; what fits fits a schema that demands nothing more too.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using llmroute::core::JsonSchema;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  const std::string_view text =
      cut == std::string_view::npos ? "" : input.substr(cut + 1);
  const std::string schema(input.substr(0, cut));
  const auto parsed = JsonSchema::parse(schema);
  if (!parsed) {
    if (parsed.error().message.empty()) std::abort();
    return 0;
  }
  const auto first = parsed->check(text);
  const auto second = parsed->check(text);
  if (first.has_value() != second.has_value()) std::abort();
  if (!first && first.error().message != second.error().message) std::abort();
  // Its negation says the opposite, unless there is nothing to say.
  const auto negated = JsonSchema::parse("{\"not\":" + schema + "}");
  const bool is_json = JsonSchema::parse("true")->check(text).has_value();
  if (negated && is_json && schema.find('$') == std::string::npos) {
    const auto opposite = negated->check(text);
    const bool deep =
        (!first && first.error().message == "too deep to be checked") ||
        (!opposite && opposite.error().message == "too deep to be checked");
    if (!deep && opposite.has_value() == first.has_value()) std::abort();
  }
  return 0;
}
