#include "provider/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "provider/retry_hint.h"

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;
using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 10> kTooLongWords = {
    "maximum context length",
    "prompt is too long",
    "exceeds the available context size",
    "input token count",
    "input is too long",
    "context window",
    "reduce the length",
    "too many tokens",
    "exceed context limit",
    "context length exceeded"};
constexpr std::array<std::string_view, 3> kTooLongCodes = {
    "context_length_exceeded", "exceed_context_size_error",
    "string_above_max_length"};
constexpr std::array<std::string_view, 5> kMoneyCodes = {
    "insufficient_quota", "billing", "spend", "credit", "insufficient_balance"};
constexpr std::array<std::string_view, 7> kMoneyWords = {
    "insufficient_quota",   "current quota", "billing",    "spending limit",
    "insufficient balance", "credit",        "spend limit"};
// On a 400 or 403 only these are about money: "credit" alone may be anything.
constexpr std::array<std::string_view, 3> kBalanceWords = {
    "credit balance", "insufficient balance", "insufficient_quota"};
constexpr std::array<std::string_view, 4> kModelGoneWords = {
    "model_not_found", "deploymentnotfound", "is not a valid model",
    "model identifier is invalid"};
constexpr std::array<std::string_view, 3> kKeyWords = {
    "incorrect api key", "invalid api key", "api key not valid"};

bool has_any(const std::string& lower_text, Words words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return lower_text.find(word) != std::string::npos;
  });
}

// An error in lower case, for comparison.
struct Said {
  std::string code;  // code and type
  std::string text;  // message
  bool anywhere(Words words) const {
    return has_any(code, words) || has_any(text, words);
  }
};

Said said(const ErrorFacts& error) {
  return {base::to_lower_ascii(error.code + " " + error.type),
          base::to_lower_ascii(error.message)};
}

struct NamedStatus {
  std::string_view name;
  int status;
};

// Statuses that error codes and types stand for; first match wins.
constexpr std::array<NamedStatus, 27> kNamedStatuses = {{
    {"overloaded", 529},
    {"rate_limit", 429},
    {"throttl", 429},
    {"resource_exhausted", 429},
    {"insufficient_quota", 429},
    {"capacity", 503},
    {"unavailable", 503},
    {"authentication", 401},
    {"unauthenticated", 401},
    {"invalid_api_key", 401},
    {"billing", 402},
    {"permission", 403},
    {"model_not_found", 404},
    {"not_found", 404},
    {"request_too_large", 413},
    {"context_length_exceeded", 400},
    {"exceed_context_size", 400},
    {"invalid_request", 400},
    {"invalid_argument", 400},
    {"unsupported_", 400},
    {"content_filter", 400},
    {"validation", 422},
    {"timeout", 504},
    {"deadline", 504},
    {"server_error", 500},
    {"api_error", 500},
    {"internal", 500},
}};

// The status an error inside a 200 would have had.
int status_of(const ErrorFacts& error, const Said& words) {
  const auto number = base::parse_int(error.code);
  if (number && *number >= 400 && *number <= 599) {
    return static_cast<int>(*number);
  }
  for (const auto& [name, status] : kNamedStatuses) {
    if (words.code.find(name) != std::string::npos) return status;
  }
  if (has_any(words.text, kTooLongWords)) return 400;
  if (words.text.find("does not support") != std::string::npos) return 400;
  if (words.text.starts_with("model ") &&
      words.text.find("not found") != std::string::npos) {
    return 404;
  }
  return 500;
}

FailureClass class_of_429(const ErrorFacts& error, const Said& words,
                          bool hinted) {
  if (error.daily_quota || has_any(words.code, kMoneyCodes)) {
    return FailureClass::kNoMoney;
  }
  if (!hinted && has_any(words.text, kMoneyWords)) {
    return FailureClass::kNoMoney;
  }
  return FailureClass::kThrottled;
}

bool too_long(const Said& words) {
  return has_any(words.code, kTooLongCodes) ||
         has_any(words.text, kTooLongWords);
}

FailureClass class_of_400(const ErrorFacts& error, const Said& words) {
  if (error.moderated) return FailureClass::kOurFault;
  if (error.key_invalid || words.anywhere(kKeyWords)) {
    return FailureClass::kNotAllowed;
  }
  if (too_long(words)) return FailureClass::kTooLong;
  if (words.anywhere(kBalanceWords) ||
      words.code.find("billing") != std::string::npos) {
    return FailureClass::kNoMoney;
  }
  if (words.anywhere(kModelGoneWords)) return FailureClass::kGone;
  return FailureClass::kOurFault;
}

FailureClass class_of_403(const ErrorFacts& error, const Said& words) {
  if (error.moderated) return FailureClass::kOurFault;
  if (too_long(words)) return FailureClass::kTooLong;
  if (words.anywhere(kBalanceWords)) return FailureClass::kNoMoney;
  return FailureClass::kNotAllowed;
}

// Every row of the table of classes.
FailureClass class_of(int status, const ErrorFacts& error,
                      bool hinted) {  // NOLINT: a table
  const Said words = said(error);
  switch (status) {
    case 401:
    case 407:
      return FailureClass::kNotAllowed;
    case 402:
      return hinted ? FailureClass::kThrottled : FailureClass::kNoMoney;
    case 403:
      return class_of_403(error, words);
    case 404:
    case 410:
    case 501:
    case 505:
      return FailureClass::kGone;
    case 413:
      // One request over a limit per minute is a matter of waiting.
      return words.code.find("rate_limit") != std::string::npos
                 ? FailureClass::kThrottled
                 : FailureClass::kTooLong;
    case 429:
    case 498:
      return class_of_429(error, words, hinted);
    case 408:
    case 409:
    case 424:
    case 425:
    case 499:
      return FailureClass::kTransient;
    default:
      break;
  }
  if (status >= 500) {
    return has_any(words.code, kTooLongCodes) ? FailureClass::kTooLong
                                              : FailureClass::kTransient;
  }
  if (status >= 400) return class_of_400(error, words);
  return FailureClass::kProtocol;
}

std::optional<bool> should_retry(const ResponseHead& head) {
  const auto value = head.find("x-should-retry");
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

std::string cause_of(int status, const ErrorFacts& error) {
  if (error.moderated) return "content filter";
  return fmt::format("http {}", status);
}

Failure build(int status, const ResponseHead& head, const ErrorFacts& error,
              base::Wall now) {
  Failure failure;
  failure.retry_after = retry_hint_in_headers(head, now);
  if (!failure.retry_after) failure.retry_after = error.retry_delay;
  failure.kind = class_of(status, error, failure.retry_after.has_value());
  failure.http_status = head.status;
  if (head.status >= 400) failure.should_retry = should_retry(head);
  failure.request_id = request_id(head);
  if (failure.request_id.empty()) failure.request_id = error.request_id;
  failure.sent = true;
  return failure;
}

std::string with_words(const std::string& what, const std::string& words) {
  return words.empty() ? what : what + ": " + words;
}

}  // namespace

std::string request_id(const ResponseHead& head) {
  for (const char* name :
       {"x-request-id", "request-id", "apim-request-id", "x-generation-id"}) {
    if (const auto id = head.find(name)) return std::string(*id);
  }
  return {};
}

Failure protocol_failure(std::string_view cause, std::string message) {
  Failure failure;
  failure.kind = FailureClass::kProtocol;
  failure.cause = cause;
  failure.message = std::move(message);
  failure.sent = true;
  return failure;
}

Failure cut_stream() {
  Failure failure;
  failure.kind = FailureClass::kTransient;
  failure.cause = "cut stream";
  failure.message = "the stream ended before its end marker";
  failure.sent = true;
  return failure;
}

Failure failure_of_status(const ResponseHead& head, std::string_view body,
                          base::Wall now) {
  if (head.status / 100 == 3) {
    Failure failure = protocol_failure(
        "redirect",
        fmt::format("HTTP {}: redirected to {}, which is never followed: set "
                    "base_url to the right address",
                    head.status, head.find("location").value_or("nowhere")));
    failure.http_status = head.status;
    failure.request_id = request_id(head);
    return failure;
  }
  const ErrorFacts error = read_error_body(body);
  Failure failure = build(head.status, head, error, now);
  failure.cause = cause_of(head.status, error);
  failure.message =
      with_words(fmt::format("HTTP {}", head.status), error.message);
  return failure;
}

Failure failure_of_error(const ResponseHead& head, const ErrorFacts& error,
                         base::Wall now) {
  Failure failure = build(status_of(error, said(error)), head, error, now);
  const std::string kind = error.type.empty() ? error.code : error.type;
  failure.cause = error.moderated ? "content filter" : "error in reply";
  failure.message = with_words(
      kind.empty() ? "error in a 200 reply" : kind + " in a 200 reply",
      error.message);
  return failure;
}

}  // namespace llmroute::provider
