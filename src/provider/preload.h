// Opens the libraries that a call needs (libcurl, simdjson) on a thread of its
// own, while the prompt is still being read.
#pragma once

#include <functional>
#include <thread>

namespace llmroute::provider {

class Preload {
 public:
  // `first`: of others, done before on that thread; may be empty. Libraries are
  // opened one at a time, so the one that is needed first goes first.
  // `tls_keylog`: libcurl may write TLS session keys to the file that
  // SSLKEYLOGFILE names. REQUIRES: no other thread reads the environment yet.
  explicit Preload(std::function<void()> first = {}, bool tls_keylog = false);
  // Waits for the thread, so that the process never ends in the middle of it.
  ~Preload();
  Preload(const Preload&) = delete;
  Preload& operator=(const Preload&) = delete;

 private:
  std::thread thread_;
};

}  // namespace llmroute::provider
