#include "stub/offline_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace llmroute::stub {
namespace {

constexpr size_t kQuotedWords = 8;
constexpr size_t kQuotedBytes = 60;
constexpr const char* kKeyHeaders[] = {"authorization", "x-api-key",
                                       "x-goog-api-key", "api-key"};

// At most `limit` bytes, never half a character.
std::string_view clip(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 &&
         (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) {
    --limit;
  }
  return text.substr(0, limit);
}

// Every word with the blanks that follow it.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t blank = text.find_first_of(" \n\t");
    const size_t next = text.find_first_not_of(" \n\t", blank);
    words.push_back(text.substr(0, next));
    text.remove_prefix(std::min(next, text.size()));
  }
  return words;
}

std::string first_words(std::string_view prompt) {
  std::string quoted;
  size_t count = 0;
  for (std::string_view word : words_of(clip(prompt, kQuotedBytes))) {
    if (count++ == kQuotedWords) break;
    quoted += word;
  }
  std::replace(quoted.begin(), quoted.end(), '\n', ' ');
  while (quoted.ends_with(' ')) quoted.pop_back();
  return quoted.size() < prompt.size() ? quoted + "..." : quoted;
}

std::string built_in_text(const Ask& ask) {
  return fmt::format(
      "This is the offline stub answering as {}. Your prompt has {} bytes and "
      "begins \"{}\". No model has read it and nothing has left this machine; "
      "set a provider's key, or start Ollama, for real answers.\n",
      ask.model, ask.prompt.size(), first_words(ask.prompt));
}

std::string numbered_words(int64_t count) {
  std::string text;
  for (int64_t i = 1; i <= count; ++i)
    fmt::format_to(std::back_inserter(text), "word{} ", i);
  return text;
}

std::string echoed_keys(const Request& request) {
  std::string text = "you sent";
  for (const char* name : kKeyHeaders) {
    const std::string* value = request.header(name);
    if (value != nullptr) text += fmt::format(" {}: {}", name, *value);
  }
  return text;
}

void add_words(Answer& answer, std::string_view text) {
  for (std::string_view word : words_of(text)) {
    answer.deltas.push_back(delta_of(word));
  }
}

void add_limited(Answer& answer, const Ask& ask, const std::string& text) {
  const int64_t limit = ask.max_tokens.value_or(INT64_MAX / 4) * 4;
  const size_t room = static_cast<size_t>(std::max<int64_t>(limit, 0));
  if (room < text.size()) answer.finish = "length";
  add_words(answer, clip(text, room));
}

void add_text(Answer& answer, const Ask& ask, const Request& request,
              const Reply& reply) {
  if (reply.chunks) {
    for (const std::string& text : *reply.chunks) {
      answer.deltas.push_back(delta_of(text));
    }
  } else if (reply.chunks_raw) {
    for (const std::string& inner : *reply.chunks_raw) {
      answer.deltas.push_back({inner, static_cast<int64_t>(inner.size())});
    }
  } else if (reply.text) {
    add_words(answer, *reply.text);
  } else if (reply.echo_auth) {
    add_words(answer, echoed_keys(request));
  } else if (reply.words != kOff) {
    add_limited(answer, ask, numbered_words(reply.words));
  } else if (reply.tool_calls.empty()) {
    add_limited(answer, ask, built_in_text(ask));
  }
}

void add_odd_text(Answer& answer, const Reply& reply) {
  const auto place =
      std::clamp<int64_t>(reply.at, 0, std::ssize(answer.deltas));
  const auto at = answer.deltas.begin() + place;
  if (reply.nul) {
    answer.deltas.insert(at, {R"(\u0000\u0001\u001b[31m)", 7});
  } else if (reply.bad_utf8) {
    answer.deltas.insert(at, {"\xFF\xC3(\xE2\x82", 5});
  }
}

void count(Answer& answer, const Ask& ask) {
  int64_t bytes = 0;
  for (const Delta& delta : answer.deltas) bytes += delta.bytes;
  for (const ToolCall& call : answer.tool_calls) {
    bytes += std::ssize(call.arguments);
  }
  answer.usage.input = tokens_of(ask.text_bytes);
  answer.usage.reasoning = tokens_of(std::ssize(answer.reasoning));
  answer.usage.output = tokens_of(bytes) + answer.usage.reasoning;
}

}  // namespace

Answer make_answer(const Ask& ask, const Request& request, const Reply& reply,
                   uint64_t number) {
  Answer answer;
  answer.id = fmt::format("{:08}", reply.wrong_id ? number * 7919 : number);
  answer.model = reply.served.value_or(ask.model);
  answer.reasoning = reply.reasoning.value_or("");
  answer.tool_calls = reply.tool_calls;
  if (!answer.tool_calls.empty()) answer.finish = "tool";
  add_text(answer, ask, request, reply);
  add_odd_text(answer, reply);
  if (reply.finish) answer.finish = *reply.finish;
  count(answer, ask);
  if (reply.usage) answer.usage = *reply.usage;
  answer.include_usage = ask.include_usage || reply.usage || reply.usage_text;
  if (reply.usage_text) {
    const bool omitted = *reply.usage_text == "omit";
    answer.usage_form = omitted ? UsageForm::kOmitted : UsageForm::kText;
    answer.usage_text = *reply.usage_text;
  }
  return answer;
}

}  // namespace llmroute::stub
