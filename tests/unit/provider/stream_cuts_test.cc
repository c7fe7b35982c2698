// Every protocol's stream, cut at every byte and split at every byte: what was
// printed is a beginning of the answer, an end without its marker is never an
// answer, and the pieces do not matter.
#include <random>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Protocol;

struct Stream {
  Protocol protocol;
  std::string body;
  size_t shortest;  // the end marker cannot be in fewer bytes than these
};

// The answer of each: "H", half a rocket each in two deltas, "é\n".
const std::string kAnswer = "H\U0001F680\u00e9\n";

Stream stream_of(Protocol protocol, std::string body, const char* end_marker) {
  const size_t end = body.rfind(end_marker);
  REQUIRE(end != std::string::npos);
  return {protocol, std::move(body), end + std::string(end_marker).size()};
}

std::string chat_delta(const std::string& text) {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})";
}

std::string anthropic_delta(const std::string& text) {
  return "event: content_block_delta\ndata: "
         R"({"type":"content_block_delta","index":0,"delta":{"type":)"
         R"("text_delta","text":")" +
         text + "\"}}\n\n";
}

std::string responses_delta(const std::string& text) {
  return R"({"type":"response.output_text.delta","output_index":0,)"
         R"("content_index":0,"delta":")" +
         text + R"("})";
}

std::string gemini_chunk(const std::string& text, const std::string& rest) {
  return R"({"candidates":[{"content":{"parts":[{"text":")" + text + R"("}]})" +
         rest + "}]}";
}

std::string ollama_line(const std::string& text) {
  return R"({"message":{"role":"assistant","content":")" + text +
         R"("},"done":false})"
         "\n";
}

std::vector<Stream> streams() {
  const std::string finished =
      R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
  return {
      stream_of(Protocol::kOpenAiChat,
                sse({chat_delta("H\\ud83d"), chat_delta("\\ude80\u00e9"),
                     chat_delta("\\n"), finished, "[DONE]"}),
                "\"stop\"}]}"),
      stream_of(
          Protocol::kOpenAiResponses,
          sse({responses_delta("H\\ud83d"), responses_delta("\\ude80\u00e9\\n"),
               R"({"type":"response.completed","response":{"status":)"
               R"("completed","usage":{"input_tokens":1,)"
               R"("output_tokens":2}}})"}),
          "}}}"),
      stream_of(
          Protocol::kAnthropic,
          "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"
          "{\"model\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\n: ping\n\n" +
              anthropic_delta("H\\ud83d") +
              anthropic_delta("\\ude80\u00e9\\n") +
              "event: message_delta\ndata: "
              "{\"type\":\"message_delta\",\"delta\""
              ":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}"
              "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
          "\"message_stop\"}"),
      stream_of(
          Protocol::kGemini,
          sse({gemini_chunk("H\\ud83d", ""),
               gemini_chunk("\\ude80\u00e9\\n", R"(,"finishReason":"STOP")")}),
          "\"STOP\"}]}"),
      stream_of(Protocol::kOllama,
                ollama_line("H\\ud83d") + ollama_line("\\ude80\u00e9\\n") +
                    R"({"message":{"content":""},"done":true,)"
                    R"("done_reason":"stop","eval_count":2})"
                    "\n",
                "\"eval_count\":2}"),
  };
}

struct Ended {
  CallResult result;
  std::string printed;
};

Ended run(Protocol protocol, FakeResponse response) {
  CallFixture fixture(protocol);
  Ended ended{fixture.run({std::move(response)}), ""};
  for (const std::string& piece : fixture.pieces) ended.printed += piece;
  return ended;
}

TEST_CASE("S1 S2: a stream that is cut at any byte is never an answer") {
  for (const Stream& stream : streams()) {
    CAPTURE(static_cast<int>(stream.protocol));
    for (size_t cut = 0; cut < stream.body.size(); ++cut) {
      CAPTURE(cut);
      for (const bool reset : {false, true}) {
        FakeResponse response = ok({stream.body.substr(0, cut)});
        if (reset) {
          response.then = broken(core::FailureClass::kTransient, "reset");
        }
        const Ended ended = run(stream.protocol, std::move(response));
        REQUIRE(kAnswer.starts_with(ended.printed));
        if (const auto* reply = std::get_if<core::Reply>(&ended.result)) {
          REQUIRE(cut >= stream.shortest);
          REQUIRE(reply->text == kAnswer);
        } else {
          const core::Failure failure = failure_of(ended.result);
          // A reply without a byte is none at all.
          REQUIRE((failure.kind == core::FailureClass::kTransient || cut == 0));
          REQUIRE(failure.bytes_streamed == ended.printed.size());
        }
      }
    }
  }
}

TEST_CASE("S6: a stream gives the same however it is split") {
  std::mt19937 random(6);
  for (const Stream& stream : streams()) {
    CAPTURE(static_cast<int>(stream.protocol));
    const auto check = [&](const std::vector<std::string>& pieces) {
      const Ended ended = run(stream.protocol, ok(pieces));
      REQUIRE(ended.printed == kAnswer);
      REQUIRE(reply_of(ended.result).text == kAnswer);
    };
    const std::string& body = stream.body;
    std::vector<std::string> bytes;
    for (const char byte : body) bytes.emplace_back(1, byte);
    check(bytes);
    for (size_t at = 1; at < body.size(); ++at) {
      CAPTURE(at);
      check({body.substr(0, at), body.substr(at)});
    }
    for (int round = 0; round < 1000; ++round) {
      CAPTURE(round);
      std::vector<std::string> pieces;
      for (size_t at = 0; at < body.size();) {
        const size_t length = 1 + random() % 40;
        pieces.push_back(body.substr(at, length));
        at += length;
      }
      check(pieces);
    }
  }
}

}  // namespace
}  // namespace llmroute::provider
