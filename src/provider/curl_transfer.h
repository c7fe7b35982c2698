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

// Confined to one thread. Borrows request and receiver. Its address is known to
// libcurl from set_up() until the handle is removed or reset.
class CurlTransfer {
 public:
  // `touched`: gets this transfer when the first bytes since take_pause() came.
  CurlTransfer(const CurlLibrary& curl, const HttpRequest& request,
               Receiver& receiver, std::vector<CurlTransfer*>& touched);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  void set_up(CURL* easy, const CurlNetwork& network);
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
  struct FreeList {
    const CurlLibrary* curl = nullptr;
    void operator()(curl_slist* list) const { curl->slist_free_all(list); }
  };

  static size_t on_header(char* data, size_t, size_t size, void* user);
  static size_t on_body(char* data, size_t, size_t size, void* user);
  static curl_socket_t on_open_socket(void* user, curlsocktype,
                                      curl_sockaddr* address);
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_.easy_setopt(easy_, option, value);
  }
  long get(CURLINFO info) const;
  void make_headers();
  void set_request(bool http2);
  void set_network(const CurlNetwork& network);
  void set_callbacks();
  bool request_sent() const { return get(CURLINFO_REQUEST_SIZE) > 0; }

  const CurlLibrary& curl_;
  const HttpRequest& request_;
  Receiver& receiver_;
  std::vector<CurlTransfer*>& touched_;
  CURL* easy_ = nullptr;  // borrowed
  std::unique_ptr<curl_slist, FreeList> headers_;
  Deadlines deadlines_;
  HeadReader head_;
  bool head_seen_ = false;
  bool body_came_ = false;                  // since the last pause
  bool stopped_ = false;                    // a Receiver said stop
  std::optional<core::Failure> refused_{};  // by us: bad head, bad address
  int socket_error_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace llmroute::provider
