#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <variant>

#include "base/text.h"
#include "stub/script.h"

namespace llmroute::stub {
namespace {

using simdjson::dom::element;
using Strings = std::optional<std::vector<std::string>>;
using Custom = bool (*)(Rule&, element);
using Place =
    std::variant<int64_t Reply::*, bool Reply::*, double Reply::*,
                 std::optional<std::string> Reply::*, Strings Reply::*,
                 std::optional<bool> Reply::*, std::optional<bool> Rule::*,
                 int64_t Rule::*, double Rule::*,
                 std::optional<std::string> Rule::*, Custom>;

struct Key {
  std::string_view name;
  Place place;
  int64_t implied = 0;  // of a number given as `true`, or as a bare mode
};

bool read(int64_t& into, element value) { return !value.get(into); }
bool read(bool& into, element value) { return !value.get(into); }
bool read(double& into, element value) { return !value.get(into); }

bool read(std::string& into, element value) {
  std::string_view text;
  if (!value.get(text)) {
    into = text;
    return true;
  }
  if (value.is<simdjson::dom::object>() || value.is<simdjson::dom::array>()) {
    return false;
  }
  into = simdjson::to_string(value);
  return true;
}

bool read(std::vector<std::string>& into, element value) {
  simdjson::dom::array items;
  if (value.get(items)) return false;
  return std::all_of(items.begin(), items.end(), [&](element item) {
    return read(into.emplace_back(), item);
  });
}

template <class T>
bool read(std::optional<T>& into, element value) {
  return read(into.emplace(), value);
}

bool set_headers(Rule& rule, element value) {
  simdjson::dom::object fields;
  if (value.get(fields)) return false;
  for (const auto& [name, content] : fields) {
    rule.reply.dropped_headers.emplace_back(name);
    std::vector<std::string> values;
    if (content.is_null()) continue;
    if (!read(values, content) && !read(values.emplace_back(), content)) {
      return false;
    }
    for (const std::string& one : values) {
      rule.reply.headers.emplace_back(name, one);
    }
  }
  return true;
}

bool set_interim(Rule& rule, element value) {
  simdjson::dom::array items;
  if (value.get(items)) return false;
  return std::all_of(items.begin(), items.end(), [&](element item) {
    return read(rule.reply.interim.emplace_back(), item);
  });
}

bool set_framing(Rule& rule, element value) {
  std::string name;
  if (!read(name, value)) return false;
  if (name == "length") rule.reply.framing = Framing::kLength;
  if (name == "chunked") rule.reply.framing = Framing::kChunked;
  if (name == "close") rule.reply.framing = Framing::kClose;
  return rule.reply.framing.has_value();
}

bool set_raw_bytes(Rule& rule, element value) {
  simdjson::dom::array items;
  if (value.get(items)) return false;
  std::string& raw = rule.reply.raw.emplace();
  return std::all_of(items.begin(), items.end(), [&](element item) {
    int64_t byte = 0;
    if (!read(byte, item) || byte < 0 || byte > 255) return false;
    raw += static_cast<char>(byte);
    return true;
  });
}

bool set_chunk(Rule& rule, element value) {
  std::string word;
  if (value.is<std::string_view>()) {
    rule.reply.chunk = 0;
    return read(word, value) && word == "random";
  }
  return read(rule.reply.chunk, value) && rule.reply.chunk >= 0;
}

// {"input":..,"output":..} in our own words; any other value is sent as it is.
bool set_usage(Rule& rule, element value) {
  simdjson::dom::object fields;
  if (value.get(fields)) return read(rule.reply.usage_text, value);
  Usage usage;
  bool ours = true;
  for (const auto& [name, number] : fields) {
    int64_t* const into = name == "input"       ? &usage.input
                          : name == "cached"    ? &usage.cached
                          : name == "output"    ? &usage.output
                          : name == "reasoning" ? &usage.reasoning
                                                : nullptr;
    ours = ours && into != nullptr && read(*into, number);
  }
  if (ours) {
    rule.reply.usage = usage;
  } else {
    rule.reply.usage_text = simdjson::to_string(value);
  }
  return true;
}

bool set_error(Rule& rule, element value) {
  ErrorText& error = rule.reply.error;
  simdjson::dom::object fields;
  if (value.get(fields)) return read(error.message, value);
  for (const auto& [name, content] : fields) {
    std::string* const into = name == "message" ? &error.message
                              : name == "type"  ? &error.type
                              : name == "code"  ? &error.code
                                                : nullptr;
    const bool known = into != nullptr
                           ? read(*into, content)
                           : name == "status" && read(error.status, content);
    if (!known) return false;
  }
  return true;
}

bool set_tool_calls(Rule& rule, element value) {
  simdjson::dom::array items;
  if (value.get(items)) return false;
  return std::all_of(items.begin(), items.end(), [&](element item) {
    ToolCall& call = rule.reply.tool_calls.emplace_back();
    call.id = fmt::format("call_{}", rule.reply.tool_calls.size());
    element id, name, arguments;
    if (!item["id"].get(id) && !read(call.id, id)) return false;
    if (item["arguments"].get(arguments) || item["name"].get(name)) {
      return false;
    }
    if (!read(call.arguments, arguments)) {
      call.arguments = simdjson::to_string(arguments);
    }
    return read(call.name, name);
  });
}

constexpr int64_t kMany = 1'000'000;
constexpr int64_t kMiB = 1 << 20;

const Key kKeys[] = {
    {"method", &Rule::method},
    {"path", &Rule::path},
    {"model", &Rule::model},
    {"header", &Rule::header},
    {"body", &Rule::body},
    {"stream", &Rule::stream},
    {"nth", &Rule::nth},
    {"times", &Rule::times, 1},
    {"chance", &Rule::chance},
    {"dialect", &Reply::dialect},
    {"text", &Reply::text},
    {"chunks", &Reply::chunks},
    {"chunks_raw", &Reply::chunks_raw},
    {"frames", &Reply::frames},
    {"raw", &Reply::raw},
    {"raw_bytes", set_raw_bytes},
    {"words", &Reply::words, 100},
    {"reasoning", &Reply::reasoning},
    {"tool_calls", set_tool_calls},
    {"finish", &Reply::finish},
    {"served", &Reply::served},
    {"usage", set_usage},
    {"usage_raw", &Reply::usage_text},
    {"error", set_error},
    {"force_stream", &Reply::stream, 1},
    {"wrong_type", &Reply::wrong_type},
    {"wrong_id", &Reply::wrong_id, 1},
    {"echo_auth", &Reply::echo_auth, 1},
    {"status", &Reply::status, 500},
    {"headers", set_headers},
    {"raw_head", &Reply::raw_head},
    {"redirect", &Reply::redirect},
    {"retry_after", &Reply::retry_after},
    {"retry_after_ms", &Reply::retry_after_ms},
    {"content_type", &Reply::content_type},
    {"encoded", &Reply::encoded},
    {"version", &Reply::version},
    {"framing", set_framing},
    {"interim", set_interim},
    {"huge_header", &Reply::huge_header, kMiB},
    {"many_headers", &Reply::many_headers, 10'000},
    {"length_long", &Reply::length_long, 10},
    {"length_short", &Reply::length_short, 10},
    {"both_lengths", &Reply::both_lengths, 1},
    {"at", &Reply::at},
    {"error_event_after", &Reply::error_event_after, 1},
    {"bad_json", &Reply::bad_json, 1},
    {"deep_json", &Reply::deep_json, kMany},
    {"bad_utf8", &Reply::bad_utf8, 1},
    {"nul", &Reply::nul, 1},
    {"huge_line", &Reply::huge_line, 100 * kMiB},
    {"endless", &Reply::endless, 1024 * kMiB},
    {"comments_only", &Reply::comments_only, 100},
    {"no_terminal", &Reply::no_terminal, 1},
    {"no_finish", &Reply::no_finish, 1},
    {"no_done", &Reply::no_done, 1},
    {"dup_start", &Reply::dup_start, 1},
    {"dup_terminal", &Reply::dup_terminal, 1},
    {"unknown_events", &Reply::unknown_events, 1},
    {"bom", &Reply::bom, 1},
    {"eol", &Reply::eol},
    {"bad_chunk", &Reply::bad_chunk},
    {"delay_headers_ms", &Reply::delay_headers_ms, 100},
    {"delay_first_ms", &Reply::delay_first_ms, 100},
    {"delay_chunk_ms", &Reply::delay_chunk_ms, 100},
    {"delay_noise", &Reply::delay_noise},
    {"trickle", &Reply::trickle, 50},
    {"trickle_header", &Reply::trickle_header, 5000},
    {"hang_accept", &Reply::hang_accept, 1},
    {"hang_header", &Reply::hang_header, 1},
    {"hang_after", &Reply::hang_after, 0},
    {"after_terminal_hang", &Reply::after_terminal_hang, 1},
    {"chunk", set_chunk, 1},
    {"seed", &Reply::seed},
    {"cut_accept", &Reply::cut_accept, 1},
    {"cut_header", &Reply::cut_header, 0},
    {"cut_after", &Reply::cut_after, 0},
    {"end_after", &Reply::end_after, 0},
    {"rst_accept", &Reply::rst_accept, 1},
    {"rst_after", &Reply::rst_after, 0},
    {"tls_cut", &Reply::tls_cut, 1},
    {"close_idle", &Reply::close_idle, 0},
};

bool is_true(element value) {
  bool flag = false;
  return !value.get(flag) && flag;
}

bool set(const Key& key, Rule& rule, element value) {
  if (auto* custom = std::get_if<Custom>(&key.place)) {
    return (*custom)(rule, value);
  }
  if (auto* number = std::get_if<int64_t Reply::*>(&key.place);
      number != nullptr && is_true(value)) {
    rule.reply.** number = key.implied;
    return true;
  }
  return std::visit(
      [&](auto place) {
        if constexpr (std::is_same_v<decltype(place), Custom>) {
          return false;
        } else if constexpr (requires { rule.*place; }) {
          return read(rule.*place, value);
        } else {
          return read(rule.reply.*place, value);
        }
      },
      key.place);
}

base::Error bad_script(int line, std::string message) {
  return {base::ErrorKind::kUsage,
          fmt::format("script line {}: {}", line, message)};
}

base::Status set_named(Rule& rule, std::string_view name, element value) {
  for (const Key& key : kKeys) {
    if (key.name != name) continue;
    if (set(key, rule, value)) return {};
    return bad_script(rule.line, fmt::format("bad value of '{}'", name));
  }
  return bad_script(rule.line, fmt::format("unknown key '{}'", name));
}

// {"mode":"cut-after","n":20} is {"cut_after":20}.
base::Status set_mode(Rule& rule, std::string_view mode, element value) {
  if (mode == "ok") return {};
  std::string name(mode);
  std::replace(name.begin(), name.end(), '-', '_');
  return set_named(rule, name == "model" ? "served" : name, value);
}

}  // namespace

base::Result<Rule> parse_rule(std::string_view json, int line) {
  simdjson::dom::parser parser;
  simdjson::dom::object fields;
  if (parser.parse(std::string(json)).get(fields)) {
    return bad_script(line, "not a JSON object");
  }
  Rule rule;
  rule.line = line;
  simdjson::dom::parser implied_parser;
  element implied = implied_parser.parse(std::string("true"));
  for (const auto& [name, value] : fields) {
    if (name == "mode" || name == "n" || name == "note") continue;
    LLMROUTE_CHECK(set_named(rule, name, value));
  }
  std::string_view mode;
  if (!fields["mode"].get(mode)) {
    element count;
    const bool bare = fields["n"].get(count) != simdjson::SUCCESS;
    LLMROUTE_CHECK(set_mode(rule, mode, bare ? implied : count));
  }
  return rule;
}

}  // namespace llmroute::stub
