// The file of llmroute-http.so: libcurl and what it needs for HTTP in one
// module (cmake/http_module.cmake), a fifth of the time to open.
#pragma once

#include "base/files.h"

namespace llmroute::provider {

// The module of this program, open for reading: beside it, or in
// ../lib/llmroute as installed; looked for nowhere else. Not valid if there is
// none, if somebody could have written it who could not have written the
// program, or if its end is missing, which would end the process that opens it.
base::Descriptor find_http_module();

}  // namespace llmroute::provider
