// What every HTTP request to a provider has in common.
#pragma once

#include "provider/call.h"
#include "provider/transport.h"

namespace llmroute::provider {

// Adds content type, accepted type, the provider's own headers (which replace
// ours of the same name), time limits, trust and cancellation.
HttpRequest with_common_headers(const Call& call, HttpRequest request);

}  // namespace llmroute::provider
