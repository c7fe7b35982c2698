// One exchange on one libcurl handle: its options, what libcurl's callbacks
// see, what its end means.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/reply.h"
#include "provider/curl_library.h"
#include "provider/deadlines.h"
#include "provider/head_reader.h"
#include "provider/transport.h"
#include "provider/trust_store.h"

namespace llmroute::provider {

// What the environment says of the network, read once for many exchanges.
struct CurlNetwork {
  std::string no_proxy;
  std::string ca_file;  // that `trust` was found for
  TrustStore trust;
  bool http2 = false;  // over TLS, many exchanges on one connection

  // Fills in what depends on the environment.
  void read(const std::string& wanted_ca_file);
};

struct FreeCurl {
  const CurlLibrary* curl = nullptr;
  void operator()(curl_slist* list) const { curl->slist_free_all(list); }
  void operator()(CURLU* url) const { curl->url_cleanup(url); }
};

// A libcurl handle, and the request its options were set for: most of a batch's
// requests differ in their body only. Owned by who frees `easy`.
struct CurlHandle {
  explicit CurlHandle(const CurlLibrary& curl)
      : easy(curl.easy_init()),
        url(nullptr, FreeCurl{&curl}),
        headers(nullptr, FreeCurl{&curl}) {}

  CURL* easy;
  std::unique_ptr<CURLU, FreeCurl> url;
  std::unique_ptr<curl_slist, FreeCurl> headers;
  HttpRequest set_for;  // without its body
  bool set = false;     // false also after a failure: then all is set anew
};

// What the transfers of one loop share.
struct CurlMoment {
  Deadlines::Time now{};  // of the news that are being taken
  // Those for which the first bytes since their take_pause() came.
  std::vector<uint64_t> touched;  // by number

  // By descriptor, of open sockets: the events that are watched (of epoll; 0:
  // it is not registered), and whether anybody wants them. A socket stays
  // registered while its connection waits for the next exchange.
  struct Watched {
    uint32_t events = 0;
    bool wanted = false;
    bool connection =
        false;         // else one that libcurl opens and closes by itself
    size_t group = 0;  // of transfers, whose it is
  };
  std::vector<Watched> sockets;
  Watched& socket(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= sockets.size()) sockets.resize(index + 1);
    return sockets[index];
  }
};

// Confined to one thread. Borrows request and receiver. Its address is known to
// libcurl from set_up() until the handle is removed or set up for another.
class CurlTransfer {
 public:
  CurlTransfer(const CurlLibrary& curl, const HttpRequest& request,
               Receiver& receiver, CurlMoment& moment, uint64_t number);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  void set_up(CurlHandle& handle, const CurlNetwork& network);
  // libcurl has handed over all there was: the receiver's on_pause().
  void take_pause();

  bool stopped() const { return stopped_; }  // a Receiver said so
  bool complete() const { return receiver_.complete(); }
  Deadlines& deadlines() { return deadlines_; }

  // Nothing: the receiver has all it wanted.
  std::optional<core::Failure> result(int curl_code) const;
  core::Failure timed_out(Timer timer) const;
  core::Failure cancelled() const;

 private:
  static size_t on_header(char* data, size_t, size_t size, void* user);
  static size_t on_body(char* data, size_t, size_t size, void* user);
  static curl_socket_t on_open_socket(void* user, curlsocktype,
                                      curl_sockaddr* address);
  static int on_close_socket(void* user, curl_socket_t fd);
  static int on_request(void* user, char*, char*, int, int);
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_.easy_setopt(easy_, option, value);
  }
  long get(CURLINFO info) const;
  void make_headers(CurlHandle& handle);
  void set_url(CurlHandle& handle);
  void set_request(CurlHandle& handle, bool http2);
  void set_body();
  void set_network(const CurlNetwork& network);
  void set_callbacks();
  bool request_sent() const;

  const CurlLibrary& curl_;
  const HttpRequest& request_;
  Receiver& receiver_;
  CurlMoment& moment_;
  const uint64_t number_;
  CURL* easy_ = nullptr;  // borrowed
  Deadlines deadlines_;
  HeadReader head_;
  bool head_seen_ = false;
  bool body_came_ = false;                  // since the last pause
  bool stopped_ = false;                    // a Receiver said stop
  std::optional<core::Failure> refused_{};  // by us: bad head, bad address
  std::optional<long> asked_proxy_;  // bytes of a CONNECT; set once it may send
  int socket_error_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace llmroute::provider
