#include "provider/anthropic.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Finish;
using core::Protocol;

const std::string kStart =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"served","content":[],"usage":{"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":1}}})";
const std::string kBlock =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
const std::string kPing = R"({"type":"ping"})";
const std::string kStop = R"({"type":"message_stop"})";

std::string text_delta(const std::string& text) {
  return R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
         text + "\"}}";
}

std::string end(const std::string& reason) {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + reason +
         R"(","stop_sequence":null},"usage":{"output_tokens":15}})";
}

// Events with their names, as the API sends them.
std::string named(const std::vector<std::string>& datas) {
  std::string text;
  for (const std::string& data : datas) {
    const auto json = base::read_json(data);
    text += "event: " + std::string(json->root["type"].text()) +
            "\ndata: " + data + "\n\n";
  }
  return text;
}

CallResult run(const std::vector<std::string>& datas) {
  CallFixture fixture(Protocol::kAnthropic);
  return fixture.run({ok({named(datas)})});
}

TEST_CASE("ANT-1: the request as the API wants it") {
  CallFixture fixture(Protocol::kAnthropic);
  fixture.key = "sk-ant";
  fixture.output_cap = 1024;
  fixture.prompt.system = "Be brief.";
  fixture.prompt.parameters.temperature = 0.25;
  fixture.prompt.parameters.stop = {"END"};
  fixture.prompt.parameters.seed = 3;  // has no place here
  const HttpRequest request = http_request(fixture.call());
  CHECK(request.url == "https://api.example.com/v1/messages");
  CHECK(request.body ==
        R"({"model":"vendor-m","max_tokens":1024,"system":"Be brief.",)"
        R"("messages":[{"role":"user","content":"Hi"}],"temperature":0.25,)"
        R"("stop_sequences":["END"],"stream":true})");
  const std::pair<std::string, std::string> key{"x-api-key", "sk-ant"};
  const std::pair<std::string, std::string> version{"anthropic-version",
                                                    "2023-06-01"};
  CHECK(request.headers[0] == key);
  CHECK(request.headers[1] == version);
}

TEST_CASE("max_tokens is always sent") {
  CallFixture fixture(Protocol::kAnthropic);
  CHECK(fixture.body().find(R"("max_tokens":4096)") != std::string::npos);
  fixture.model.max_output_tokens = 64000;
  CHECK(fixture.body().find(R"("max_tokens":64000)") != std::string::npos);
}

TEST_CASE("no text block is blank") {
  CallFixture fixture(Protocol::kAnthropic);
  fixture.prompt.system = " \n";
  fixture.prompt.messages.insert(fixture.prompt.messages.begin(),
                                 {core::Role::kUser, "  "});
  CHECK(fixture.body() ==
        R"({"model":"vendor-m","max_tokens":4096,)"
        R"("messages":[{"role":"user","content":"Hi"}],"stream":true})");
}

TEST_CASE("the address is joined from a base in any of its forms") {
  struct Case {
    const char* base;
    const char* url;
  };
  for (const auto& [base, url] : std::vector<Case>{
           {"https://h.example", "https://h.example/v1/messages"},
           {"https://h.example/v1", "https://h.example/v1/messages"},
           {"https://h.example/v1/messages", "https://h.example/v1/messages"},
           {"https://h.example/anthropic/v1",
            "https://h.example/anthropic/v1/messages"},
           {"https://h.example/anthropic",
            "https://h.example/anthropic/v1/messages"}}) {
    CAPTURE(base);
    CallFixture fixture(Protocol::kAnthropic);
    fixture.provider.base_url = base;
    CHECK(http_request(fixture.call()).url == url);
  }
}

TEST_CASE("a stream: pings ignored, usage from start and end") {
  const core::Reply reply = reply_of(run(
      {kStart, kPing, kBlock, text_delta("Hel"), kPing, text_delta("lo"),
       R"({"type":"content_block_stop","index":0})", end("end_turn"), kStop}));
  CHECK(reply.text == "Hello");
  CHECK(reply.finish == Finish::kStop);
  CHECK(reply.served_model == "served");
  CHECK(reply.usage.input == 20);
  CHECK(reply.usage.cached_input == 5);
  CHECK(reply.usage.cache_write == 3);
  CHECK(reply.usage.output == 15);
}

TEST_CASE("later counts replace earlier ones") {
  const core::Reply reply = reply_of(run(
      {kStart, kBlock, text_delta("a"),
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":30,"cache_read_input_tokens":0,"output_tokens":7}})",
       kStop}));
  CHECK(reply.usage.input == 33);
  CHECK(reply.usage.cached_input == 0);
  CHECK(reply.usage.output == 7);
}

TEST_CASE("without counts in the end nothing is taken for known") {
  const core::Reply reply = reply_of(
      run({kStart, kBlock, text_delta("a"),
           R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})",
           kStop}));
  CHECK(reply.usage.input == 20);
  CHECK_FALSE(reply.usage.output.has_value());
}

TEST_CASE("ANT-6: stop reasons") {
  struct Case {
    const char* reason;
    Finish finish;
  };
  for (const auto& [reason, finish] :
       std::vector<Case>{{"end_turn", Finish::kStop},
                         {"stop_sequence", Finish::kStop},
                         {"max_tokens", Finish::kLength},
                         {"model_context_window_exceeded", Finish::kLength},
                         {"refusal", Finish::kRefusal},
                         {"tool_use", Finish::kToolCalls},
                         {"pause_turn", Finish::kOther}}) {
    CAPTURE(reason);
    CHECK(reply_of(run({kStart, kBlock, text_delta("a"), end(reason), kStop}))
              .finish == finish);
  }
}

TEST_CASE("only text is printed; text may stand in the block's start") {
  const core::Reply reply = reply_of(run(
      {kStart,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":"A"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}})",
       R"({"type":"something_new","text":"no"})", end("end_turn"), kStop}));
  CHECK(reply.text == "Ab");
}

TEST_CASE("an end without message_stop is a cut stream") {
  CHECK(failure_of(run({kStart, kBlock, text_delta("a"), end("end_turn")}))
            .cause == "cut stream");
}

TEST_CASE(
    "S12: a second start is a protocol error, events after the end none") {
  const core::Failure twice =
      failure_of(run({kStart, kBlock, text_delta("a"), kStart}));
  CHECK(twice.kind == core::FailureClass::kProtocol);
  CHECK(reply_of(run({kStart, kBlock, text_delta("a"), end("end_turn"), kStop,
                      kStop, text_delta("b"), kStart}))
            .text == "a");
}

TEST_CASE("ANT-4: an overload inside the stream is transient") {
  const core::Failure failure = failure_of(run(
      {kStart, kBlock, text_delta("a"),
       R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"}));
  CHECK(failure.kind == core::FailureClass::kTransient);
  CHECK(failure.bytes_streamed == 1);
  CHECK(failure.message.find("Overloaded") != std::string::npos);
}

TEST_CASE("a document: the text blocks together") {
  CallFixture fixture(Protocol::kAnthropic);
  const core::Reply reply = reply_of(fixture.run({ok(
      {R"({"id":"msg_1","type":"message","role":"assistant","model":"served","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hel"},{"type":"text","text":"lo"}],"stop_reason":"max_tokens","usage":{"input_tokens":12,"output_tokens":6}})"})}));
  CHECK(reply.text == "Hello");
  CHECK(reply.finish == Finish::kLength);
  CHECK(reply.usage.input == 12);
  CHECK(reply.usage.output == 6);
  CHECK(failure_of(fixture.run({ok({R"({"type":"message"})"})})).kind ==
        core::FailureClass::kProtocol);
}

}  // namespace
}  // namespace llmroute::provider
