// What an error body says, whichever of the providers' shapes it has: the
// OpenAI envelope, Anthropic's, Google's, flat ones, bare strings, validation
// lists, HTML of a proxy.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_text.h"

namespace llmroute::provider {

using base::Json;

// Empty: not said.
struct ErrorFacts {
  std::string message;  // the provider's words
  std::string code;     // "insufficient_quota", "429"
  std::string type;     // "rate_limit_error", "RESOURCE_EXHAUSTED"
  std::string param;    // the request field that is blamed
  std::string request_id;
  std::optional<std::chrono::milliseconds> retry_delay;
  bool key_invalid = false;  // said by a machine-readable reason
  bool daily_quota = false;
  bool moderated = false;  // by a content filter
};

// An error in a body that is JSON. The fields of a list of one are its
// element's.
ErrorFacts read_error(const Json& body);

// An error body as received: JSON, else its first 300 characters without tags.
ErrorFacts read_error_body(std::string_view body);

// The request field that the provider does not take from this model; "" if the
// error is about something else.
std::string refused_parameter(const ErrorFacts& error);

// Whether a reply or an event that came with status 200 is an error.
bool is_error(const Json& body);

}  // namespace llmroute::provider
