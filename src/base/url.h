// Base URLs of providers, parsed strictly before any HTTP library sees them:
// what two parsers could read differently is refused, so that a key and a
// prompt only go where a person would say the text points to.
//
// Accepted: `http` or `https` (lower case); a host of lower-case letter, digit
// and hyphen labels (international names as "xn--..."), four plain decimal
// octets, or an IPv6 address in brackets; an optional port 1-65535; a path of
// plain URL characters. Refused: user info, query, fragment, percent signs,
// backslashes, blanks, control and non-ASCII bytes, dot segments, a trailing
// dot, and hosts whose last label reads as a number (octal, hexadecimal and
// short IPv4 forms). Host rules: RFC 952, RFC 1123; url.spec.whatwg.org for the
// forms that browsers would turn into an IPv4 address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::base {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // without brackets; IPv6 in its canonical form
  uint16_t port = 0;   // the scheme's own if none was given
  std::string path;    // "" or "/...", never with a slash at the end

  // "https://host" or "https://host:8443": what a key is bound to.
  std::string origin() const;
  // The whole: origin and path.
  std::string text() const { return origin() + path; }
  // 127.0.0.0/8, ::1 and the name "localhost".
  bool is_loopback() const;
};

// kConfig with the reason. The message quotes nothing of the URL, which may
// hold a password.
Result<Url> parse_url(std::string_view text);

}  // namespace llmroute::base
