// A call over HTTP: the protocol's request and decoder around one exchange.
#pragma once

#include <memory>
#include <optional>

#include "provider/call.h"
#include "provider/exchange.h"
#include "provider/parameter_memory.h"
#include "provider/transport.h"

namespace llmroute::provider {

// One request, and one more for each parameter that the model refuses by name
// (at most kMaxAdaptations). Whoever owns it sends request() to receiver() and
// tells ended() what came of it, until that returns a result:
//
//   HttpCall http(call, on_text);
//   auto result = http.begin();
//   while (!result) result = http.ended(send(http.request(), http.receiver()));
//
// REQUIRES: the provider's protocol is not exec. Borrows call and sink.
inline constexpr int kMaxAdaptations = 2;
class HttpCall {
 public:
  HttpCall(const Call& call, const TextSink& on_text);

  // A result: nothing may be sent.
  std::optional<CallResult> begin();
  const HttpRequest& request() const { return request_; }
  Receiver& receiver() { return *exchange_; }
  // Nothing: the request has changed, send it again.
  std::optional<CallResult> ended(std::optional<core::Failure> transport);

 private:
  const Call& call_;
  const TextSink& on_text_;
  RefusedParameters known_;  // when the request was made
  HttpRequest request_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<Exchange> exchange_;
  int adaptations_ = 0;
};

// The whole call, blocking.
CallResult http_call(const Call& call, const TextSink& on_text,
                     Transport& transport);

// What would be sent first.
HttpRequest http_request(const Call& call);

}  // namespace llmroute::provider
