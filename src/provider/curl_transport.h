// HTTP over libcurl.
#pragma once

#include "provider/transport.h"

namespace llmroute::provider {

// This thread's transport. Its connections are kept and used again by the
// calls of the same thread until the thread ends.
Transport& curl_transport();

}  // namespace llmroute::provider
