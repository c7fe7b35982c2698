#include "provider/ollama.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Finish;
using core::Protocol;

std::string line(const std::string& text, const std::string& rest = "") {
  return R"({"model":"served","message":{"role":"assistant","content":")" +
         text + R"("},"done":)" + (rest.empty() ? "false" : rest) + "}\n";
}

const std::string kEnd = line(
    "", R"(true,"done_reason":"stop","prompt_eval_count":26,"eval_count":9)");

CallResult run(const std::string& body) {
  CallFixture fixture(Protocol::kOllama);
  return fixture.run({ok({body})});
}

TEST_CASE("OLR-1: the request as the server wants it") {
  CallFixture fixture(Protocol::kOllama);
  fixture.provider.base_url = "http://127.0.0.1:11434";
  fixture.output_cap = 256;
  fixture.model.context_window = 8192;
  fixture.prompt.system = "Be brief.";
  auto& parameters = fixture.prompt.parameters;
  parameters.temperature = 0.5;
  parameters.stop = {"END"};
  parameters.seed = 1;
  parameters.extra = {{"keep_alive", "5m"}, {"think", "false"}};
  const HttpRequest request = http_request(fixture.call());
  CHECK(request.url == "http://127.0.0.1:11434/api/chat");
  CHECK(request.body ==
        R"({"model":"vendor-m","messages":[{"role":"system","content":"Be )"
        R"(brief."},{"role":"user","content":"Hi"}],"stream":true,)"
        R"("truncate":false,"options":{"num_predict":256,"num_ctx":8192,)"
        R"("temperature":0.5,"stop":["END"],"seed":1},"keep_alive":"5m",)"
        R"("think":false})");
}

TEST_CASE("the context is the window, or the step that holds the request") {
  struct Case {
    int64_t window;
    size_t prompt_bytes;
    int64_t output_cap;
    const char* expected;
  };
  for (const Case& c :
       std::vector<Case>{{4096, 10, 100, "\"num_ctx\":4096"},
                         {32768, 10, 100, "\"num_ctx\":32768"},
                         {131072, 10, 100, "\"num_ctx\":32768"},
                         {131072, 10, 0, "\"num_ctx\":32768"},
                         {131072, 32000, 1000, "\"num_ctx\":65536"},
                         {131072, 10, 40000, "\"num_ctx\":65536"},
                         {100000, 90000, 100, "\"num_ctx\":100000"},
                         {100000, 900000, 100, "\"num_ctx\":100000"}}) {
    CAPTURE(c.expected);
    CallFixture fixture(Protocol::kOllama);
    fixture.model.context_window = c.window;
    fixture.output_cap = c.output_cap;
    fixture.prompt.messages[0].text.assign(c.prompt_bytes, 'x');
    CHECK(fixture.body().find(c.expected) != std::string::npos);
  }
  CallFixture unknown(Protocol::kOllama);
  CHECK(unknown.body().find("num_ctx") == std::string::npos);
}

TEST_CASE("stream is always said, since the server's default is true") {
  CallFixture fixture(Protocol::kOllama);
  fixture.stream = false;
  CHECK(fixture.body() ==
        R"({"model":"vendor-m","messages":[{"role":"user","content":"Hi"}],)"
        R"("stream":false,"truncate":false})");
}

TEST_CASE("a stream of lines, with what belongs to it") {
  const core::Reply reply =
      reply_of(run(line("Hel") + "\r\n\n" + line("lo") + kEnd));
  CHECK(reply.text == "Hello");
  CHECK(reply.finish == Finish::kStop);
  CHECK(reply.served_model == "served");
  CHECK(reply.usage.input == 26);
  CHECK(reply.usage.output == 9);
}

TEST_CASE("done reasons") {
  const auto finish = [](const char* rest) {
    return reply_of(run(line("a", rest))).finish;
  };
  CHECK(finish(R"(true,"done_reason":"stop")") == Finish::kStop);
  CHECK(finish(R"(true,"done_reason":"length")") == Finish::kLength);
  CHECK(finish(R"(true,"done_reason":"load")") == Finish::kOther);
  CHECK(finish("true") == Finish::kStop);
  const core::Failure broke =
      failure_of(run(line("a", R"(true,"done_reason":"")")));
  CHECK(broke.kind == core::FailureClass::kTransient);
}

TEST_CASE("S19: torn lines are cuts, several objects on a line are not") {
  const core::Failure torn = failure_of(run(line("a") + R"({"message":{"con)"));
  CHECK(torn.cause == "cut stream");
  CHECK(torn.bytes_streamed == 1);
  CHECK(failure_of(run(line("a"))).cause == "cut stream");
  std::string together = line("a") + line("}b{") + kEnd;
  std::erase(together, '\n');
  CHECK(reply_of(run(together)).text == "a}b{");
  CHECK(failure_of(run(line("a") + "{]\n" + kEnd)).cause == "malformed stream");
}

TEST_CASE("the last line counts without its line end") {
  const std::string end = kEnd.substr(0, kEnd.size() - 1);
  CHECK(reply_of(run(line("a") + end)).text == "a");
  CHECK(
      reply_of(run(line("ab", "true").substr(0, line("ab", "true").size() - 1)))
          .text == "ab");
}

TEST_CASE("an error line under status 200 is a failure") {
  const core::Failure failure = failure_of(
      run(line("a") + R"({"error":"server busy, please try again"})" + "\n"));
  CHECK(failure.kind == core::FailureClass::kTransient);
  CHECK(failure.bytes_streamed == 1);
}

TEST_CASE("usage may be missing, thinking is not printed") {
  const core::Reply reply =
      reply_of(run(R"({"message":{"content":"","thinking":"hm"},"done":false})"
                   "\n" +
                   line("a", "true")));
  CHECK(reply.text == "a");
  CHECK_FALSE(reply.usage.input.has_value());
  CHECK_FALSE(reply.usage.output.has_value());
}

TEST_CASE("the listing of models") {
  core::Provider provider;
  provider.base_url = "http://127.0.0.1:11434";
  FakeTransport transport({ok(
      {R"({"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":2019393189,"capabilities":["completion","tools"],"details":{"family":"llama","parameter_size":"3.2B","context_length":131072}},{"name":"old:7b"}]})"})});
  const auto models =
      list_ollama_models(provider, std::chrono::milliseconds(300), transport);
  REQUIRE(models.has_value());
  REQUIRE(models->size() == 2);
  CHECK((*models)[0].name == "llama3.2:latest");
  CHECK((*models)[0].parameter_size == "3.2B");
  CHECK((*models)[0].tools);
  CHECK((*models)[0].context_length == 131072);
  CHECK((*models)[1].name == "old:7b");
  CHECK_FALSE((*models)[1].tools);
  CHECK_FALSE((*models)[1].context_length.has_value());
  CHECK(transport.requests[0].method == "GET");
  CHECK(transport.requests[0].url == "http://127.0.0.1:11434/api/tags");
  CHECK(transport.requests[0].timeouts.total == std::chrono::milliseconds(300));
}

TEST_CASE("what does not list models is told apart from what is not there") {
  core::Provider provider;
  provider.base_url = "http://127.0.0.1:11434";
  const auto kind = [&](FakeResponse response) {
    FakeTransport transport({std::move(response)});
    return list_ollama_models(provider, std::chrono::milliseconds(300),
                              transport)
        .error()
        .kind;
  };
  CHECK(kind(ok({"<html>"})) == base::ErrorKind::kProtocol);
  CHECK(kind(ok({"{}"})) == base::ErrorKind::kProtocol);
  CHECK(kind({404, {}, {R"({"models":[]})"}, {}}) ==
        base::ErrorKind::kProtocol);
  FakeResponse refused = ok({});
  refused.then = broken(core::FailureClass::kTransient, "refused");
  CHECK(kind(refused) == base::ErrorKind::kTryLater);
}

}  // namespace
}  // namespace llmroute::provider
