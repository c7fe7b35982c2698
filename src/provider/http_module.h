// The file of llmroute-http.so: libcurl and what it needs for HTTP in one
// module (cmake/http_module.cmake), a fifth of the time to open.
#pragma once

#include <string>

#include "base/files.h"

namespace llmroute::provider {

struct HttpModule {
  base::Descriptor file;  // open for reading
  // To load it by while it is open: the descriptor, so that the file that was
  // looked at is loaded and no other. Without /proc its path, if nobody else
  // can replace what lies there.
  std::string name;
};

// The module of this program: beside it, or in ../lib/llmroute as installed;
// looked for nowhere else. Its file is not valid if there is none, if somebody
// could have written it who could not have written the program, or if its end
// is missing, which would end the process that opens it.
HttpModule find_http_module();

}  // namespace llmroute::provider
