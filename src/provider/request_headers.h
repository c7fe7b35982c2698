// What every HTTP request to a provider has in common.
#pragma once

#include <string_view>

#include "provider/call.h"
#include "provider/transport.h"

namespace llmroute::provider {

// Adds the call's key, if it has one, to the provider's key_header, else to
// `usual`; in Authorization it is a bearer token.
void add_key(const Call& call, std::string_view usual, HttpRequest& request);

// Adds content type, accepted type, the provider's own headers (which replace
// ours of the same name), time limits, trust and cancellation.
HttpRequest with_common_headers(const Call& call, HttpRequest request);

}  // namespace llmroute::provider
