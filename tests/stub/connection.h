// One accepted TCP connection, plain or TLS, with waits that end early when the
// peer leaves or the server stops. One thread.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/files.h"

namespace llmroute::stub {

// CLOCK_MONOTONIC in nanoseconds: comparable with Python's monotonic_ns().
int64_t monotonic_ns();

// How a connection is ended.
enum class Ending {
  kClean,  // everything sent is delivered, then FIN (TLS: close_notify first)
  kCut,    // as kClean, but TLS without close_notify
  kReset,  // everything sent is delivered, then RST
};

class Connection {
 public:
  // `stop_fd` becomes readable when the server stops; borrowed. `context` null:
  // plain TCP; else borrowed and used by handshake().
  Connection(base::Descriptor socket, SSL_CTX* context, int stop_fd);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // True at once for plain TCP.
  bool handshake(std::chrono::milliseconds limit);

  // Waits for bytes. 0: the peer has closed, an error, time is up or the server
  // stops.
  size_t read(char* into, size_t size, std::chrono::milliseconds limit);

  // False when the peer is gone or the server stops.
  bool write(std::string_view bytes);

  // Sleeps. False, at once, when the peer closes or the server stops.
  bool sleep(std::chrono::microseconds time);

  // When the peer was first seen to have left.
  std::optional<int64_t> peer_left_ns() const { return peer_left_ns_; }

  void end(Ending ending);

 private:
  bool wait(short events, std::chrono::microseconds limit);
  bool wait_tls(int code, std::chrono::microseconds limit);
  void note_peer_left();
  void drain();

  base::Descriptor socket_;
  SSL_CTX* context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};
  int stop_fd_;
  std::optional<int64_t> peer_left_ns_;
  bool ended_ = false;
};

}  // namespace llmroute::stub
