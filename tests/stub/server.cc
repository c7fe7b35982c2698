#include "stub/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace llmroute::stub {
namespace {

constexpr int kBacklog = 1024;
constexpr int kMostConnections = 2000;
constexpr std::chrono::seconds kHandshake{30};
constexpr std::chrono::seconds kHang{600};
constexpr std::chrono::seconds kFarewell{2};

base::Error socket_error(const char* what) {
  return {base::ErrorKind::kOs,
          fmt::format("cannot {}: {}", what, base::errno_text(errno))};
}

// True at the end of input; whatever else stands there is thrown away.
bool at_end(int fd) {
  char bytes[512];
  return ::read(fd, bytes, sizeof bytes) <= 0;
}

}  // namespace

base::Result<Listener> listen_on(const std::string& host, uint16_t port,
                                 SSL_CTX* context) {
  Listener listener;
  listener.context = context;
  listener.socket =
      base::Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int fd = listener.socket.get();
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return base::Error{base::ErrorKind::kUsage, "no IPv4 address: " + host};
  }
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, general, size) != 0) return socket_error("bind");
  if (listen(fd, kBacklog) != 0) return socket_error("listen");
  if (getsockname(fd, general, &size) != 0) return socket_error("get a port");
  listener.port = ntohs(address.sin_port);
  return listener;
}

Server::Server(std::vector<Listener>& listeners, Script& script,
               Account& account, const Settings& settings)
    : listeners_(listeners),
      script_(script),
      account_(account),
      settings_(settings),
      stop_(eventfd(0, EFD_CLOEXEC)) {}

void Server::run(int quit_fd, int input_fd) {
  std::vector<pollfd> fds = {{quit_fd, POLLIN, 0}, {input_fd, POLLIN, 0}};
  for (const Listener& listener : listeners_) {
    fds.push_back({listener.socket.get(), POLLIN, 0});
  }
  while (true) {
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
    if (fds[0].revents != 0) break;
    if (fds[1].revents != 0 && at_end(input_fd)) break;
    for (size_t i = 0; i < listeners_.size(); ++i) {
      if (fds[i + 2].revents != 0) start_connection(listeners_[i]);
    }
  }
  const uint64_t one = 1;
  base::write_all(stop_.get(),
                  {reinterpret_cast<const char*>(&one), sizeof one});
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, kFarewell, [this] { return connections_ == 0; });
}

void Server::start_connection(const Listener& listener) {
  base::Descriptor socket(
      accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.valid()) return;
  {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return connections_ < kMostConnections; });
    ++connections_;
  }
  std::thread([this, socket = std::move(socket),
               context = listener.context]() mutable {
    serve(std::move(socket), context);
    const std::lock_guard lock(mutex_);
    --connections_;
    ended_.notify_all();
  }).detach();
}

void Server::serve(base::Descriptor socket, SSL_CTX* context) {
  Connection connection(std::move(socket), context, stop_.get());
  const int64_t number = account_.accepted(context != nullptr);
  if (const Rule* rule = script_.match_accept()) {
    if (rule->reply.hang_accept) connection.sleep(kHang);
    connection.end(rule->reply.rst_accept ? Ending::kReset : Ending::kClean);
    account_.closed(number, "by rule");
  } else if (!connection.handshake(kHandshake)) {
    account_.closed(number, "handshake failed");
  } else {
    serve_requests(connection, number);
    account_.closed(number, "");
  }
}

void Server::serve_requests(Connection& connection, int64_t number) {
  RequestReader reader(connection);
  while (const auto request = reader.next()) {
    if (!serve_one(connection, number, *request)) return;
  }
}

// GET /stub/account is neither logged nor counted.
bool Server::answer_account(Connection& connection, const Request& request) {
  const std::string body = account_.report();
  const std::string head = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n",
      body.size());
  return connection.write(head + body) && request.keep_alive();
}

// True: the connection stays open for another request.
bool Server::serve_one(Connection& connection, int64_t number,
                       const Request& request) {
  if (request.path == "/stub/account") {
    return answer_account(connection, request);
  }
  const Dialect* dialect = dialect_for(request);
  Ask ask = (dialect == nullptr ? openai() : *dialect).read(request);
  const uint64_t count = account_.arrived(number, request, ask.model);
  const uint64_t random = mix(settings_.seed, count);
  const Rule* rule = script_.match({request, ask.model, ask.stream, random});
  static const Reply kDefault;
  const Reply& reply = rule == nullptr ? kDefault : rule->reply;
  if (const Dialect* other = dialect_of(request, reply); other != dialect) {
    if (other != nullptr) ask = other->read(request);
  }
  const Plan plan = compose(request, ask, reply, settings_, count);
  const Sent sent = send_plan(connection, plan, reply, random);
  account_.done(count, ask.model, plan, sent, rule == nullptr ? 0 : rule->line,
                connection);
  return sent.complete && sent.keep_alive;
}

}  // namespace llmroute::stub
