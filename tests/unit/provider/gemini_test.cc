#include "provider/gemini.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Finish;
using core::Protocol;

std::string chunk(const std::string& text, const std::string& rest = "") {
  return R"({"candidates":[{"content":{"role":"model","parts":[{"text":")" +
         text + R"("}]},"index":0)" + rest + "}]}";
}

const std::string kEnd = chunk("lo", R"(,"finishReason":"STOP")");

CallResult run(const std::vector<std::string>& pieces) {
  CallFixture fixture(Protocol::kGemini);
  return fixture.run({ok(pieces)});
}

TEST_CASE("VTX-1: the Gemini request as the API wants it") {
  CallFixture fixture(Protocol::kGemini);
  fixture.key = "AIza";
  fixture.output_cap = 256;
  fixture.prompt.system = "Be brief.";
  fixture.prompt.messages = {{core::Role::kUser, "Hi"},
                             {core::Role::kAssistant, "Yes?"},
                             {core::Role::kUser, "Why?"}};
  const HttpRequest request = http_request(fixture.call());
  CHECK(request.url ==
        "https://api.example.com/v1beta/models/"
        "vendor-m:streamGenerateContent?alt=sse");
  CHECK(request.body ==
        R"({"systemInstruction":{"parts":[{"text":"Be brief."}]},)"
        R"("contents":[{"role":"user","parts":[{"text":"Hi"}]},)"
        R"({"role":"model","parts":[{"text":"Yes?"}]},)"
        R"({"role":"user","parts":[{"text":"Why?"}]}],)"
        R"("generationConfig":{"maxOutputTokens":256}})");
  const std::pair<std::string, std::string> key{"x-goog-api-key", "AIza"};
  CHECK(request.headers[0] == key);
}

TEST_CASE("Gemini's address is joined from a base in any of its forms") {
  struct Case {
    const char* base;
    const char* id;
    const char* url;
  };
  const std::string call = ":generateContent";
  for (const auto& [base, id, url] : std::vector<Case>{
           {"https://h.example", "m", "https://h.example/v1beta/models/m"},
           {"https://h.example/v1beta", "m",
            "https://h.example/v1beta/models/m"},
           {"https://h.example", "models/m",
            "https://h.example/v1beta/models/m"},
           {"https://h.example", "tunedModels/m",
            "https://h.example/v1beta/tunedModels/m"},
           {"https://h.example/v1/publishers/google", "m",
            "https://h.example/v1/publishers/google/models/m"}}) {
    CAPTURE(base);
    CallFixture fixture(Protocol::kGemini);
    fixture.stream = false;
    fixture.provider.base_url = base;
    fixture.model.id = id;
    CHECK(http_request(fixture.call()).url == url + call);
  }
}

TEST_CASE("a Gemini stream ends with a finish reason and the connection") {
  const core::Reply reply = reply_of(run({sse({chunk("Hel"), kEnd})}));
  CHECK(reply.text == "Hello");
  CHECK(reply.finish == Finish::kStop);
  CHECK(failure_of(run({sse({chunk("Hel")})})).cause == "cut stream");
}

TEST_CASE("a Gemini stream gives the same wherever it is cut in two") {
  const std::string body =
      sse({chunk("H\\ud83d"), chunk("\\ude80"),
           R"({"candidates":[{"content":{"parts":[{"text":"lo"}]},)"
           R"("finishReason":"MAX_TOKENS"}],"usageMetadata":{)"
           R"("promptTokenCount":9,"candidatesTokenCount":2,)"
           R"("thoughtsTokenCount":5,"totalTokenCount":16}})"});
  for (size_t cut = 1; cut < body.size(); ++cut) {
    CAPTURE(cut);
    const core::Reply reply =
        reply_of(run({body.substr(0, cut), body.substr(cut)}));
    CHECK(reply.text == "H\U0001F680lo");
    CHECK(reply.finish == Finish::kLength);
    CHECK(reply.usage.output == 7);
    CHECK(reply.usage.reasoning == 5);
  }
}

TEST_CASE("a Gemini stream that ends early is never taken for an answer") {
  const std::string body = sse({chunk("Hel"), kEnd});
  const size_t last_event = body.rfind("\n\n");
  for (size_t end = 0; end < last_event; ++end) {
    CAPTURE(end);
    CHECK(std::holds_alternative<core::Failure>(run({body.substr(0, end)})));
  }
}

}  // namespace
}  // namespace llmroute::provider
