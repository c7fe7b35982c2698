#include "provider/parameter_memory.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace llmroute::provider {
namespace {

constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kMaxCompletionTokens = "max_completion_tokens";

struct Memory {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, RefusedParameters> models;
};

Memory& memory() {
  static Memory memory;
  return memory;
}

std::pair<std::string, std::string> key_of(const Call& call) {
  return {call.provider.name, call.model.id};
}

bool is_ours(const Call& call, const std::string& name) {
  constexpr std::array<std::string_view, 5> kNames = {
      kMaxTokens, kMaxCompletionTokens, "temperature", "stop",
      "stream_options"};
  const auto& extra = call.prompt.parameters.extra;
  const bool verbatim =
      std::any_of(extra.begin(), extra.end(),
                  [&name](const auto& pair) { return pair.first == name; });
  const bool known =
      std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  return !verbatim && (known || name == call.provider.seed_field);
}

}  // namespace

std::string RefusedParameters::renamed(const std::string& field) const {
  if (!dropped(field)) return field;
  const std::string_view other =
      field == kMaxTokens ? kMaxCompletionTokens : kMaxTokens;
  return std::string(other);
}

RefusedParameters refused_parameters(const Call& call) {
  Memory& known = memory();
  const std::lock_guard lock(known.mutex);
  const auto found = known.models.find(key_of(call));
  return found == known.models.end() ? RefusedParameters() : found->second;
}

bool remember_refused(const Call& call, const std::string& name) {
  if (!is_ours(call, name)) return false;
  Memory& known = memory();
  const std::lock_guard lock(known.mutex);
  known.models[key_of(call)].add(name);
  return true;
}

}  // namespace llmroute::provider
