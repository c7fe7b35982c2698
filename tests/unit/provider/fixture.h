// What the tests of providers share: a call with everything borrowed kept
// alive, a transport that replays what it is told, short ways to read results.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "provider/call.h"
#include "provider/http_call.h"
#include "provider/transport.h"

namespace llmroute::provider {

// A response as a server would send it, in the pieces it would arrive in.
struct FakeResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> pieces;
  std::optional<core::Failure> then;  // how the transfer breaks after them
};

// Records what was asked; answers with the responses in order, the last one
// again and again.
class FakeTransport : public Transport {
 public:
  explicit FakeTransport(std::vector<FakeResponse> responses)
      : responses_(std::move(responses)) {}

  std::optional<core::Failure> send(const HttpRequest& request,
                                    Receiver& receiver) override {
    requests.push_back(request);
    const size_t index = std::min(requests.size(), responses_.size()) - 1;
    const FakeResponse& response = responses_[index];
    ResponseHead head{response.status, response.headers};
    if (!receiver.on_head(head)) return std::nullopt;
    for (const std::string& piece : response.pieces) {
      if (!receiver.on_body(piece)) return std::nullopt;
      if (!receiver.on_pause()) return std::nullopt;
      if (receiver.complete()) return std::nullopt;
    }
    return response.then;
  }

  std::vector<HttpRequest> requests;

 private:
  std::vector<FakeResponse> responses_;
};

// Owns what a Call borrows.
struct CallFixture {
  explicit CallFixture(core::Protocol protocol) {
    static int number = 0;
    // A name of its own: refused parameters are remembered by it.
    provider.name = "provider-" + std::to_string(++number);
    provider.protocol = protocol;
    provider.base_url = "https://api.example.com";
    model.name = "m";
    model.id = "vendor-m";
    prompt.messages.push_back({core::Role::kUser, "Hi"});
  }

  Call call() const {
    return Call{provider, model, prompt, key, output_cap, stream, {}, {}};
  }
  std::string body() const { return http_request(call()).body; }

  // Result of one call and what the sink got, one string per call with text.
  CallResult run(Transport& transport) {
    return http_call(
        call(),
        [this](std::string_view text) {
          text.empty() ? (void)++other : (void)pieces.emplace_back(text);
          return true;
        },
        transport);
  }
  CallResult run(std::vector<FakeResponse> responses) {
    FakeTransport transport(std::move(responses));
    return run(transport);
  }

  core::Provider provider;
  core::Model model;
  core::Prompt prompt;
  std::string key;
  int64_t output_cap = 0;
  bool stream = true;
  std::vector<std::string> pieces;
  int other = 0;  // calls of the sink without text
};

// REQUIRES the alternative that is asked for; fails the test otherwise.
inline core::Reply reply_of(const CallResult& result) {
  if (const auto* failure = std::get_if<core::Failure>(&result)) {
    FAIL("failed: " << failure->cause << ": " << failure->message);
  }
  return std::get<core::Reply>(result);
}

inline core::Failure failure_of(const CallResult& result) {
  if (const auto* reply = std::get_if<core::Reply>(&result)) {
    FAIL("answered: " << reply->text);
  }
  return std::get<core::Failure>(result);
}

inline FakeResponse ok(std::vector<std::string> pieces) {
  return {200, {}, std::move(pieces), std::nullopt};
}

// What a transport says of a transfer that broke.
inline core::Failure broken(core::FailureClass kind, const char* cause) {
  core::Failure failure;
  failure.kind = kind;
  failure.cause = cause;
  return failure;
}

// Events as they stand on the wire, data only.
inline std::string sse(const std::vector<std::string>& datas) {
  std::string text;
  for (const std::string& data : datas) text += "data: " + data + "\n\n";
  return text;
}

}  // namespace llmroute::provider
