#include "base/url.h"

#include <doctest/doctest.h>

#include <string>

namespace llmroute::base {
namespace {

TEST_CASE("accepted URLs keep their host, port and path") {
  struct Case {
    std::string text, scheme, host;
    int port;
    std::string path, origin;
    bool loopback;
  };
  const Case cases[] = {
      {"https://api.example.com", "https", "api.example.com", 443, "",
       "https://api.example.com", false},
      {"https://api.example.com/", "https", "api.example.com", 443, "",
       "https://api.example.com", false},
      {"https://api.example.com:443/v1/", "https", "api.example.com", 443,
       "/v1", "https://api.example.com", false},
      {"http://api.example.com:8080/a/b", "http", "api.example.com", 8080,
       "/a/b", "http://api.example.com:8080", false},
      {"http://127.0.0.1:11434", "http", "127.0.0.1", 11434, "",
       "http://127.0.0.1:11434", true},
      {"http://127.255.0.9", "http", "127.255.0.9", 80, "",
       "http://127.255.0.9", true},
      {"http://128.0.0.1", "http", "128.0.0.1", 80, "", "http://128.0.0.1",
       false},
      {"http://localhost:1/", "http", "localhost", 1, "", "http://localhost:1",
       true},
      {"http://[::1]:65535/v1", "http", "::1", 65535, "/v1",
       "http://[::1]:65535", true},
      {"https://[2001:DB8:0:0:0:0:0:1]", "https", "2001:db8::1", 443, "",
       "https://[2001:db8::1]", false},
      {"https://xn--mnchen-3ya.example/p", "https", "xn--mnchen-3ya.example",
       443, "/p", "https://xn--mnchen-3ya.example", false},
      {"https://localhost.example.com", "https", "localhost.example.com", 443,
       "", "https://localhost.example.com", false},
      {"https://a.b/c/-._~!$&'()*+,;=:@", "https", "a.b", 443,
       "/c/-._~!$&'()*+,;=:@", "https://a.b", false},
      {"https://1a.2b", "https", "1a.2b", 443, "", "https://1a.2b", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<Url> url = parse_url(c.text);
    REQUIRE(url);
    CHECK(url->scheme == c.scheme);
    CHECK(url->host == c.host);
    CHECK(url->port == c.port);
    CHECK(url->path == c.path);
    CHECK(url->origin() == c.origin);
    CHECK(url->text() == c.origin + c.path);
    CHECK(url->is_loopback() == c.loopback);
  }
}

TEST_CASE("what two parsers could read differently is refused") {
  const std::string cases[] = {
      // user info
      "https://user@example.com",
      "https://user:pass@example.com",
      "https://example.com@evil.example",
      "https://:@example.com",
      "https://api.example.com:443@evil.example",
      // backslash, percent, tab, newline, blank, control
      "https://example.com\\@evil.example",
      "https:\\\\example.com",
      "https://example.com\\.evil.example",
      "https://exa%6dple.com",
      "https://example.com%2fevil.example",
      "https://example.com%00.evil",
      "https://example.com/%2e%2e",
      "https://exa\tmple.com",
      "https://example.com\n",
      "https://exa mple.com",
      " https://example.com",
      "https://example.com ",
      "https://example.com/\x7f",
      std::string("https://example.com\0.evil", 25),
      // query and fragment
      "https://example.com?x=1",
      "https://example.com/v1?x",
      "https://example.com#@evil.example",
      "https://example.com/v1#a",
      // IPv4 that is not four plain decimal octets
      "http://0177.0.0.1",
      "http://0x7f.0.0.1",
      "http://0x7f000001",
      "http://2130706433",
      "http://127.1",
      "http://127.0.1",
      "http://1.2.3.256",
      "http://1.2.3.4.5",
      "http://1.2.3.04",
      "http://1.2.3.",
      "http://0x",
      "http://example.0x1",
      "http://example.1",
      "http://1.2.3.-4",
      "http://127.0.0.1.",
      "http://0000127.0.0.1",
      "http://1.2.3.4e0.5",
      // dots and labels
      "https://example.com.",
      "https://.example.com",
      "https://example..com",
      "https://-example.com",
      "https://example-.com",
      "https://exam_ple.com",
      "https://Example.com",
      "https://exämple.com",
      "https://example\xE3\x80\x82"
      "com",
      "https://\xEF\xBD\x81pi.example.com",
      "https://еxample.com",
      "https://a,b.com",
      "https://*.example.com",
      "https://",
      "https:///v1",
      "https://:443",
      "http://.",
      // IPv6
      "http://[::1",
      "http://::1",
      "http://[::1]x",
      "http://[fe80::1%25eth0]",
      "http://[fe80::1%eth0]",
      "http://[:::1]",
      "http://[12345::]",
      "http://[]",
      "http://[127.0.0.1]",
      "http://[::1]8080",
      "http://[::1]@evil.example",
      // port
      "https://example.com:0",
      "https://example.com:65536",
      "https://example.com:",
      "https://example.com:/",
      "https://example.com:+1",
      "https://example.com:080",
      "https://example.com:8080x",
      "https://example.com:80:90",
      "https://example.com:99999999999999999999",
      // schemes
      "ftp://example.com",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "HTTPS://example.com",
      "Http://example.com",
      "//example.com",
      "example.com",
      "https:/example.com",
      "https:example.com",
      "https//example.com",
      "",
      "gopher://x",
      "unix:/tmp/s",
      "http+unix://x",
      // paths
      "https://example.com/../x",
      "https://example.com/a/../b",
      "https://example.com/./x",
      "https://example.com//x",
      "https://example.com/a//b",
      "https://example.com/a[b]c\x80",
      "https://example.com/ü",
      "https://example.com/<x>",
      "https://example.com/\"x",
  };
  for (const std::string& text : cases) {
    CAPTURE(text);
    const Result<Url> url = parse_url(text);
    CHECK_FALSE(url);
    if (!url) CHECK(url.error().kind == ErrorKind::kConfig);
  }
}

TEST_CASE("a URL, a host or a label that is too long is refused") {
  CHECK_FALSE(parse_url("https://" + std::string(64, 'a') + ".com"));
  CHECK(parse_url("https://" + std::string(63, 'a') + ".com"));
  std::string host;
  for (int i = 0; i < 90; ++i) host += "ab.";
  CHECK_FALSE(parse_url("https://" + host + "com"));
  CHECK_FALSE(parse_url("https://a.b/" + std::string(3000, 'a')));
}

TEST_CASE("a refusal does not repeat the URL, which may hold a password") {
  const Result<Url> url = parse_url("https://user:hunter2@example.com");
  REQUIRE_FALSE(url);
  CHECK(url.error().message.find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace llmroute::base
