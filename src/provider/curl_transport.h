// HTTP over libcurl.
#pragma once

#include <string>

#include "provider/transport.h"

namespace llmroute::provider {

// This thread's transport. Its connections are kept and used again by the
// calls of the same thread until the thread ends.
Transport& curl_transport();

// For a person: the libcurl that calls are made with, or why there is none.
std::string http_implementation();

}  // namespace llmroute::provider
