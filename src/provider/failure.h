// What an error status or an error in a stream means for retry, fallback and
// exit status. The table of classes: docs/reliability.md; the providers' words:
// docs/providers.md.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "core/reply.h"
#include "provider/error_body.h"
#include "provider/transport.h"

namespace llmroute::provider {

// A response whose status is not 2xx. `body` may be cut.
core::Failure failure_of_status(const ResponseHead& head, std::string_view body,
                                base::Wall now);

// An error that came with status 200, in the body or in a stream: classified as
// if its kind had been the status.
core::Failure failure_of_error(const ResponseHead& head,
                               const ErrorFacts& error, base::Wall now);

// A reply that made no sense.
core::Failure protocol_failure(std::string_view cause, std::string message);

// A stream that ended, or broke, before its end marker.
core::Failure cut_stream();

// The id under which the provider can find the request; "" if not said.
std::string request_id(const ResponseHead& head);

}  // namespace llmroute::provider
