// Opens the libraries that a call needs (libcurl, simdjson) on a thread of its
// own, while the prompt is still being read.
#pragma once

#include <thread>

namespace llmroute::provider {

class Preload {
 public:
  // REQUIRES: no other thread reads the environment yet.
  Preload();
  // Waits for the thread, so that the process never ends in the middle of it.
  ~Preload();
  Preload(const Preload&) = delete;
  Preload& operator=(const Preload&) = delete;

 private:
  std::thread thread_;
};

}  // namespace llmroute::provider
