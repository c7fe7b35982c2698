#include "provider/preload.h"

#include <cstdlib>
#include <new>
#include <system_error>
#include <utility>

#include "base/json_text.h"
#include "provider/curl_library.h"

namespace llmroute::provider {
namespace {

void open_libraries(const std::function<void()>& first) {
  try {
    if (first) first();
    (void)curl_library();
    (void)base::read_json("{}");
  } catch (const std::bad_alloc&) {
    // The first call tries again, where it can be told.
  }
}

}  // namespace

Preload::Preload(std::function<void()> first, bool tls_keylog) {
  // Here and not beside the library's opening: changing the environment is only
  // safe while one thread runs.
  if (!tls_keylog) unsetenv("SSLKEYLOGFILE");
  try {
    thread_ = std::thread(open_libraries, std::move(first));
  } catch (const std::system_error&) {
    // No thread to be had: the first call opens them.
  }
}

Preload::~Preload() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace llmroute::provider
