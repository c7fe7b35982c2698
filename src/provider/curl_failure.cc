#include "provider/curl_failure.h"

#include <curl/curl.h>

#include <cerrno>
#include <string_view>

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;

struct Meaning {
  FailureClass kind;
  std::string_view cause;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A handshake that the network broke is worth another try; one that either
// side declined is not.
Meaning tls_meaning(const std::string& text) {
  const bool network = contains(text, "SSL_ERROR_SYSCALL") ||
                       contains(text, "reset") || contains(text, "eof") ||
                       contains(text, "EOF");
  return network ? Meaning{FailureClass::kTransient, "tls reset"}
                 : Meaning{FailureClass::kNotAllowed, "tls refused"};
}

Meaning connect_meaning(int os_error) {
  switch (os_error) {
    case ECONNREFUSED:
      return {FailureClass::kTransient, "refused"};
    case ECONNRESET:  // accepted and reset before libcurl looked
    case ECONNABORTED:
    case EPIPE:
      return {FailureClass::kTransient, "reset"};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return {FailureClass::kLocal, "no descriptors or memory"};
    case EACCES:
    case EPERM:
      return {FailureClass::kLocal, "network not permitted"};
    default:
      return {FailureClass::kTransient, "unreachable"};
  }
}

Meaning proxy_meaning(int status) {
  if (status == 407) return {FailureClass::kNotAllowed, "proxy wants a login"};
  return {FailureClass::kTransient, "proxy refused"};
}

Meaning receive_meaning(const CurlError& error) {
  if (error.proxy_status >= 300) return proxy_meaning(error.proxy_status);
  if (contains(error.text, "proxy")) {
    return {FailureClass::kProtocol, "proxy reply made no sense"};
  }
  return {FailureClass::kTransient, error.head_seen ? "cut stream" : "reset"};
}

Meaning meaning_of(const CurlError& error) {  // NOLINT: one row per code
  switch (error.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {FailureClass::kTransient, "name does not resolve"};
    case CURLE_COULDNT_CONNECT:
      return connect_meaning(error.os_error);
    case CURLE_OPERATION_TIMEDOUT:
      return {FailureClass::kTransient, "connect time-out"};
    case CURLE_SSL_CONNECT_ERROR:
      return tls_meaning(error.text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {FailureClass::kNotAllowed, "certificate not trusted"};
    case CURLE_SSL_CACERT_BADFILE:
      return {FailureClass::kNotAllowed, "certificate file unusable"};
    case CURLE_PARTIAL_FILE:
      return {FailureClass::kTransient, "cut stream"};
    case CURLE_GOT_NOTHING:
      return {FailureClass::kTransient, "reset"};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return {FailureClass::kTransient,
              error.head_seen ? "cut stream" : "reset"};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return receive_meaning(error);
    case CURLE_PROXY:
      return {FailureClass::kTransient, "proxy refused"};
    case CURLE_OUT_OF_MEMORY:
      // Also what a single header line over its own limit gives.
      if (error.request_sent && !error.head_seen) {
        return {FailureClass::kProtocol, "response header too long"};
      }
      return {FailureClass::kLocal, "out of memory"};
    case CURLE_FAILED_INIT:
      return {FailureClass::kLocal, "libcurl does not start"};
    case CURLE_URL_MALFORMAT:
      return {FailureClass::kOurFault, "bad url"};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    default:
      return {error.request_sent ? FailureClass::kProtocol
                                 : FailureClass::kTransient,
              "reply made no sense"};
  }
}

// libcurl's words without what the cause says already, and without times, which
// would make a difference between failures that are the same.
std::string details(const CurlError& error) {
  if (error.code == CURLE_OUT_OF_MEMORY) return {};  // misleading
  std::string_view text = error.text;
  for (const std::string_view said :
       {"Could not resolve host: ", "Could not resolve proxy: ",
        "Failed to connect to "}) {
    if (text.starts_with(said)) text.remove_prefix(said.size());
  }
  if (error.code == CURLE_COULDNT_CONNECT) {
    text = text.substr(0, text.find(" after "));
  }
  return std::string(text);
}

// What OpenSSL says where the other side begins with text.
bool looks_like_plain_http(const std::string& text) {
  return contains(text, "wrong version number") ||
         contains(text, "packet length too long") ||
         contains(text, "http request");
}

}  // namespace

Failure curl_failure(const CurlError& error) {
  const Meaning meaning = meaning_of(error);
  Failure failure;
  failure.kind = meaning.kind;
  failure.cause = meaning.cause;
  failure.message = std::string(meaning.cause);
  if (const std::string text = details(error); !text.empty()) {
    failure.message += ": " + text;
  }
  if (error.code == CURLE_SSL_CONNECT_ERROR && !error.origin.empty() &&
      looks_like_plain_http(error.text)) {
    failure.message +=
        "; " + error.origin + " may speak plain http (base_url with http://)";
  }
  failure.timed_out = error.code == CURLE_OPERATION_TIMEDOUT;
  failure.sent = error.request_sent;
  return failure;
}

}  // namespace llmroute::provider
