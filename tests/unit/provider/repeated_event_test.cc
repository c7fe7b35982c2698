// Events that are like the one before are not decoded: what comes of a stream
// must be the same as if they were.
#include "provider/repeated_event.h"

#include <array>
#include <random>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Protocol;

std::string event_of(const std::string& text) {
  return R"({"id":"x","delta":{"content":")" + text + R"("},"more":null})";
}

TEST_CASE("an event that differs in its text from two before is not decoded") {
  RepeatedEvent events;
  CHECK(!events.text_of(event_of("one")));
  events.learn(event_of("one"), "one");
  CHECK(events.text_of(event_of("one")) == "one");
  CHECK(!events.text_of(event_of("two")));
  events.learn(event_of("two"), "two");
  for (const char* text : {"three", "", " ", "\u00e9\U0001F680", "{}[],:"}) {
    CAPTURE(text);
    CHECK(events.text_of(event_of(text)) == text);
  }
}

TEST_CASE("text that does not stand for itself is decoded") {
  RepeatedEvent events;
  events.learn(event_of("one"), "one");
  events.learn(event_of("two"), "two");
  for (const char* text :
       {"a\\n", "a\"", "a\",\"more\":\"b", "\n", "\xff", "\xed\xa0\xbd"}) {
    CAPTURE(text);
    CHECK(!events.text_of(event_of(text)));
  }
  CHECK(!events.text_of(event_of("three") + " "));
  CHECK(!events.text_of(event_of("three").substr(1)));
  CHECK(!events.text_of(R"({"id":"x","delta":{"content":"},"more":null})"));
  events.learn(event_of("a\\n"), "a\n");
  CHECK(!events.text_of(event_of("three")));
}

TEST_CASE("where the text stands must be certain") {
  RepeatedEvent events;
  SUBCASE("it stands there twice") {
    events.learn(event_of("id"), "id");
    CHECK(!events.text_of(event_of("id")));
  }
  SUBCASE("it stands nowhere") {
    events.learn(event_of("one"), "two");
    CHECK(!events.text_of(event_of("one")));
  }
  SUBCASE("what changed is not the text") {
    const std::string first = R"({"id":"ab","delta":["a","b"]})";
    const std::string second = R"({"id":"cd","delta":["a","b"]})";
    events.learn(first, "ab");
    events.learn(second, "ab");
    CHECK(!events.text_of(R"({"id":"ef","delta":["a","b"]})"));
  }
  SUBCASE("it gave no text") {
    events.learn(event_of("one"), "one");
    events.learn(event_of("two"), "two");
    events.learn("{}", "");
    CHECK(!events.text_of(event_of("three")));
  }
  SUBCASE("it is very long") {
    const std::string text(5000, 'a');
    events.learn(event_of(text), text);
    CHECK(!events.text_of(event_of(text)));
  }
}

// An event of the protocol with this text, without its last bracket.
std::string text_event(Protocol protocol, const std::string& text) {
  switch (protocol) {
    case Protocol::kAnthropic:
      return R"({"type":"content_block_delta","index":0,"delta":{"type":)"
             R"("text_delta","text":")" +
             text + "\"}";
    case Protocol::kGemini:
      return R"({"candidates":[{"content":{"parts":[{"text":")" + text +
             R"("}]}}])";
    case Protocol::kOllama:
      return R"({"message":{"role":"assistant","content":")" + text +
             R"("},"done":false)";
    case Protocol::kOpenAiResponses:
      return R"({"type":"response.output_text.delta","output_index":0,)"
             R"("content_index":0,"delta":")" +
             text + "\"";
    case Protocol::kOpenAiChat:
    case Protocol::kExec:
      break;
  }
  return R"({"model":"x","choices":[{"index":0,"delta":{"content":")" + text +
         R"("}}])";
}

std::string tool_event(Protocol protocol) {
  switch (protocol) {
    case Protocol::kAnthropic:
      return R"({"type":"content_block_delta","index":1,"delta":{"type":)"
             R"("input_json_delta","partial_json":"1"})";
    case Protocol::kGemini:
      return R"({"candidates":[{"content":{"parts":[{"text":"a"},)"
             R"({"functionCall":{"name":"f","args":{}}}]}}])";
    case Protocol::kOllama:
      return R"({"message":{"content":"a","tool_calls":[{"function":)"
             R"({"name":"f","arguments":{}}}]},"done":false)";
    case Protocol::kOpenAiResponses:
      return R"({"type":"response.function_call_arguments.delta",)"
             R"("item_id":"i","delta":"1")";
    case Protocol::kOpenAiChat:
    case Protocol::kExec:
      break;
  }
  return R"({"choices":[{"index":0,"delta":{"content":"a","tool_calls":)"
         R"([{"index":0,"function":{"name":"f","arguments":"1"}}]}}])";
}

std::string end_event(Protocol protocol) {
  switch (protocol) {
    case Protocol::kAnthropic:
      return R"({"type":"message_stop")";
    case Protocol::kGemini:
      return R"({"candidates":[{"content":{"parts":[{"text":""}]},)"
             R"("finishReason":"STOP"}])";
    case Protocol::kOllama:
      return R"({"message":{"content":""},"done":true)";
    case Protocol::kOpenAiResponses:
      return R"({"type":"response.completed","response":{"status":)"
             R"("completed","usage":{}})";
    case Protocol::kOpenAiChat:
    case Protocol::kExec:
      break;
  }
  return R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}])";
}

std::vector<std::string> random_events(Protocol protocol,
                                       std::mt19937& random) {
  // Also words that stand elsewhere in the events.
  constexpr std::array<const char*, 18> kTexts = {
      "a",       "b",        "ab",    "a",     " ",       "\u00e9",
      "\\n",     "\\\"",     "",      "text",  "content", "delta",
      "\\ud83d", "\\ude80x", "a\xff", "model", "x",       "a b c"};
  std::vector<std::string> events;
  for (size_t left = random() % 40; left > 0; --left) {
    const auto kind = random() % 30;
    if (kind == 0) {
      events.push_back(tool_event(protocol));
    } else if (kind == 1) {
      events.emplace_back(R"({"other":"a")");
    } else if (kind == 2 && random() % 4 == 0) {
      events.emplace_back(R"({"error":{"message":"a"})");
    } else {
      events.push_back(
          text_event(protocol, kTexts.at(random() % kTexts.size())));
    }
  }
  events.push_back(end_event(protocol));
  return events;
}

// `distinct`: blanks make each event another one, of the same meaning.
std::string body_of(Protocol protocol, const std::vector<std::string>& events,
                    bool distinct) {
  std::string body;
  for (size_t i = 0; i < events.size(); ++i) {
    if (protocol != Protocol::kOllama) body += "data: ";
    body += events[i] + std::string(distinct ? i : 0, ' ') + "}\n";
    if (protocol != Protocol::kOllama) body += '\n';
  }
  return body;
}

std::string told(Protocol protocol, const std::string& body) {
  CallFixture fixture(protocol);
  const CallResult result = fixture.run({ok({body})});
  std::string all;
  for (const std::string& piece : fixture.pieces) all += piece;
  if (const auto* failure = std::get_if<core::Failure>(&result)) {
    return all + " / " + failure->cause + ": " + failure->message;
  }
  const auto& reply = std::get<core::Reply>(result);
  all += " / " + reply.text + " / " + reply.served_model +
         (reply.repaired_utf8 ? " repaired" : "") +
         std::to_string(static_cast<int>(reply.finish));
  for (const auto& call : reply.tool_calls) {
    all += " / " + call.name + call.arguments;
  }
  return all;
}

TEST_CASE("S6: a stream gives the same whether its events repeat or not") {
  std::mt19937 random(7);
  for (const Protocol protocol :
       {Protocol::kOpenAiChat, Protocol::kOpenAiResponses, Protocol::kAnthropic,
        Protocol::kGemini, Protocol::kOllama}) {
    CAPTURE(static_cast<int>(protocol));
    for (int round = 0; round < 1000; ++round) {
      const auto events = random_events(protocol, random);
      const std::string body = body_of(protocol, events, false);
      CAPTURE(body);
      REQUIRE(told(protocol, body) ==
              told(protocol, body_of(protocol, events, true)));
    }
  }
}

}  // namespace
}  // namespace llmroute::provider
