#include "provider/curl_transport.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "fixture.h"

namespace llmroute::provider {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::string kEvents = sse(
    {R"({"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]})",
     "[DONE]"});

// Serves connections on loopback, a thread each, until it is destroyed. Answers
// each request with `reply`; "" leaves it waiting.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::string reply)
      : reply_(std::move(reply)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, length) == 0);
    REQUIRE(::listen(listener_.get(), 64) == 0);
    REQUIRE(::getsockname(listener_.get(), any, &length) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~LoopbackServer() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& one : servants_) one.join();
  }

  std::string base_url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
  }
  int connections() const { return connections_; }

 private:
  bool readable(int fd) const {
    pollfd one{fd, POLLIN, 0};
    while (!stop_) {
      if (::poll(&one, 1, 10) > 0) return true;
    }
    return false;
  }

  void accept_all() {
    while (readable(listener_.get())) {
      ++connections_;
      servants_.emplace_back([this, fd = ::accept(listener_.get(), nullptr,
                                                  nullptr)] { serve(fd); });
    }
  }

  // The requests of these tests end with the bracket of their body.
  void serve(int fd) const {
    const base::Descriptor peer(fd);
    std::string request;
    std::array<char, 4096> buffer{};
    while (readable(fd)) {
      const ssize_t count = ::read(fd, buffer.data(), buffer.size());
      if (count <= 0) return;
      request.append(buffer.data(), static_cast<size_t>(count));
      if (request.back() != '}') continue;
      request.clear();
      base::write_all(fd, reply_);
    }
  }

  std::string reply_;
  base::Descriptor listener_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::vector<std::thread> servants_;  // of the acceptor
  std::thread acceptor_;
};

std::string http(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_CASE("calls of one thread share a connection") {
  LoopbackServer server(http(kEvents));
  CallFixture fixture(core::Protocol::kOpenAiChat);
  fixture.provider.base_url = server.base_url();
  for (int i = 0; i < 5; ++i) {
    CHECK(reply_of(fixture.run(curl_transport())).text == "ok");
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("calls of many threads at once do not disturb each other") {
  LoopbackServer server(http(kEvents));
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      core::Provider provider;
      provider.name = "shared";
      provider.base_url = server.base_url();
      core::Model model;
      model.id = "m";
      core::Prompt prompt;
      prompt.messages.push_back({core::Role::kUser, "Hi"});
      for (int i = 0; i < 10; ++i) {
        const Call one{provider, model, prompt, {}, 0, true, {}, {}};
        const auto result = call(one, [](std::string_view) { return true; });
        if (std::holds_alternative<core::Reply>(result)) ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 80);
  CHECK(server.connections() == 8);
}

TEST_CASE("a call that waits ends at once when it is cancelled") {
  LoopbackServer server("");
  CallFixture fixture(core::Protocol::kOpenAiChat);
  fixture.provider.base_url = server.base_url();
  std::array<int, 2> wake{};
  REQUIRE(::pipe2(wake.data(), O_CLOEXEC) == 0);
  const base::Descriptor read_end(wake[0]), write_end(wake[1]);
  std::atomic<bool> cancelled{false};
  steady_clock::time_point when;
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(100));
    cancelled = true;
    when = steady_clock::now();
    base::write_all(write_end.get(), "x");
  });
  const Call one{fixture.provider,
                 fixture.model,
                 fixture.prompt,
                 {},
                 0,
                 true,
                 {},
                 {&cancelled, read_end.get()}};
  const auto result = call(one, [](std::string_view) { return true; });
  const auto ended = steady_clock::now();
  canceller.join();
  const core::Failure failure = failure_of(result);
  CHECK(failure.kind == core::FailureClass::kCancelled);
  CHECK(failure.sent);
  CHECK(ended - when < milliseconds(100));
}

TEST_CASE("a request that never left has not been sent") {
  CallFixture fixture(core::Protocol::kOpenAiChat);
  {
    LoopbackServer gone(http(kEvents));
    fixture.provider.base_url = gone.base_url();
  }
  const core::Failure failure = failure_of(fixture.run(curl_transport()));
  CHECK(failure.cause == "refused");
  CHECK_FALSE(failure.sent);
}

TEST_CASE("after a failed call the next one starts afresh") {
  LoopbackServer nonsense("220 smtp.example ESMTP\r\n");
  LoopbackServer good(http(kEvents));
  CallFixture fixture(core::Protocol::kOpenAiChat);
  fixture.provider.base_url = nonsense.base_url();
  CHECK(failure_of(fixture.run(curl_transport())).kind ==
        core::FailureClass::kProtocol);
  fixture.provider.base_url = good.base_url();
  CHECK(reply_of(fixture.run(curl_transport())).text == "ok");
}

}  // namespace
}  // namespace llmroute::provider
