// Which addresses a request may go to, whatever name led there: never
// link-local or metadata services, "this host", multicast or broadcast. Private
// ranges are allowed, since local servers live there.
#pragma once

#include <sys/socket.h>

#include <string>

namespace llmroute::provider {

// IPv4-mapped IPv6 addresses are judged as IPv4; other families are refused.
bool peer_address_allowed(const sockaddr& address);

// "169.254.169.254", "fe80::1"; "?" for other families.
std::string peer_address_text(const sockaddr& address);

}  // namespace llmroute::provider
