#include "provider/curl_transport.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/environment.h"
#include "provider/curl_failure.h"
#include "provider/curl_library.h"
#include "provider/deadlines.h"
#include "provider/head_reader.h"
#include "provider/peer_address.h"
#include "provider/sigpipe_guard.h"
#include "provider/trust_store.h"

// curl.h's macros check types, but name functions that are not linked.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

// A response may end right after its end marker; waiting so long for that keeps
// the connection usable and is not noticed.
constexpr milliseconds kGraceAfterEnd{25};
constexpr milliseconds kLongestPoll{1000};

Deadlines::Time now() { return base::SystemClock().now(); }

struct FreeList {
  const CurlLibrary* curl = nullptr;
  void operator()(curl_slist* list) const { curl->slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// One exchange: what libcurl's callbacks see.
struct Transfer {
  const HttpRequest& request;
  Receiver& receiver;
  Deadlines deadlines;
  HeadReader head;
  bool head_seen = false;
  bool body_came = false;            // since the last pause
  bool stopped = false;              // a Receiver said stop
  std::optional<Failure> refused{};  // by us: bad head, bad address
  int socket_error = 0;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

Failure refusal(FailureClass kind, std::string cause, std::string message) {
  Failure failure;
  failure.kind = kind;
  failure.cause = std::move(cause);
  failure.message = std::move(message);
  return failure;
}

size_t on_header(char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.deadlines.on_bytes(now());
  switch (transfer.head.line({data, size})) {
    case HeadReader::State::kReading:
      return size;
    case HeadReader::State::kRefused:
      transfer.refused = refusal(FailureClass::kProtocol, "bad response head",
                                 transfer.head.refusal());
      return 0;
    case HeadReader::State::kComplete:
      transfer.head_seen = true;
      transfer.stopped = !transfer.receiver.on_head(transfer.head.head());
      return transfer.stopped ? 0 : size;
  }
  return 0;
}

size_t on_body(char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.body_came = true;
  transfer.stopped = !transfer.receiver.on_body({data, size});
  return transfer.stopped ? 0 : size;
}

// After libcurl has handed over all there was. The timers stand still
// meanwhile, since the Receiver may be held up by a slow reader.
void pause_after_body(Transfer& transfer) {
  if (!transfer.body_came) return;
  transfer.body_came = false;
  const auto before = now();
  transfer.stopped = !transfer.receiver.on_pause() || transfer.stopped;
  const auto after = now();
  transfer.deadlines.exclude(after - before);
  transfer.deadlines.on_bytes(after);
  if (transfer.receiver.has_content()) transfer.deadlines.on_content();
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!peer_address_allowed(address->addr)) {
    transfer.refused = refusal(
        FailureClass::kNotAllowed, "address refused",
        fmt::format("will not connect to {}: not an address of a provider",
                    peer_address_text(address->addr)));
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC,
                          address->protocol);
  if (fd < 0) transfer.socket_error = errno;
  transfer.refused.reset();  // another address may do
  return fd;
}

// Loopback never goes through a proxy: local servers are not its business.
std::string no_proxy(const base::Environment& environment) {
  std::string hosts = environment.get("no_proxy")
                          .value_or(environment.get("NO_PROXY").value_or(""));
  if (hosts == "*") return hosts;
  if (!hosts.empty()) hosts += ',';
  return hosts + "localhost,127.0.0.0/8,::1";
}

class CurlTransport : public Transport {
 public:
  CurlTransport() = default;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;
  ~CurlTransport() override {
    if (easy_ != nullptr) curl_->easy_cleanup(easy_);
    if (multi_ != nullptr) curl_->multi_cleanup(multi_);
  }

  std::optional<Failure> send(const HttpRequest& request,
                              Receiver& receiver) override;

 private:
  std::optional<Failure> open();
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_->easy_setopt(easy_, option, value);
  }
  long get(CURLINFO info) const {
    long value = 0;
    curl_->easy_getinfo(easy_, info, &value);
    return value;
  }
  HeaderList header_list(const HttpRequest& request) const;
  void set_request(const HttpRequest& request, curl_slist* headers);
  void set_network(const HttpRequest& request);
  void set_callbacks(Transfer& transfer);
  std::optional<Failure> run(Transfer& transfer);
  // The result of a transfer that libcurl has ended.
  std::optional<int> ended() const;
  std::optional<Failure> result(const Transfer& transfer, int code) const;
  Failure timed_out(const Transfer& transfer, Timer timer) const;
  bool request_sent() const { return get(CURLINFO_REQUEST_SIZE) > 0; }
  void poll(const Transfer& transfer, milliseconds limit);

  const CurlLibrary* curl_ = nullptr;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
};

std::optional<Failure> CurlTransport::open() {
  if (multi_ != nullptr) return std::nullopt;
  const auto library = curl_library();
  if (!library) {
    return refusal(FailureClass::kLocal, "no libcurl", library.error().message);
  }
  curl_ = *library;
  easy_ = curl_->easy_init();
  multi_ = curl_->multi_init();
  if (easy_ == nullptr || multi_ == nullptr) {
    return refusal(FailureClass::kLocal, "out of memory",
                   "libcurl cannot create a handle");
  }
  return std::nullopt;
}

HeaderList CurlTransport::header_list(const HttpRequest& request) const {
  curl_slist* list = nullptr;
  auto append = [&](const std::string& line) {
    curl_slist* longer = curl_->slist_append(list, line.c_str());
    if (longer != nullptr) list = longer;
  };
  for (const auto& [name, value] : request.headers) {
    append(value.empty() ? fmt::format("{};", name)
                         : fmt::format("{}: {}", name, value));
  }
  append("Expect:");  // else a large body waits for servers that ignore it
  return HeaderList(list, FreeList{curl_});
}

void CurlTransport::set_request(const HttpRequest& request,
                                curl_slist* headers) {
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_USERAGENT, "llmroute/" LLMROUTE_VERSION);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  if (request.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(request.body.size()));
  }
}

void CurlTransport::set_network(const HttpRequest& request) {
  const base::ProcessEnvironment environment;
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // A resolver that never answers must not hold up the end of the process.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::max<int64_t>(
          1,
          std::min(request.timeouts.connect, request.timeouts.total).count())));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOPROXY, no_proxy(environment).c_str());
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  const TrustStore trust = find_trust_store(request.ca_file, environment);
  if (trust.file.empty() && trust.directory.empty()) return;
  set(CURLOPT_CAINFO, trust.file.empty() ? nullptr : trust.file.c_str());
  set(CURLOPT_CAPATH,
      trust.directory.empty() ? nullptr : trust.directory.c_str());
}

void CurlTransport::set_callbacks(Transfer& transfer) {
  set(CURLOPT_ERRORBUFFER, transfer.error_text.data());
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
}

std::optional<Failure> CurlTransport::send(const HttpRequest& request,
                                           Receiver& receiver) {
  if (auto failure = open()) return failure;
  const SigpipeGuard no_sigpipe;
  const HeaderList headers = header_list(request);
  Transfer transfer{request, receiver, Deadlines(request.timeouts, now()), {}};
  curl_->easy_reset(easy_);
  set_request(request, headers.get());
  set_network(request);
  set_callbacks(transfer);
  curl_->multi_add_handle(multi_, easy_);
  auto failure = run(transfer);
  curl_->multi_remove_handle(multi_, easy_);
  return failure;
}

std::optional<Failure> CurlTransport::run(Transfer& transfer) {
  std::optional<Deadlines::Time> grace_end;
  for (;;) {
    int running = 0;
    curl_->multi_perform(multi_, &running);
    pause_after_body(transfer);
    if (transfer.stopped) return std::nullopt;
    if (const auto code = ended()) return result(transfer, *code);
    const auto time = now();
    if (transfer.receiver.complete()) {
      if (!grace_end) grace_end = time + kGraceAfterEnd;
      if (time >= *grace_end) return std::nullopt;
      poll(transfer, kGraceAfterEnd);
      continue;
    }
    if (transfer.request.cancel.requested()) {
      Failure failure =
          refusal(FailureClass::kCancelled, "cancelled", "cancelled");
      failure.sent = request_sent();
      return failure;
    }
    if (const auto timer = transfer.deadlines.expired(time)) {
      return timed_out(transfer, *timer);
    }
    poll(transfer,
         std::chrono::ceil<milliseconds>(transfer.deadlines.left(time)));
  }
}

void CurlTransport::poll(const Transfer& transfer, milliseconds limit) {
  curl_waitfd wake{};
  wake.fd = transfer.request.cancel.wake_fd;
  wake.events = CURL_WAIT_POLLIN;
  const bool wakeable = wake.fd >= 0 && !transfer.receiver.complete();
  curl_->multi_poll(multi_, &wake, wakeable ? 1 : 0,
                    static_cast<int>(std::min(limit, kLongestPoll).count()),
                    nullptr);
}

std::optional<int> CurlTransport::ended() const {
  int left = 0;
  while (const CURLMsg* message = curl_->multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return std::nullopt;
}

std::optional<Failure> CurlTransport::result(const Transfer& transfer,
                                             int code) const {
  if (code == CURLE_OK || transfer.stopped || transfer.receiver.complete()) {
    return std::nullopt;
  }
  if (transfer.refused) {
    Failure failure = *transfer.refused;
    failure.sent = request_sent();
    return failure;
  }
  CurlError error;
  error.code = code;
  error.text = transfer.error_text.data();
  if (error.text.empty()) {
    error.text = curl_->easy_strerror(static_cast<CURLcode>(code));
  }
  error.os_error = transfer.socket_error != 0
                       ? transfer.socket_error
                       : static_cast<int>(get(CURLINFO_OS_ERRNO));
  error.proxy_status = static_cast<int>(get(CURLINFO_HTTP_CONNECTCODE));
  error.head_seen = transfer.head_seen;
  error.request_sent = request_sent();
  return curl_failure(error);
}

Failure CurlTransport::timed_out(const Transfer& transfer, Timer timer) const {
  const Timeouts& limits = transfer.request.timeouts;
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

}  // namespace

Transport& curl_transport() {
  thread_local CurlTransport transport;
  return transport;
}

}  // namespace llmroute::provider
