#include "provider/failure.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::provider {
namespace {

using core::FailureClass;
using Headers = std::vector<std::pair<std::string, std::string>>;

const base::Wall kNow{};

struct Case {
  int status;
  const char* body;
  FailureClass kind;
  Headers headers = {};
};

constexpr const char* kGeminiMinute =
    R"({"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}})";
constexpr const char* kGeminiDay =
    R"({"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},{"retryDelay":"10s"}]}})";

// The rows of the table of classes, then what providers say in other ways.
const std::vector<Case> kCases = {
    {408, "", FailureClass::kTransient},
    {409, "", FailureClass::kTransient},
    {424, "", FailureClass::kTransient},
    {425, "", FailureClass::kTransient},
    {500, "", FailureClass::kTransient},
    {502, "<html><h1>Bad gateway</h1></html>", FailureClass::kTransient},
    {503,
     R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
     FailureClass::kTransient},
    {504, "", FailureClass::kTransient},
    {520, "", FailureClass::kTransient},
    {524, "", FailureClass::kTransient},
    {529,
     R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
     FailureClass::kTransient},
    {429, "", FailureClass::kThrottled},
    {429,
     R"({"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}})",
     FailureClass::kThrottled},
    {429, kGeminiMinute, FailureClass::kThrottled},
    {429,
     R"({"error":{"message":"You exceeded your current quota"}})",
     FailureClass::kThrottled,
     {{"retry-after", "5"}}},
    {498, "", FailureClass::kThrottled},
    {402, "", FailureClass::kThrottled, {{"retry-after", "5"}}},
    {413,
     R"({"error":{"message":"Request too large for model on tokens per minute","type":"tokens","code":"rate_limit_exceeded"}})",
     FailureClass::kThrottled},
    {402, "", FailureClass::kNoMoney},
    {429,
     R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}})",
     FailureClass::kNoMoney},
    {429,
     R"({"error":{"message":"x","code":"insufficient_quota"}})",
     FailureClass::kNoMoney,
     {{"retry-after", "5"}}},
    {429, R"({"error":{"message":"x","code":"billing_hard_limit_reached"}})",
     FailureClass::kNoMoney},
    {429, R"({"error":{"message":"You exceeded your current quota"}})",
     FailureClass::kNoMoney},
    {429, kGeminiDay, FailureClass::kNoMoney},
    {400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}})",
     FailureClass::kNoMoney},
    {403, R"({"error":{"message":"x","code":"insufficient_quota"}})",
     FailureClass::kNoMoney},
    {401,
     R"({"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}})",
     FailureClass::kNotAllowed},
    {403,
     R"({"type":"error","error":{"type":"permission_error","message":"no"}})",
     FailureClass::kNotAllowed},
    {403, "", FailureClass::kNotAllowed},
    {407, "", FailureClass::kNotAllowed},
    {400,
     R"([{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}])",
     FailureClass::kNotAllowed},
    {400,
     R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: xx***yy."})",
     FailureClass::kNotAllowed},
    {413, "<html>413 Request Entity Too Large</html>", FailureClass::kTooLong},
    {413,
     R"({"type":"error","error":{"type":"request_too_large","message":"x"}})",
     FailureClass::kTooLong},
    {400,
     R"({"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130123 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}})",
     FailureClass::kTooLong},
    {400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})",
     FailureClass::kTooLong},
    {400,
     R"({"error":{"code":400,"message":"request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error"}})",
     FailureClass::kTooLong},
    {400,
     R"({"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}})",
     FailureClass::kTooLong},
    {403,
     R"({"error":{"message":"Input is too long: `inputs` tokens + `max_new_tokens` must be <= 8193"}})",
     FailureClass::kTooLong},
    {404,
     R"({"error":{"message":"The model `x` does not exist","code":"model_not_found"}})",
     FailureClass::kGone},
    {404, R"({"error":"model 'x' not found, try pulling it first"})",
     FailureClass::kGone},
    {410, "", FailureClass::kGone},
    {501, "", FailureClass::kGone},
    {505, "", FailureClass::kGone},
    {400, R"({"error":{"message":"x is not a valid model ID","code":400}})",
     FailureClass::kGone},
    {400, R"({"error":{"message":"bad","type":"invalid_request_error"}})",
     FailureClass::kOurFault},
    {405, "", FailureClass::kOurFault},
    {422,
     R"({"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error"}]})",
     FailureClass::kOurFault},
    {400,
     R"({"error":{"code":"content_filter","message":"filtered","param":"prompt"}})",
     FailureClass::kOurFault},
    {403,
     R"({"error":{"code":403,"message":"moderated","metadata":{"reasons":["violence"]}}})",
     FailureClass::kOurFault},
    {301, "", FailureClass::kProtocol, {{"location", "https://b.example"}}},
    {307, "", FailureClass::kProtocol},
};

TEST_CASE("every status is classified by its row") {
  for (const Case& c : kCases) {
    CAPTURE(c.status);
    CAPTURE(c.body);
    const auto failure = failure_of_status({c.status, c.headers}, c.body, kNow);
    CHECK(core::failure_class_name(failure.kind) ==
          core::failure_class_name(c.kind));
    CHECK(failure.http_status == c.status);
    CHECK(failure.sent);
  }
}

TEST_CASE("an error inside a 200 is classified by what it says") {
  struct Inner {
    const char* body;
    FailureClass kind;
  };
  for (
      const auto& [body, kind] : std::vector<Inner>{
          {R"({"error":{"message":"x","type":"server_error","code":null}})",
           FailureClass::kTransient},
          {R"({"error":{"message":"x","code":503}})", FailureClass::kTransient},
          {R"({"error":{"message":"x","code":"429"}})",
           FailureClass::kThrottled},
          {R"({"error":{"message":"x","code":"insufficient_quota"}})",
           FailureClass::kNoMoney},
          {R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})",
           FailureClass::kTransient},
          {R"({"type":"error","error":{"type":"rate_limit_error","message":"x"}})",
           FailureClass::kThrottled},
          {R"({"type":"error","error":{"type":"authentication_error","message":"x"}})",
           FailureClass::kNotAllowed},
          {R"({"type":"error","error":{"type":"billing_error","message":"x"}})",
           FailureClass::kNoMoney},
          {R"({"type":"error","error":{"type":"not_found_error","message":"x"}})",
           FailureClass::kGone},
          {R"({"type":"error","error":{"type":"invalid_request_error","message":"x"}})",
           FailureClass::kOurFault},
          {R"({"type":"error","error":{"type":"request_too_large","message":"x"}})",
           FailureClass::kTooLong},
          {R"({"object":"error","message":"x","type":"BadRequestError","code":400})",
           FailureClass::kOurFault},
          {R"({"code":500,"message":"the request exceeds the available context size","type":"exceed_context_size_error"})",
           FailureClass::kTooLong},
          {R"({"error":"server busy, please try again.  maximum pending requests exceeded"})",
           FailureClass::kTransient},
          {R"({"error":"model 'x' not found"})", FailureClass::kGone},
          {R"({"error":"this model's maximum context length is 9"})",
           FailureClass::kTooLong},
          {R"({"error":"m does not support thinking"})",
           FailureClass::kOurFault},
          {R"({"error":"x","error_type":"overloaded"})",
           FailureClass::kTransient},
          {R"({"error":"x","error_type":"validation"})",
           FailureClass::kOurFault}}) {
    CAPTURE(body);
    const auto failure =
        failure_of_error({200, {}}, read_error_body(body), kNow);
    CHECK(core::failure_class_name(failure.kind) ==
          core::failure_class_name(kind));
    CHECK(failure.http_status == 200);
  }
}

TEST_CASE("x-should-retry is passed on for error statuses only") {
  const Headers yes = {{"x-should-retry", "true"}};
  const Headers no = {{"x-should-retry", "false"}};
  CHECK(failure_of_status({400, yes}, "", kNow).should_retry == true);
  CHECK(failure_of_status({503, no}, "", kNow).should_retry == false);
  CHECK_FALSE(failure_of_status({503, {{"x-should-retry", "1"}}}, "", kNow)
                  .should_retry.has_value());
  CHECK_FALSE(failure_of_error({200, yes}, {}, kNow).should_retry.has_value());
}

TEST_CASE("the wait comes from the header, else from the body") {
  const auto body = R"({"error":{"message":"Please try again in 5.2s"}})";
  CHECK(failure_of_status({429, {{"retry-after", "2"}}}, body, kNow)
            .retry_after == std::chrono::milliseconds(2000));
  CHECK(failure_of_status({429, {}}, body, kNow).retry_after ==
        std::chrono::milliseconds(5200));
  CHECK(failure_of_status({429, {}}, kGeminiMinute, kNow).retry_after ==
        std::chrono::milliseconds(34070));
  CHECK_FALSE(failure_of_status({429, {}}, "", kNow).retry_after.has_value());
}

TEST_CASE("a redirect names where it wanted to go") {
  const auto failure = failure_of_status(
      {302, {{"location", "https://elsewhere.example/v1"}}}, "", kNow);
  CHECK(failure.cause == "redirect");
  CHECK(failure.message.find("https://elsewhere.example/v1") !=
        std::string::npos);
}

TEST_CASE("the request id comes from any of its headers, or the body") {
  for (const char* name :
       {"x-request-id", "request-id", "apim-request-id", "x-generation-id"}) {
    CAPTURE(name);
    CHECK(failure_of_status({500, {{name, "req-1"}}}, "", kNow).request_id ==
          "req-1");
  }
  CHECK(failure_of_status({500, {}}, R"({"request_id":"req_2"})", kNow)
            .request_id == "req_2");
}

TEST_CASE("causes are short and stable") {
  CHECK(failure_of_status({503, {}}, "", kNow).cause == "http 503");
  CHECK(failure_of_error({200, {}}, {}, kNow).cause == "error in reply");
  CHECK(failure_of_status({400, {}}, R"({"error":{"code":"content_filter"}})",
                          kNow)
            .cause == "content filter");
  CHECK(cut_stream().cause == "cut stream");
}

}  // namespace
}  // namespace llmroute::provider
