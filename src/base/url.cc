#include "base/url.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"

namespace llmroute::base {

namespace {

constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxHost = 253;
constexpr size_t kMaxLabel = 63;

Error refuse(std::string_view why) {
  return {ErrorKind::kConfig, std::string(why)};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// RFC 3986 pchar without percent-encoding, and the slash.
bool is_path_character(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@/";
  return is_digit(c) || is_lower(c) || is_upper(c) ||
         kMarks.find(c) != std::string_view::npos;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) {
    return is_digit(c) || is_lower(c) || c == '-';
  });
}

bool is_octet(const std::string& text) {
  if (!all_digits(text) || text.size() > 3) return false;
  if (text.size() > 1 && text.front() == '0') return false;
  return parse_int(text).value_or(256) <= 255;
}

bool looks_like_number(const std::string& label) {
  return all_digits(label) || label.starts_with("0x");
}

Status check_name(std::string_view host) {
  if (host.empty()) return refuse("the host is missing");
  if (host.size() > kMaxHost) return refuse("the host is too long");
  if (std::any_of(host.begin(), host.end(), is_upper)) {
    return refuse("the host must be in lower case");
  }
  const std::vector<std::string> labels = split(host, '.');
  if (looks_like_number(labels.back())) {
    if (labels.size() == 4 &&
        std::all_of(labels.begin(), labels.end(), is_octet)) {
      return {};
    }
    return refuse("an IPv4 address must be four plain decimal numbers");
  }
  if (!std::all_of(labels.begin(), labels.end(), is_label)) {
    return refuse(
        "the host may hold only lower-case letters, digits, hyphens and dots "
        "(write international names as xn--...)");
  }
  return {};
}

std::optional<std::string> canonical_ipv6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) {
    return std::nullopt;
  }
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  inet_ntop(AF_INET6, &address, canonical.data(), canonical.size());
  return std::string(canonical.data());
}

// Takes the host off the front of `rest`.
Result<std::string> take_host(std::string_view& rest) {
  if (!rest.starts_with('[')) {
    const size_t end = std::min(rest.find_first_of(":/"), rest.size());
    const std::string host(rest.substr(0, end));
    LLMROUTE_CHECK(check_name(host));
    rest.remove_prefix(end);
    return host;
  }
  const size_t close = rest.find(']');
  std::optional<std::string> host;
  if (close != std::string_view::npos) {
    host = canonical_ipv6(rest.substr(1, close - 1));
  }
  if (!host) return refuse("the IPv6 address is not valid");
  rest.remove_prefix(close + 1);
  return *host;
}

// Takes ":port" off the front of `rest`, if it is there.
Result<uint16_t> take_port(std::string_view& rest, uint16_t otherwise) {
  if (!rest.starts_with(':')) return otherwise;
  const size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view digits = rest.substr(1, end - 1);
  const int64_t port =
      all_digits(digits) && digits.size() <= 5 && digits.front() != '0'
          ? parse_int(digits).value_or(0)
          : 0;
  if (port < 1 || port > 65535) {
    return refuse("the port must be a number from 1 to 65535");
  }
  rest.remove_prefix(end);
  return static_cast<uint16_t>(port);
}

Result<std::string> check_path(std::string_view path) {
  if (!path.empty() && path.front() != '/') {
    return refuse("a path must follow the host");
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string> segments = split(path, '/');
  for (size_t i = 1; i < segments.size(); ++i) {
    if (segments[i].empty() || segments[i] == "." || segments[i] == "..") {
      return refuse("the path has empty, '.' or '..' segments");
    }
  }
  return std::string(path);
}

// Characters that no part of an accepted URL may hold.
Status check_characters(std::string_view text) {
  if (text.size() > kMaxUrl) return refuse("the URL is too long");
  for (const char c : text) {
    if (c == '?') return refuse("a base URL has no query");
    if (c == '#') return refuse("a base URL has no fragment");
    if (c == '%') return refuse("percent-encoding is not allowed");
    if (!is_path_character(c) && c != '[' && c != ']') {
      return refuse(
          "blanks, control characters, backslashes and characters outside "
          "ASCII are not allowed");
    }
  }
  return {};
}

}  // namespace

std::string Url::origin() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  const std::string name = ipv6 ? "[" + host + "]" : host;
  const uint16_t own = scheme == "https" ? 443 : 80;
  if (port == own) return fmt::format("{}://{}", scheme, name);
  return fmt::format("{}://{}:{}", scheme, name, port);
}

bool Url::is_loopback() const {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 &&
         (ntohl(address.s_addr) >> 24) == 127;
}

Result<Url> parse_url(std::string_view text) {
  LLMROUTE_CHECK(check_characters(text));
  Url url;
  if (text.starts_with("https://")) {
    url.scheme = "https";
  } else if (text.starts_with("http://")) {
    url.scheme = "http";
  } else {
    return refuse("it must start with https:// or http://");
  }
  std::string_view rest = text.substr(url.scheme.size() + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) {
    return refuse("user names and passwords are not allowed");
  }
  LLMROUTE_TRY(url.host, take_host(rest));
  LLMROUTE_TRY(url.port, take_port(rest, url.scheme == "https" ? 443 : 80));
  LLMROUTE_TRY(url.path, check_path(rest));
  return url;
}

}  // namespace llmroute::base
