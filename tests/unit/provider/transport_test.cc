// The parts of the transport that need no network: timers, response heads,
// addresses, trust, what libcurl's errors mean.
#include "provider/transport.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "provider/curl_failure.h"
#include "provider/deadlines.h"
#include "provider/head_reader.h"
#include "provider/peer_address.h"
#include "provider/trust_store.h"

namespace llmroute::provider {
namespace {

using core::FailureClass;
using std::chrono::milliseconds;

TEST_CASE("the first-content timer runs until content comes, then silence") {
  const Deadlines::Time start{};
  const Timeouts limits{milliseconds(10), milliseconds(300), milliseconds(60),
                        milliseconds(600)};
  Deadlines deadlines(limits, start);
  const auto at = [&](int ms) { return start + milliseconds(ms); };
  CHECK_FALSE(deadlines.expired(at(299)).has_value());
  deadlines.on_bytes(at(299));  // a comment
  CHECK(deadlines.expired(at(300)) == Timer::kFirstContent);
  deadlines.on_content();
  CHECK_FALSE(deadlines.expired(at(300)).has_value());
  CHECK(deadlines.left(at(300)) == milliseconds(59));
  CHECK(deadlines.expired(at(359)) == Timer::kIdle);
  deadlines.on_bytes(at(358));
  CHECK_FALSE(deadlines.expired(at(359)).has_value());
  deadlines.on_bytes(at(590));
  CHECK(deadlines.left(at(590)) == milliseconds(10));
  CHECK(deadlines.expired(at(600)) == Timer::kTotal);
  CHECK(deadlines.left(at(700)) == milliseconds(0));
}

TEST_CASE("time that we blocked ourselves counts for no timer") {
  const Deadlines::Time start{};
  Deadlines deadlines({milliseconds(10), milliseconds(300), milliseconds(60),
                       milliseconds(600)},
                      start);
  deadlines.on_content();
  deadlines.exclude(milliseconds(5000));
  CHECK_FALSE(deadlines.expired(start + milliseconds(5059)).has_value());
  CHECK(deadlines.expired(start + milliseconds(5060)) == Timer::kIdle);
  deadlines.on_bytes(start + milliseconds(5599));
  CHECK(deadlines.expired(start + milliseconds(5600)) == Timer::kTotal);
}

HeadReader::State read_head(HeadReader& reader,
                            const std::vector<std::string>& lines) {
  auto state = HeadReader::State::kReading;
  for (const std::string& line : lines) {
    state = reader.line(line);
    if (state == HeadReader::State::kRefused) break;
  }
  return state;
}

TEST_CASE("heads are read, interim ones and trailers are not shown") {
  HeadReader reader;
  CHECK(read_head(reader, {"HTTP/1.1 100 Continue\r\n", "X: 1\r\n", "\r\n",
                           "HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n",
                           "\r\n", "HTTP/1.1 200 OK\r\n",
                           "Content-Type:  text/event-stream \r\n",
                           "X-Empty:\r\n", "\r\n"}) ==
        HeadReader::State::kComplete);
  CHECK(reader.head().status == 200);
  CHECK(reader.head().headers.size() == 2);
  CHECK(reader.head().find("content-type") == "text/event-stream");
  CHECK(reader.head().find("x-empty") == "");
  CHECK_FALSE(reader.head().find("link").has_value());
  CHECK(reader.line("Trailer-Field: x\r\n") == HeadReader::State::kReading);
  CHECK(reader.line("\r\n") == HeadReader::State::kReading);
}

TEST_CASE("heads that two parsers could read differently are refused") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::vector<std::string> many = {ok};
  for (int i = 0; i <= 1000; ++i) many.push_back("A: b\r\n");
  for (const auto& lines : std::vector<std::vector<std::string>>{
           {ok, "no colon\r\n"},
           {ok, ": no name\r\n"},
           {ok, "A: b\r\n", " folded\r\n"},
           {ok, "A: b\r\n", "\tfolded\r\n"},
           {ok, std::string("A: b\0c\r\n", 8)},
           {ok, "A: b\rB: c\r\n"},
           {"HTTP/1.1 999 What\r\n"},
           {"HTTP/1.1 101 Switching Protocols\r\n"},
           {"HTTP/1.1 \r\n"},
           {"HTTP/1.1\r\n"},
           {ok, "A: " + std::string(kMaxHeaderBytes, 'x') + "\r\n"},
           many}) {
    CAPTURE(lines.back().substr(0, 40));
    HeadReader reader;
    CHECK(read_head(reader, lines) == HeadReader::State::kRefused);
    CHECK_FALSE(reader.refusal().empty());
  }
}

bool allowed(const char* text) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    return peer_address_allowed(reinterpret_cast<const sockaddr&>(v4));
  }
  REQUIRE(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
  return peer_address_allowed(reinterpret_cast<const sockaddr&>(v6));
}

TEST_CASE("addresses that no provider has are refused, private ones are not") {
  for (const char* text :
       {"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1",
        "239.255.255.255", "255.255.255.255", "::", "fe80::1", "febf::1",
        "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254",
        "::ffff:0.0.0.0"}) {
    CAPTURE(text);
    CHECK_FALSE(allowed(text));
  }
  for (const char* text :
       {"127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8",
        "169.253.0.1", "::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"}) {
    CAPTURE(text);
    CHECK(allowed(text));
  }
}

TEST_CASE("the address is shown in a refusal") {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr);
  CHECK(peer_address_text(reinterpret_cast<const sockaddr&>(v4)) ==
        "169.254.169.254");
  sockaddr local{};
  local.sa_family = AF_UNIX;
  CHECK(peer_address_text(local) == "?");
  CHECK_FALSE(peer_address_allowed(local));
}

TEST_CASE("trust comes from the config, then the usual variables") {
  base::FakeEnvironment environment;
  environment.values = {{"CURL_CA_BUNDLE", "/a"},
                        {"SSL_CERT_FILE", "/b"},
                        {"SSL_CERT_DIR", "/c"}};
  CHECK(find_trust_store("/own.pem", environment).file == "/own.pem");
  CHECK(find_trust_store("", environment).file == "/a");
  environment.values.erase("CURL_CA_BUNDLE");
  CHECK(find_trust_store("", environment).file == "/b");
  environment.values.erase("SSL_CERT_FILE");
  CHECK(find_trust_store("", environment).directory == "/c");
  CHECK(find_trust_store("", environment).file.empty());
  environment.values.clear();
  const TrustStore system = find_trust_store("", environment);
  CHECK((system.file.empty() || system.directory.empty()));
}

TEST_CASE("libcurl's errors have the meaning that retries need") {
  struct Case {
    CurlError error;
    FailureClass kind;
    const char* cause;
  };
  CurlError head_seen{CURLE_RECV_ERROR, "x"};
  head_seen.head_seen = head_seen.request_sent = true;
  CurlError proxy{CURLE_RECV_ERROR, "CONNECT tunnel failed, response 407"};
  proxy.proxy_status = 407;
  CurlError busy_proxy = proxy;
  busy_proxy.proxy_status = 503;
  CurlError long_header{CURLE_OUT_OF_MEMORY, ""};
  long_header.request_sent = true;
  CurlError weird{CURLE_WEIRD_SERVER_REPLY, ""};
  weird.request_sent = true;
  for (const Case& c : std::vector<Case>{
           {{CURLE_COULDNT_RESOLVE_HOST, "x"},
            FailureClass::kTransient,
            "name does not resolve"},
           {{CURLE_COULDNT_CONNECT, "x", ECONNREFUSED},
            FailureClass::kTransient,
            "refused"},
           {{CURLE_COULDNT_CONNECT, "x", ECONNRESET},
            FailureClass::kTransient,
            "reset"},
           {{CURLE_COULDNT_CONNECT, "x", EHOSTUNREACH},
            FailureClass::kTransient,
            "unreachable"},
           {{CURLE_COULDNT_CONNECT, "x", EMFILE},
            FailureClass::kLocal,
            "no descriptors or memory"},
           {{CURLE_OPERATION_TIMEDOUT, "x"},
            FailureClass::kTransient,
            "connect time-out"},
           {{CURLE_PEER_FAILED_VERIFICATION, "x"},
            FailureClass::kNotAllowed,
            "certificate not trusted"},
           {{CURLE_SSL_CACERT_BADFILE, "x"},
            FailureClass::kNotAllowed,
            "certificate file unusable"},
           {{CURLE_SSL_CONNECT_ERROR, "error:0A000102: unsupported protocol"},
            FailureClass::kNotAllowed,
            "tls refused"},
           {{CURLE_SSL_CONNECT_ERROR, "OpenSSL SSL_connect: SSL_ERROR_SYSCALL"},
            FailureClass::kTransient,
            "tls reset"},
           {{CURLE_GOT_NOTHING, "x"}, FailureClass::kTransient, "reset"},
           {{CURLE_HTTP2_STREAM, "x"}, FailureClass::kTransient, "reset"},
           {{CURLE_HTTP2, "x"}, FailureClass::kTransient, "reset"},
           {{CURLE_PARTIAL_FILE, "x"}, FailureClass::kTransient, "cut stream"},
           {{CURLE_RECV_ERROR, "x"}, FailureClass::kTransient, "reset"},
           {head_seen, FailureClass::kTransient, "cut stream"},
           {proxy, FailureClass::kNotAllowed, "proxy wants a login"},
           {busy_proxy, FailureClass::kTransient, "proxy refused"},
           {long_header, FailureClass::kProtocol, "response header too long"},
           {{CURLE_OUT_OF_MEMORY, ""}, FailureClass::kLocal, "out of memory"},
           {weird, FailureClass::kProtocol, "reply made no sense"}}) {
    CAPTURE(c.cause);
    const auto failure = curl_failure(c.error);
    CHECK(core::failure_class_name(failure.kind) ==
          core::failure_class_name(c.kind));
    CHECK(failure.cause == c.cause);
    CHECK(failure.sent == c.error.request_sent);
    CHECK(failure.timed_out == (c.error.code == CURLE_OPERATION_TIMEDOUT));
  }
}

TEST_CASE("a network error says each thing once, and no times") {
  struct Case {
    CurlError error;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {{CURLE_COULDNT_RESOLVE_HOST, "Could not resolve host: a.example"},
            "name does not resolve: a.example"},
           {{CURLE_COULDNT_CONNECT,
             "Failed to connect to ::1 port 9 after 3 ms: Couldn't connect to "
             "server",
             ECONNREFUSED},
            "refused: ::1 port 9"},
           {{CURLE_COULDNT_CONNECT, "", ECONNREFUSED}, "refused"},
           {{CURLE_GOT_NOTHING, "Empty reply from server"},
            "reset: Empty reply from server"},
           {{CURLE_OUT_OF_MEMORY, "Out of memory"}, "out of memory"}}) {
    CHECK(curl_failure(c.error).message == c.message);
  }
}

}  // namespace
}  // namespace llmroute::provider
