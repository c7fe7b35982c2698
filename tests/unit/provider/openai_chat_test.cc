#include "provider/openai_chat.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Finish;
using core::Protocol;

std::string delta(const std::string& fields, const std::string& finish) {
  return R"({"model":"served","choices":[{"index":0,"delta":{)" + fields +
         R"(},"finish_reason":)" + finish + "}]}";
}

std::string text_delta(const std::string& json) {
  return delta("\"content\":" + json, "null");
}

const std::string kStop = delta("", R"("stop")");

core::Reply answer(const std::vector<std::string>& datas) {
  CallFixture fixture(Protocol::kOpenAiChat);
  return reply_of(fixture.run({ok({sse(datas)})}));
}

core::Failure failure(const std::vector<std::string>& datas) {
  CallFixture fixture(Protocol::kOpenAiChat);
  return failure_of(fixture.run({ok({sse(datas)})}));
}

TEST_CASE("the request holds what was asked and nothing else") {
  CallFixture fixture(Protocol::kOpenAiChat);
  CHECK(fixture.body() ==
        R"({"model":"vendor-m","messages":[{"role":"user","content":"Hi"}],)"
        R"("stream":true,"stream_options":{"include_usage":true}})");
  fixture.stream = false;
  fixture.provider.seed_field = "random_seed";
  fixture.prompt.system = "Be brief.";
  fixture.output_cap = 256;
  auto& parameters = fixture.prompt.parameters;
  parameters.temperature = 0.2;
  parameters.stop = {"END", "\n"};
  parameters.seed = 7;
  parameters.extra = {{"top_p", "0.9"}, {"user", "jane"}};
  CHECK(fixture.body() ==
        R"({"model":"vendor-m","messages":[{"role":"system","content":"Be )"
        R"(brief."},{"role":"user","content":"Hi"}],"max_tokens":256,)"
        R"("temperature":0.2,"stop":["END","\n"],"random_seed":7,)"
        R"("top_p":0.9,"user":"jane"})");
}

TEST_CASE("parameters follow the model, then the provider") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.output_cap = 9;
  fixture.prompt.parameters.temperature = 0.5;
  fixture.provider.token_limit_field = "max_completion_tokens";
  fixture.provider.stream_usage = false;
  fixture.model.accepts_temperature = false;
  CHECK(fixture.body() ==
        R"({"model":"vendor-m","messages":[{"role":"user","content":"Hi"}],)"
        R"("max_completion_tokens":9,"stream":true})");
  fixture.model.token_limit_field = "max_tokens";
  CHECK(fixture.body().find(R"("max_tokens":9)") != std::string::npos);
}

TEST_CASE("an extra field replaces ours and is never written twice") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.prompt.parameters.temperature = 0.5;
  fixture.prompt.parameters.extra = {{"temperature", "0.7"}};
  const std::string body = fixture.body();
  CHECK(body.find("0.7") != std::string::npos);
  CHECK(body.find("0.5") == std::string::npos);
}

TEST_CASE("the address is joined from a base in any of its forms") {
  for (const char* base :
       {"https://h.example", "https://h.example/", "https://h.example/v1",
        "https://h.example/v1/", "https://h.example/v1/chat/completions"}) {
    CAPTURE(base);
    CallFixture fixture(Protocol::kOpenAiChat);
    fixture.provider.base_url = base;
    CHECK(http_request(fixture.call()).url ==
          "https://h.example/v1/chat/completions");
  }
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.provider.base_url = "https://h.example/api/paas/v4";
  CHECK(http_request(fixture.call()).url ==
        "https://h.example/api/paas/v4/chat/completions");
}

TEST_CASE("headers: the key only if there is one, the provider's own last") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.provider.headers = {{"X-Title", "t"}, {"accept", "x/y"}};
  const auto has = [&](const std::string& name) {
    for (const auto& [key, value] : http_request(fixture.call()).headers) {
      if (key == name) return value;
    }
    return std::string("-");
  };
  CHECK(has("Authorization") == "-");
  fixture.key = "sk-1";
  CHECK(has("Authorization") == "Bearer sk-1");
  CHECK(has("Content-Type") == "application/json");
  CHECK(has("X-Title") == "t");
  CHECK(has("Accept") == "x/y");
  CHECK(has("accept") == "-");
}

TEST_CASE("a stream is the concatenation of its deltas") {
  const core::Reply reply = answer(
      {R"({"choices":[],"prompt_filter_results":[]})",
       delta(R"("role":"assistant","content":"","refusal":null)", "null"),
       text_delta("\"Hel\""), text_delta("\"lo\""), text_delta("null"), kStop,
       R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":9,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}})",
       "[DONE]"});
  CHECK(reply.text == "Hello");
  CHECK(reply.finish == Finish::kStop);
  CHECK(reply.served_model == "served");
  CHECK(reply.usage.input == 12);
  CHECK(reply.usage.output == 9);
  CHECK(reply.usage.cached_input == 4);
  CHECK(reply.usage.reasoning == 3);
}

TEST_CASE("P5: only choice 0 is the answer") {
  const core::Reply reply = answer(
      {R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]})",
       R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})",
       kStop, "[DONE]"});
  CHECK(reply.text == "yes");
  CHECK(reply.finish == Finish::kStop);
}

TEST_CASE("P6: content may be a list of parts; reasoning is not printed") {
  const core::Reply reply = answer(
      {delta(R"("reasoning_content":"hm")", "null"),
       delta(R"("reasoning":"hm")", "null"),
       text_delta(
           R"([{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}])"),
       text_delta("\"<think>b</think>\""), kStop, "[DONE]"});
  CHECK(reply.text == "a<think>b</think>");
}

TEST_CASE("finish reasons") {
  struct Case {
    const char* reason;
    Finish finish;
  };
  for (const auto& [reason, finish] :
       std::vector<Case>{{"stop", Finish::kStop},
                         {"length", Finish::kLength},
                         {"content_filter", Finish::kFilter},
                         {"tool_calls", Finish::kToolCalls},
                         {"function_call", Finish::kToolCalls},
                         {"eos_token", Finish::kStop},
                         {"model_length", Finish::kLength},
                         {"something new", Finish::kOther}}) {
    CAPTURE(reason);
    CHECK(answer({text_delta("\"a\""),
                  delta("", "\"" + std::string(reason) + "\""), "[DONE]"})
              .finish == finish);
  }
}

TEST_CASE("S16: a refusal is the answer, marked as one") {
  const core::Reply reply =
      answer({delta(R"("refusal":"I can")", "null"),
              delta(R"("refusal":"not.")", "null"), kStop, "[DONE]"});
  CHECK(reply.text == "I cannot.");
  CHECK(reply.finish == Finish::kRefusal);
}

TEST_CASE("an end is [DONE], or a finish reason and a clean end") {
  CHECK(answer({text_delta("\"a\""), "[DONE]"}).text == "a");
  CHECK(answer({text_delta("\"a\""), kStop}).text == "a");
  CHECK(failure({text_delta("\"a\"")}).cause == "cut stream");
  CHECK(failure({"[DONE]"}).kind == core::FailureClass::kProtocol);
  CallFixture fixture(Protocol::kOpenAiChat);
  FakeResponse response = ok({sse({text_delta("\"a\""), kStop})});
  response.then = broken(core::FailureClass::kTransient, "reset");
  const core::Failure reset = failure_of(fixture.run({response}));
  CHECK(reset.cause == "reset");
  CHECK(reset.bytes_streamed == 1);
}

TEST_CASE("S7: an end marker without its empty line counts, text does not") {
  CallFixture fixture(Protocol::kOpenAiChat);
  CHECK(
      reply_of(fixture.run({ok({sse({text_delta("\"a\"")}) + "data: [DONE]"})}))
          .text == "a");
  CHECK(reply_of(fixture.run({ok({sse({text_delta("\"a\"")}) + "data: " +
                                  delta("\"content\":\"b\"", "\"stop\"")})}))
            .text == "ab");
  const core::Failure cut = failure_of(fixture.run(
      {ok({sse({text_delta("\"a\"")}) + "data: " + text_delta("\"b\"")})}));
  CHECK(cut.cause == "cut stream");
  CHECK(cut.bytes_streamed == 1);
  CHECK(failure_of(fixture.run({ok({sse({text_delta("\"a\"")}) +
                                    "data: {\"choices\":[{"})}))
            .cause == "cut stream");
}

TEST_CASE("S18: [DONE] inside text is not an end") {
  CHECK(
      answer({text_delta("\"[DONE]\""), text_delta("\" a\""), "[DONE]"}).text ==
      "[DONE] a");
  CHECK(failure({text_delta("\"a\""), "[DONE] x"}).cause == "malformed stream");
}

TEST_CASE("S8: halves of a surrogate pair in two deltas are one character") {
  CHECK(answer({text_delta(R"("a\ud83d")"), text_delta(R"("\ude80b")"), kStop,
                "[DONE]"})
            .text ==
        "a\xF0\x9F\x9A\x80"
        "b");
  const core::Reply alone =
      answer({text_delta(R"("a\ud83d")"), kStop, "[DONE]"});
  CHECK(alone.text == "a\xEF\xBF\xBD");
  CHECK(alone.repaired_utf8);
  const core::Reply broken = answer({text_delta("\"a\xFF\""), kStop, "[DONE]"});
  CHECK(broken.text == "a\xEF\xBF\xBD");
  CHECK(broken.repaired_utf8);
}

TEST_CASE("errors inside a 200, in every shape") {
  struct Case {
    std::string wire;
    core::FailureClass kind;
  };
  const std::string before = sse({text_delta("\"a\"")});
  for (const Case& c : std::vector<Case>{
           {sse({R"({"error":{"message":"x","code":"insufficient_quota"}})"}),
            core::FailureClass::kNoMoney},
           {sse({R"({"error":"x","code":"rate_limit"})"}),
            core::FailureClass::kThrottled},
           {sse({R"({"object":"error","message":"x","code":400})"}),
            core::FailureClass::kOurFault},
           {sse({R"({"x_groq":{"error":"over capacity"},"choices":[]})"}),
            core::FailureClass::kTransient},
           {sse({delta("", "\"error\"")}), core::FailureClass::kTransient},
           {sse({delta("", "\"insufficient_system_resource\"")}),
            core::FailureClass::kTransient},
           {"error: {\"code\":500,\"message\":\"the request exceeds the "
            "available context size\",\"type\":\"x\"}\n\ndata: [DONE]\n\n",
            core::FailureClass::kTransient},
           {"event: error\ndata: {\"message\":\"x\",\"code\":\"429\"}\n\n",
            core::FailureClass::kThrottled}}) {
    CAPTURE(c.wire);
    CallFixture fixture(Protocol::kOpenAiChat);
    const core::Failure at_once = failure_of(fixture.run({ok({c.wire})}));
    CHECK(core::failure_class_name(at_once.kind) ==
          core::failure_class_name(c.kind));
    CHECK(at_once.bytes_streamed == 0);
    const core::Failure later =
        failure_of(fixture.run({ok({before + c.wire})}));
    CHECK(later.kind == at_once.kind);
    CHECK(later.bytes_streamed == 1);
  }
}

TEST_CASE("P8: a document may come although a stream was asked for") {
  const std::string document =
      R"({"model":"served","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})";
  for (const std::string& body : {document, "\n\n  \n" + document}) {
    CallFixture fixture(Protocol::kOpenAiChat);
    std::vector<std::string> bytes;
    for (const char byte : body) bytes.emplace_back(1, byte);
    const core::Reply reply = reply_of(fixture.run({ok(bytes)}));
    CHECK(reply.text == "Hello");
    CHECK(reply.finish == Finish::kLength);
    CHECK(reply.usage.output == 1);
    CHECK(fixture.pieces.size() == 1);
  }
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.stream = false;
  CHECK(
      reply_of(fixture.run({ok({sse({text_delta("\"a\""), kStop, "[DONE]"})})}))
          .text == "a");
}

TEST_CASE("documents that are no answer") {
  struct Case {
    const char* body;
    core::FailureClass kind;
    const char* cause;
  };
  for (const auto& [body, kind, cause] : std::vector<Case>{
           {R"({"error":{"message":"x","code":503}})",
            core::FailureClass::kTransient, "error in reply"},
           {R"({"choices":[]})", core::FailureClass::kProtocol, "bad reply"},
           {R"({"hello":1})", core::FailureClass::kProtocol, "bad reply"},
           {"[]", core::FailureClass::kProtocol, "bad reply"},
           {R"({"choices":[{"message":{"content":"a"})",
            core::FailureClass::kTransient, "cut stream"},
           {R"({"choices" "x"})", core::FailureClass::kProtocol, "bad json"},
           {"<html></html>", core::FailureClass::kProtocol, "wrong type"},
           {"", core::FailureClass::kProtocol, "empty reply"},
           {"\n\n", core::FailureClass::kProtocol, "empty reply"}}) {
    CAPTURE(body);
    CallFixture fixture(Protocol::kOpenAiChat);
    const core::Failure failure = failure_of(fixture.run({ok({body})}));
    CHECK(core::failure_class_name(failure.kind) ==
          core::failure_class_name(kind));
    CHECK(failure.cause == cause);
    CHECK(fixture.pieces.empty());
  }
}

TEST_CASE("usage in the shapes of the servers") {
  struct Case {
    const char* usage;
    std::optional<int64_t> input, output;
    int64_t cached;
  };
  for (
      const Case& c : std::vector<Case>{
          {R"({"prompt_tokens":12,"completion_tokens":9,"total_tokens":21})",
           12, 9, 0},
          {R"({"prompt_tokens":12,"completion_tokens":2,"total_tokens":354,"completion_tokens_details":{"reasoning_tokens":340}})",
           12, 342, 0},
          {R"({"prompt_tokens":12,"completion_tokens":9,"total_tokens":10})",
           12, 9, 0},
          {R"({"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":20}})",
           25, 1, 20},
          {R"({"prompt_tokens":30,"completion_tokens":1,"prompt_cache_hit_tokens":20,"prompt_cache_miss_tokens":10})",
           30, 1, 20},
          {R"({"prompt_tokens":"12","completion_tokens":9.0})", 12, 9, 0},
          {R"({"prompt_tokens":null,"completion_tokens":9})", std::nullopt, 9,
           0},
          {R"({"prompt_tokens":12,"completion_tokens":-1})", 12, std::nullopt,
           0},
          {R"({"prompt_tokens":1e400,"completion_tokens":1180591620717411303424})",
           std::nullopt, std::nullopt, 0},
          {R"({"prompt_tokens":12,"completion_tokens":9,"prompt_tokens_details":null})",
           12, 9, 0},
          {"{}", std::nullopt, std::nullopt, 0}}) {
    CAPTURE(c.usage);
    const core::Usage usage = openai_usage(base::read_json(c.usage)->root);
    CHECK(usage.input == c.input);
    CHECK(usage.output == c.output);
    CHECK(usage.cached_input == c.cached);
  }
}

TEST_CASE("the last usage that is not null counts; nothing said is not zero") {
  const core::Reply repeated = answer(
      {R"({"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}})",
       R"({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":3}})",
       R"({"choices":[],"usage":null})", "[DONE]"});
  CHECK(repeated.usage.output == 3);
  CHECK_FALSE(answer({text_delta("\"a\""), kStop}).usage.complete());
  // P3: text that cost nothing is not believed.
  const core::Reply free = answer(
      {text_delta("\"a\""), kStop,
       R"({"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":0,"total_tokens":2}})",
       "[DONE]"});
  CHECK_FALSE(free.usage.output.has_value());
}

TEST_CASE("text and result do not depend on how the bytes are cut") {
  const std::string wire =
      ": hello\r\n\r\n" +
      sse({text_delta("\"H\xC3\xA9l\""), text_delta(R"("\ud83d")"),
           text_delta(R"("\ude80 \u0000")"), kStop, "[DONE]"});
  CallFixture whole(Protocol::kOpenAiChat);
  const std::string expected = reply_of(whole.run({ok({wire})})).text;
  REQUIRE(expected == std::string("H\xC3\xA9l\xF0\x9F\x9A\x80 \0", 10));
  for (size_t cut = 1; cut < wire.size(); ++cut) {
    CallFixture fixture(Protocol::kOpenAiChat);
    CAPTURE(cut);
    const auto reply =
        reply_of(fixture.run({ok({wire.substr(0, cut), wire.substr(cut)})}));
    REQUIRE(reply.text == expected);
    std::string delivered;
    for (const std::string& piece : fixture.pieces) delivered += piece;
    REQUIRE(delivered == expected);
  }
}

TEST_CASE("text before a broken event is not lost") {
  for (const char* broken : {"{", "{\"error\":\"x\"}"}) {
    CallFixture fixture(Protocol::kOpenAiChat);
    const core::Failure failure =
        failure_of(fixture.run({ok({sse({text_delta("\"a\""), broken})})}));
    CHECK(failure.bytes_streamed == 1);
    CHECK(fixture.pieces == std::vector<std::string>{"a"});
  }
}

TEST_CASE("one call of the sink for each piece of body that carried text") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.run(
      {ok({sse({text_delta("\"a\""), text_delta("\"b\"")}), ": comment\n\n",
           sse({text_delta("\"c\""), kStop}), sse({"[DONE]"})})});
  CHECK(fixture.pieces == std::vector<std::string>{"ab", "c"});
  CHECK(fixture.other == 0);
}

TEST_CASE("X8: one call without text for what comes before any") {
  CallFixture fixture(Protocol::kOpenAiChat);
  const auto thought =
      R"({"choices":[{"delta":{"reasoning_content":"Let me see"}}]})";
  fixture.run({ok({": comment\n\n", sse({thought}), sse({thought}),
                   sse({text_delta("\"a\""), kStop}), sse({"[DONE]"})})});
  CHECK(fixture.pieces == std::vector<std::string>{"a"});
  CHECK(fixture.other == 1);
}

}  // namespace
}  // namespace llmroute::provider
