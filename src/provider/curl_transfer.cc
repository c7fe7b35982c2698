#include "provider/curl_transfer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/environment.h"
#include "base/text.h"
#include "base/url.h"
#include "provider/curl_failure.h"
#include "provider/peer_address.h"

// curl.h's macros check types, but name functions that are not linked.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

Failure refusal(FailureClass kind, std::string cause, std::string message) {
  Failure failure;
  failure.kind = kind;
  failure.cause = std::move(cause);
  failure.message = std::move(message);
  return failure;
}

// Loopback never goes through a proxy: local servers are not its business.
std::string no_proxy(const base::Environment& environment) {
  std::string hosts = environment.get("no_proxy")
                          .value_or(environment.get("NO_PROXY").value_or(""));
  if (hosts == "*") return hosts;
  if (!hosts.empty()) hosts += ',';
  return hosts + "localhost,127.0.0.0/8,::1";
}

}  // namespace

void CurlNetwork::read(const std::string& wanted_ca_file) {
  const base::ProcessEnvironment environment;
  no_proxy = provider::no_proxy(environment);
  ca_file = wanted_ca_file;
  trust = find_trust_store(ca_file, environment);
}

CurlTransfer::CurlTransfer(const CurlLibrary& curl, const HttpRequest& request,
                           Receiver& receiver, CurlMoment& moment,
                           uint64_t number)
    : curl_(curl),
      request_(request),
      receiver_(receiver),
      moment_(moment),
      number_(number),
      deadlines_(request.timeouts, moment.now) {}

size_t CurlTransfer::on_header(char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  transfer.deadlines_.on_bytes(transfer.moment_.now);
  switch (transfer.head_.line({data, size})) {
    case HeadReader::State::kReading:
      return size;
    case HeadReader::State::kRefused:
      transfer.refused_ = refusal(FailureClass::kProtocol, "bad response head",
                                  transfer.head_.refusal());
      return 0;
    case HeadReader::State::kComplete:
      transfer.head_seen_ = true;
      transfer.stopped_ = !transfer.receiver_.on_head(transfer.head_.head());
      return transfer.stopped_ ? 0 : size;
  }
  return 0;
}

size_t CurlTransfer::on_body(char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  if (!transfer.body_came_)
    transfer.moment_.touched.push_back(transfer.number_);
  transfer.body_came_ = true;
  transfer.stopped_ = !transfer.receiver_.on_body({data, size});
  return transfer.stopped_ ? 0 : size;
}

// The timers stand still meanwhile, since the Receiver may be held up by a slow
// reader.
void CurlTransfer::take_pause() {
  body_came_ = false;
  const auto before = moment_.now;
  stopped_ = !receiver_.on_pause() || stopped_;
  moment_.now = base::now();
  deadlines_.exclude(moment_.now - before);
  deadlines_.on_bytes(moment_.now);
  if (receiver_.has_content()) deadlines_.on_content();
}

curl_socket_t CurlTransfer::on_open_socket(void* user, curlsocktype,
                                           curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  if (!peer_address_allowed(address->addr)) {
    transfer.refused_ = refusal(
        FailureClass::kNotAllowed, "address refused",
        fmt::format("will not connect to {}: not an address of a provider",
                    peer_address_text(address->addr)));
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC,
                          address->protocol);
  if (fd < 0) {
    transfer.socket_error_ = errno;
  } else {
    transfer.moment_.socket(fd) = {0, false, true};
  }
  transfer.refused_.reset();  // another address may do
  return fd;
}

// The connection may outlive the transfer, so `user` is what they share.
int CurlTransfer::on_close_socket(void* user, curl_socket_t fd) {
  static_cast<CurlMoment*>(user)->socket(fd) = {};
  return ::close(fd);
}

// Called before each sending. If a kept connection ends without a byte, libcurl
// sends the request again by itself; but the server may have taken it, and that
// may have cost.
int CurlTransfer::on_request(void* user, char*, char*, int, int) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  if (transfer.request_.method == "GET" || !transfer.request_sent()) {
    transfer.asked_proxy_ = transfer.get(CURLINFO_REQUEST_SIZE);
    return CURL_PREREQFUNC_OK;
  }
  transfer.refused_ = refusal(FailureClass::kTransient, "reset",
                              "the connection ended before a reply");
  return CURL_PREREQFUNC_ABORT;
}

// libcurl counts what it has asked a proxy as well.
bool CurlTransfer::request_sent() const {
  return asked_proxy_ && get(CURLINFO_REQUEST_SIZE) > *asked_proxy_;
}

long CurlTransfer::get(CURLINFO info) const {
  long value = 0;
  curl_.easy_getinfo(easy_, info, &value);
  return value;
}

void CurlTransfer::make_headers(CurlHandle& handle) {
  handle.headers.reset();
  auto append = [&](const std::string& line) {
    curl_slist* longer = curl_.slist_append(handle.headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)handle.headers.release();
    handle.headers.reset(longer);
  };
  bool named = false;
  for (const auto& [name, value] : request_.headers) {
    append(value.empty() ? name + ";" : name + ": " + value);
    named = named || base::to_lower_ascii(name) == "user-agent";
  }
  // As an option libcurl would write it anew for each request.
  if (!named) append("User-Agent: llmroute/" LLMROUTE_VERSION);
  append("Expect:");  // else a large body waits for servers that ignore it
}

// Read once: libcurl would read a text for each request. One that cannot be
// read is left to libcurl to refuse.
void CurlTransfer::set_url(CurlHandle& handle) {
  handle.url.reset(curl_.url());
  const bool good =
      handle.url != nullptr &&
      curl_.url_set(handle.url.get(), CURLUPART_URL, request_.url.c_str(),
                    CURLU_DISALLOW_USER) == CURLUE_OK;
  if (good) {
    set(CURLOPT_CURLU, handle.url.get());
  } else {
    set(CURLOPT_URL, request_.url.c_str());
  }
}

void CurlTransfer::set_request(CurlHandle& handle, bool http2) {
  const bool tls = request_.url.starts_with("https:");
  set_url(handle);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_HTTPHEADER, handle.headers.get());
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION,
      static_cast<long>(http2 && tls ? CURL_HTTP_VERSION_2TLS
                                     : CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PIPEWAIT, http2 && tls ? 1L : 0L);
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  set(request_.method == "GET" ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
}

void CurlTransfer::set_body() {
  if (request_.method == "GET") return;
  set(CURLOPT_POSTFIELDS, request_.body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE,
      static_cast<curl_off_t>(request_.body.size()));
}

void CurlTransfer::set_network(const CurlNetwork& network) {
  const Timeouts& limits = request_.timeouts;
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // A resolver that never answers must not hold up the end of the process.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::max<int64_t>(
          1, std::min(limits.connect, limits.total).count())));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOPROXY, network.no_proxy.c_str());
  set(CURLOPT_SOCKS5_AUTH, static_cast<long>(CURLAUTH_BASIC));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  const TrustStore& trust = network.trust;
  if (trust.file.empty() && trust.directory.empty()) return;
  set(CURLOPT_CAINFO, trust.file.empty() ? nullptr : trust.file.c_str());
  set(CURLOPT_CAPATH,
      trust.directory.empty() ? nullptr : trust.directory.c_str());
}

void CurlTransfer::set_callbacks() {
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  set(CURLOPT_CLOSESOCKETDATA, &moment_);
  set(CURLOPT_PREREQFUNCTION, on_request);
  set(CURLOPT_PREREQDATA, this);
}

void CurlTransfer::set_up(CurlHandle& handle, const CurlNetwork& network) {
  easy_ = handle.easy;
  HttpRequest& before = handle.set_for;
  const bool same = handle.set && before.method == request_.method &&
                    before.url == request_.url &&
                    before.headers == request_.headers &&
                    before.ca_file == request_.ca_file &&
                    before.timeouts.connect == request_.timeouts.connect &&
                    before.timeouts.total == request_.timeouts.total;
  if (!same) {
    make_headers(handle);
    curl_.easy_reset(easy_);
    set_request(handle, network.http2);
    set_network(network);
    before = request_;
    before.body.clear();
    handle.set = true;
  }
  set_body();
  set_callbacks();
}

std::optional<Failure> CurlTransfer::result(int curl_code) const {
  if (curl_code == CURLE_OK || stopped_ || receiver_.complete()) {
    return std::nullopt;
  }
  if (refused_) {
    Failure failure = *refused_;
    failure.sent = request_sent();
    return failure;
  }
  CurlError error;
  error.code = curl_code;
  error.text = error_text_.data();
  if (error.text.empty()) {
    error.text = curl_.easy_strerror(static_cast<CURLcode>(curl_code));
  }
  error.os_error = socket_error_ != 0
                       ? socket_error_
                       : static_cast<int>(get(CURLINFO_OS_ERRNO));
  error.proxy_status = static_cast<int>(get(CURLINFO_HTTP_CONNECTCODE));
  error.head_seen = head_seen_;
  error.request_sent = request_sent();
  if (const auto url = base::parse_url(request_.url)) {
    error.origin = url->origin();
  }
  return curl_failure(error);
}

Failure CurlTransfer::timed_out(Timer timer) const {
  const Timeouts& limits = request_.timeouts;
  auto text = [](milliseconds limit) {
    return fmt::format("{:g} s", static_cast<double>(limit.count()) / 1e3);
  };
  Failure failure;
  switch (timer) {
    case Timer::kFirstContent:
      failure = refusal(FailureClass::kTransient, "first-token time-out",
                        "nothing came within " + text(limits.first_token));
      break;
    case Timer::kIdle:
      failure = refusal(FailureClass::kTransient, "idle time-out",
                        "the stream fell silent for " + text(limits.idle));
      break;
    case Timer::kTotal:
      failure = refusal(FailureClass::kTransient, "total time-out",
                        "not finished within " + text(limits.total));
      break;
  }
  failure.timed_out = true;
  failure.sent = request_sent();
  return failure;
}

Failure CurlTransfer::cancelled() const {
  Failure failure = refusal(FailureClass::kCancelled, "cancelled", "cancelled");
  failure.sent = request_sent();
  return failure;
}

}  // namespace llmroute::provider
