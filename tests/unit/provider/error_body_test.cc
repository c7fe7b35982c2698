#include "provider/error_body.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/utf8.h"

namespace llmroute::provider {
namespace {

TEST_CASE("the words are found in every shape of error") {
  struct Case {
    const char* body;
    const char* message;
  };
  for (const auto& [body, message] : std::vector<Case>{
           {R"({"error":{"message":"a","type":"b"},"message":"c"})", "a"},
           {R"({"error":"a","code":"b"})", "a"},
           {R"({"object":"error","message":"a"})", "a"},
           {R"({"Message":"a"})", "a"},
           {R"({"detail":"a"})", "a"},
           {R"({"detail":[{"loc":["body","messages",0],"msg":"a"}]})",
            "body.messages.0: a"},
           {R"({"detail":[{"msg":"a"}]})", "a"},
           {R"({"fault":{"faultstring":"a"}})", "a"},
           {R"({"errors":[{"message":"a"}]})", "a"},
           {R"({"error_description":"a"})", "a"},
           {R"([{"error":{"message":"a"}}])", "a"},
           {R"({"x_groq":{"error":"a"}})", "a"},
           {"plain words", "plain words"},
           {"<html><head><title>502</title></head>\n<p>Bad  gateway</p>",
            "502 Bad gateway"},
           {"{\"error\":", "{\"error\":"},
           {"{}", "{}"},
           {"", ""}}) {
    CAPTURE(body);
    CHECK(read_error_body(body).message == message);
  }
}

TEST_CASE("codes may be numbers, types may be statuses") {
  const ErrorFacts number = read_error_body(R"({"error":{"code":429}})");
  CHECK(number.code == "429");
  const ErrorFacts google =
      read_error_body(R"({"error":{"code":503,"status":"UNAVAILABLE"}})");
  CHECK(google.type == "UNAVAILABLE");
  const ErrorFacts fireworks = read_error_body(
      R"({"fault":{"faultstring":"x","detail":{"errorcode":"policies.x"}}})");
  CHECK(fireworks.code == "policies.x");
  const ErrorFacts nothing =
      read_error_body(R"({"error":{"code":null,"type":null}})");
  CHECK(nothing.code.empty());
  CHECK(nothing.type.empty());
}

TEST_CASE("half of a surrogate pair in a message is replaced") {
  const auto facts =
      read_error_body(R"({"error":{"message":"availabl\ude80e","code":400}})");
  CHECK(facts.message.starts_with("availabl\uFFFD"));
  CHECK(!base::find_invalid_utf8(facts.message));
}

TEST_CASE("text without JSON is cut at 300 bytes, between characters") {
  std::string body;
  for (int i = 0; i < 200; ++i) body += "\xC3\xA9";
  const std::string message = read_error_body("a" + body).message;
  CHECK(message.size() == 299 + 3);
  CHECK(message.ends_with("\xC3\xA9..."));
}

TEST_CASE("bytes that are not UTF-8 are replaced") {
  CHECK(read_error_body("a\xFF").message == "a\xEF\xBF\xBD");
}

TEST_CASE("a refused parameter is named by field, place or quotes") {
  struct Case {
    const char* body;
    const char* name;
  };
  for (
      const auto& [body, name] : std::vector<Case>{
          {R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model.","param":"max_tokens","code":"unsupported_parameter"}})",
           "max_tokens"},
          {R"({"error":{"message":"Unsupported value: 'temperature' does not support 0","param":"temperature","code":"unsupported_value"}})",
           "temperature"},
          {R"({"error":{"message":"Unsupported parameter: 'seed' is not supported","code":null}})",
           "seed"},
          {R"({"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}})",
           "temperature"},
          {R"({"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]})",
           "stream_options"},
          {R"({"error":{"message":"'messages' must not be empty","param":"messages","code":"invalid_value"}})",
           ""},
          {R"({"error":{"message":"bad 'thing'"}})", ""},
          {"", ""}}) {
    CAPTURE(body);
    CHECK(refused_parameter(read_error_body(body)) == name);
  }
}

TEST_CASE("what counts as an error in a 200") {
  const auto error = [](const char* text) {
    return is_error(base::read_json(text)->root);
  };
  for (const char* text :
       {R"({"error":{}})", R"({"error":"x"})", R"({"object":"error"})",
        R"({"type":"error"})", R"([{"error":{"code":1}}])",
        R"({"x_groq":{"error":"x"}})"}) {
    CAPTURE(text);
    CHECK(error(text));
  }
  for (const char* text :
       {"{}", R"({"error":null,"choices":[]})", R"({"error":""})",
        R"({"type":"ping"})", R"({"x_groq":{"id":"x"}})", "[]", "3"}) {
    CAPTURE(text);
    CHECK_FALSE(error(text));
  }
}

}  // namespace
}  // namespace llmroute::provider
