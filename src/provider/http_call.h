// A call over HTTP: the protocol's request and decoder around one exchange.
#pragma once

#include "provider/call.h"
#include "provider/transport.h"

namespace llmroute::provider {

// REQUIRES: the provider's protocol is not exec. One request, and one more for
// each parameter that the model refuses by name (at most kMaxAdaptations).
inline constexpr int kMaxAdaptations = 2;
CallResult http_call(const Call& call, const TextSink& on_text,
                     Transport& transport);

// What http_call would send first.
HttpRequest http_request(const Call& call);

}  // namespace llmroute::provider
