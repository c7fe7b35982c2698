#include "provider/curl_transport.h"

#include <poll.h>

#include <array>
#include <utility>

#include "provider/curl_library.h"
#include "provider/curl_loop.h"
#include "provider/sigpipe_guard.h"

namespace llmroute::provider {
namespace {

// One exchange at a time, on a loop of its own.
class CurlTransport : public Transport {
 public:
  std::optional<core::Failure> send(const HttpRequest& request,
                                    Receiver& receiver) override {
    const SigpipeGuard no_sigpipe;
    bool over = false;
    std::optional<core::Failure> result;
    const auto id = loop_.start(request, receiver, [&](auto failure) {
      over = true;
      result = std::move(failure);
    });
    for (;;) {
      loop_.turn();
      if (over) return result;
      // Once the end marker has come the answer is whole, cancelled or not.
      const bool complete = receiver.complete();
      if (!complete && request.cancel.requested()) {
        loop_.cancel(id);
        return result;
      }
      wait(complete ? -1 : request.cancel.wake_fd);
    }
  }

 private:
  void wait(int wake_fd) const {
    std::array<pollfd, 2> fds = {
        {{loop_.fd(), POLLIN, 0}, {wake_fd, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(loop_.timeout().count()));
  }

  CurlLoop loop_{false};
};

}  // namespace

Transport& curl_transport() {
  thread_local CurlTransport transport;
  return transport;
}

std::string http_implementation() {
  const auto library = curl_library();
  return library ? (*library)->name : library.error().message;
}

}  // namespace llmroute::provider
