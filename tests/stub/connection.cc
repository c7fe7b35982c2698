#include "stub/connection.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace llmroute::stub {
namespace {

constexpr std::chrono::seconds kWriteLimit{600};
constexpr int kDrainRounds = 200;  // of 5 ms

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Connection::Connection(base::Descriptor socket, SSL_CTX* context, int stop_fd)
    : socket_(std::move(socket)), context_(context), stop_fd_(stop_fd) {
  fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() { end(Ending::kClean); }

void Connection::note_peer_left() {
  if (!peer_left_ns_) peer_left_ns_ = monotonic_ns();
}

// True when one of `events` is there. Without events it waits for the peer to
// leave, and true means that the time is up with the peer still there.
bool Connection::wait(short events, std::chrono::microseconds limit) {
  const int64_t until = monotonic_ns() + limit.count() * 1000;
  const short left = static_cast<short>((events & POLLIN) ? 0 : POLLRDHUP);
  while (true) {
    const int64_t rest = std::max<int64_t>(until - monotonic_ns(), 0);
    const timespec time{rest / 1'000'000'000, rest % 1'000'000'000};
    pollfd fds[] = {{socket_.get(), static_cast<short>(events | left), 0},
                    {stop_fd_, POLLIN, 0}};
    const int ready = ppoll(fds, 2, &time, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return events == 0 && ready == 0;
    if (fds[1].revents != 0) return false;
    if ((events & POLLIN) != 0) return true;
    if ((fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
      note_peer_left();
      return false;
    }
    return true;
  }
}

bool Connection::wait_tls(int code, std::chrono::microseconds limit) {
  const int error = SSL_get_error(tls_.get(), code);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return wait(POLLIN, limit);
  if (error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT, limit);
  return false;
}

bool Connection::handshake(std::chrono::milliseconds limit) {
  if (context_ == nullptr) return true;
  tls_.reset(SSL_new(context_));
  SSL_set_fd(tls_.get(), socket_.get());
  while (true) {
    const int code = SSL_accept(tls_.get());
    if (code == 1) return true;
    if (!wait_tls(code, limit)) return false;
  }
}

size_t Connection::read(char* into, size_t size,
                        std::chrono::milliseconds limit) {
  while (true) {
    if (tls_) {
      const int got = SSL_read(tls_.get(), into, static_cast<int>(size));
      if (got > 0) return static_cast<size_t>(got);
      if (!wait_tls(got, limit)) return 0;
      continue;
    }
    const ssize_t got = recv(socket_.get(), into, size, 0);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EINTR) continue;
    if (!would_block() || !wait(POLLIN, limit)) return 0;
  }
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (tls_) {
      const size_t size = std::min<size_t>(bytes.size(), 1 << 30);
      sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(size));
      if (sent <= 0 && wait_tls(static_cast<int>(sent), kWriteLimit)) continue;
    } else {
      sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && would_block() && wait(POLLOUT, kWriteLimit)) continue;
    }
    if (sent <= 0) {
      note_peer_left();
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Connection::sleep(std::chrono::microseconds time) { return wait(0, time); }

// Waits, at most a second, until the kernel has delivered what was written: a
// reset drops what it still holds.
void Connection::drain() {
  for (int round = 0; round < kDrainRounds; ++round) {
    int unsent = 0;
    if (ioctl(socket_.get(), SIOCOUTQ, &unsent) != 0 || unsent == 0) return;
    poll(nullptr, 0, 5);
  }
}

void Connection::end(Ending ending) {
  if (std::exchange(ended_, true)) return;
  if (ending == Ending::kReset) {
    drain();
    const linger now{1, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else {
    if (tls_ && ending == Ending::kClean && SSL_is_init_finished(tls_.get())) {
      SSL_shutdown(tls_.get());
    }
    shutdown(socket_.get(), SHUT_WR);
    // Unread input would turn the close into a reset.
    char rest[4096];
    while (recv(socket_.get(), rest, sizeof rest, 0) > 0) {
    }
  }
  ERR_clear_error();
  socket_.reset();
}

}  // namespace llmroute::stub
