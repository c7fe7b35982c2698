// Many HTTP exchanges at once on one thread: libcurl's multi interface, driven
// by the sockets that have news. The cost of an exchange does not depend on how
// many others wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "core/reply.h"
#include "provider/transport.h"

namespace llmroute::provider {

// Confined to one thread. Connections stay open for the next exchange.
class CurlLoop {
 public:
  // As Transport::send() returns it. Called from turn() or cancel(), never from
  // start(); may start others.
  using Ended = std::function<void(std::optional<core::Failure>)>;
  using Id = uint64_t;

  // `http2`: where a server has it, over TLS, so that exchanges share a
  // connection.
  explicit CurlLoop(bool http2);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // `request` and `receiver` are borrowed until `ended` is called.
  Id start(const HttpRequest& request, Receiver& receiver, Ended ended);
  // Ends it as cancelled. REQUIRES: it has not ended.
  void cancel(Id id);

  // Readable when there is news.
  int fd() const;
  // Until turn() has something to do without news; never over a second.
  std::chrono::milliseconds timeout() const;
  // Takes the news there is and calls what has ended. Does not wait.
  void turn();
  // All timers stood still for so long: the caller was held up.
  void exclude(std::chrono::nanoseconds blocked);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmroute::provider
