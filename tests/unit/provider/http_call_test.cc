#include "provider/http_call.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::FailureClass;
using core::Protocol;

const std::string kAnswer = sse(
    {R"({"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]})",
     "[DONE]"});

FakeResponse refuses(const std::string& name) {
  return {
      400,
      {},
      {R"({"error":{"message":"Unsupported parameter: ')" + name +
       R"(' is not supported with this model.","type":"invalid_request_error","param":")" +
       name + R"(","code":"unsupported_parameter"}})"},
      std::nullopt};
}

bool sends(const HttpRequest& request, const std::string& name) {
  return request.body.find('"' + name + "\":") != std::string::npos;
}

TEST_CASE("P7: a refused token limit is sent under its other name, for good") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.output_cap = 9;
  FakeTransport transport({refuses("max_tokens"), ok({kAnswer})});
  CHECK(reply_of(fixture.run(transport)).text == "ok");
  REQUIRE(transport.requests.size() == 2);
  CHECK(sends(transport.requests[0], "max_tokens"));
  CHECK_FALSE(sends(transport.requests[1], "max_tokens"));
  CHECK(sends(transport.requests[1], "max_completion_tokens"));
  fixture.run(transport);
  REQUIRE(transport.requests.size() == 3);
  CHECK(sends(transport.requests[2], "max_completion_tokens"));
  fixture.model.id = "another";
  fixture.run(transport);
  CHECK(sends(transport.requests[3], "max_tokens"));
}

TEST_CASE("P7: any other refused parameter is left out, each once") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.output_cap = 9;
  fixture.prompt.parameters.temperature = 0.5;
  FakeTransport transport(
      {refuses("max_tokens"), refuses("temperature"), ok({kAnswer})});
  CHECK(reply_of(fixture.run(transport)).text == "ok");
  REQUIRE(transport.requests.size() == 3);
  CHECK_FALSE(sends(transport.requests[2], "temperature"));
  CHECK(sends(transport.requests[2], "max_completion_tokens"));
}

TEST_CASE("P7: a server that goes on refusing is asked one more time") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.output_cap = 9;
  FakeTransport transport({refuses("max_tokens")});
  CHECK(failure_of(fixture.run(transport)).kind == FailureClass::kOurFault);
  CHECK(transport.requests.size() == 2);
}

TEST_CASE(
    "what the user gave verbatim, and what is needed, is never left out") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.prompt.parameters.extra = {{"stop", "[]"}, {"top_p", "0.9"}};
  for (const char* name : {"stop", "top_p", "messages", "model"}) {
    CAPTURE(name);
    FakeTransport transport({refuses(name), ok({kAnswer})});
    CHECK(failure_of(fixture.run(transport)).http_status == 400);
    CHECK(transport.requests.size() == 1);
  }
}

TEST_CASE("ANT: a refused temperature is left out there too") {
  CallFixture fixture(Protocol::kAnthropic);
  fixture.prompt.parameters.temperature = 0.5;
  FakeTransport transport(
      {{400,
        {},
        {R"({"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}})"},
        std::nullopt},
       {503, {}, {}, std::nullopt}});
  CHECK(failure_of(fixture.run(transport)).http_status == 503);
  REQUIRE(transport.requests.size() == 2);
  CHECK_FALSE(sends(transport.requests[1], "temperature"));
}

TEST_CASE("a key is never sent over plain http but to loopback") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.key = "sk-1";
  FakeTransport transport({ok({kAnswer})});
  for (const char* base :
       {"http://api.example.com/v1", "http://127.0.0.1.example.com/v1",
        "http://10.0.0.1/v1"}) {
    CAPTURE(base);
    fixture.provider.base_url = base;
    CHECK(failure_of(fixture.run(transport)).kind == FailureClass::kNotAllowed);
  }
  CHECK(transport.requests.empty());
  for (const char* base : {"http://127.0.0.1:1/v1", "http://localhost:1/v1",
                           "http://[::1]:1/v1", "https://api.example.com"}) {
    CAPTURE(base);
    fixture.provider.base_url = base;
    CHECK(reply_of(fixture.run(transport)).text == "ok");
  }
  fixture.key.clear();
  fixture.provider.base_url = "http://10.0.0.1/v1";
  CHECK(reply_of(fixture.run(transport)).text == "ok");
}

TEST_CASE("a refused key is named by where it may come from, not by value") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.key = "sk-secret";
  fixture.provider.key_env = {"A_KEY", "B_KEY"};
  const core::Failure failure =
      failure_of(fixture.run({{401, {}, {R"({"error":"no"})"}, {}}}));
  CHECK(failure.message == "HTTP 401: no (check A_KEY or B_KEY)");
}

TEST_CASE("dry run: the request with its key hidden wherever it stands") {
  CallFixture fixture(Protocol::kOpenAiChat);
  fixture.key = "sk-secret";
  fixture.provider.headers = {{"X-Also", "k=sk-secret;"}};
  const std::string text = describe_request(fixture.call());
  CHECK(text.starts_with("POST https://api.example.com/v1/chat/completions\n"));
  CHECK(text.find("Authorization: Bearer ...\n") != std::string::npos);
  CHECK(text.find("X-Also: k=...;\n") != std::string::npos);
  CHECK(text.find("sk-secret") == std::string::npos);
  CHECK(text.find(fixture.body()) != std::string::npos);
}

TEST_CASE("a sink that has had enough cancels the request") {
  CallFixture fixture(Protocol::kOpenAiChat);
  FakeTransport transport({ok({kAnswer})});
  const auto result = http_call(
      fixture.call(), [](std::string_view) { return false; }, transport);
  CHECK(failure_of(result).kind == FailureClass::kCancelled);
  CHECK(failure_of(result).bytes_streamed == 2);
}

TEST_CASE("responses that are refused by their head") {
  struct Case {
    std::vector<std::pair<std::string, std::string>> headers;
    const char* cause;
  };
  for (const Case& c : std::vector<Case>{
           {{{"content-encoding", "gzip"}}, "encoded body"},
           {{{"content-encoding", "br"}}, "encoded body"},
           {{{"content-encoding", "gzip, gzip"}}, "encoded body"},
           {{{"transfer-encoding", "gzip, chunked"}}, "encoded body"},
           {{{"content-type", "text/html; charset=utf-8"}}, "wrong type"}}) {
    CallFixture fixture(Protocol::kOpenAiChat);
    const core::Failure failure =
        failure_of(fixture.run({{200, c.headers, {kAnswer}, {}}}));
    CHECK(failure.kind == FailureClass::kProtocol);
    CHECK(failure.cause == c.cause);
    CHECK(fixture.pieces.empty());
  }
  CallFixture fixture(Protocol::kOpenAiChat);
  CHECK(reply_of(fixture.run({{200,
                               {{"content-encoding", "identity"},
                                {"transfer-encoding", "chunked"},
                                {"content-type", "text/plain"}},
                               {kAnswer},
                               {}}}))
            .text == "ok");
  // The status of an error is told whatever its body.
  CHECK(failure_of(
            fixture.run({{503, {{"content-encoding", "gzip"}}, {"x"}, {}}}))
            .cause == "http 503");
  CHECK(failure_of(fixture.run({{204, {}, {}, {}}})).kind ==
        FailureClass::kProtocol);
}

TEST_CASE("sizes are bounded: events, answers, bodies, error bodies") {
  const std::string mebibyte(size_t{1} << 20, 'x');
  const std::string event =
      sse({R"({"choices":[{"index":0,"delta":{"content":")" + mebibyte +
           R"("}}]})"});
  CallFixture fixture(Protocol::kOpenAiChat);
  const core::Failure answer =
      failure_of(fixture.run({ok(std::vector<std::string>(20, event))}));
  CHECK(answer.cause == "answer too large");
  CHECK(answer.bytes_streamed == size_t{16} << 20);
  const std::string comment = ": " + mebibyte + "\n";
  CHECK(failure_of(fixture.run({ok(std::vector<std::string>(70, comment))}))
            .cause == "body too large");
  CHECK(failure_of(fixture.run({ok(std::vector<std::string>(9, mebibyte))}))
            .cause == "event too large");
  const core::Failure error = failure_of(fixture.run(
      {{500, {}, std::vector<std::string>(70, mebibyte), std::nullopt}}));
  CHECK(error.cause == "http 500");
  CHECK(error.message.size() < 400);
}

TEST_CASE("a transfer that breaks after the end marker is complete") {
  CallFixture fixture(Protocol::kOpenAiChat);
  FakeResponse response = ok({kAnswer});
  response.then = broken(core::FailureClass::kTransient, "reset");
  CHECK(reply_of(fixture.run({response})).text == "ok");
}

TEST_CASE("a transfer that breaks while an error is read: the status counts") {
  CallFixture fixture(Protocol::kOpenAiChat);
  FakeResponse response{403, {}, {"{\"error\":"}, std::nullopt};
  response.then = broken(core::FailureClass::kTransient, "reset");
  CHECK(failure_of(fixture.run({response})).kind == FailureClass::kNotAllowed);
  response.then = broken(core::FailureClass::kCancelled, "cancelled");
  CHECK(failure_of(fixture.run({response})).kind == FailureClass::kCancelled);
}

}  // namespace
}  // namespace llmroute::provider
