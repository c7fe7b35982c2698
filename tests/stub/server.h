// Listens on loopback and answers each connection in a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "stub/account.h"
#include "stub/compose.h"
#include "stub/script.h"
#include "stub/tls.h"

namespace llmroute::stub {

struct Listener {
  base::Descriptor socket;
  uint16_t port = 0;
  SSL_CTX* context = nullptr;  // borrowed; null: plain TCP
};

// `host` is an IPv4 address of this machine; port 0 takes a free one.
base::Result<Listener> listen_on(const std::string& host, uint16_t port,
                                 SSL_CTX* context);

class Server {
 public:
  // All are borrowed for the life of the server.
  Server(std::vector<Listener>& listeners, Script& script, Account& account,
         const Settings& settings);

  // Serves until `quit_fd` becomes readable or hangs up, or `input_fd` (-1:
  // none) reaches its end; then waits up to 2 s for the connections' threads.
  void run(int quit_fd, int input_fd);

 private:
  void start_connection(const Listener& listener);
  void serve(base::Descriptor socket, SSL_CTX* context);
  void serve_requests(Connection& connection, int64_t number);
  bool serve_one(Connection& connection, int64_t number,
                 const Request& request);
  bool answer_account(Connection& connection, const Request& request);

  std::vector<Listener>& listeners_;
  Script& script_;
  Account& account_;
  const Settings& settings_;
  base::Descriptor stop_;  // an eventfd, readable once the server stops
  std::mutex mutex_;
  std::condition_variable ended_;
  int connections_ = 0;
};

}  // namespace llmroute::stub
