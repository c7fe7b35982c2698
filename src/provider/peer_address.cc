#include "provider/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace llmroute::provider {
namespace {

bool v4_allowed(uint32_t address) {
  const uint32_t first = address >> 24;
  if (first == 0 || first >= 224) {
    // This network; multicast 224/4; reserved 240/4 with the broadcast address.
    return false;
  }
  return (address >> 16) != 0xA9FE;  // 169.254.0.0/16
}

bool v6_allowed(const in6_addr& address) {
  constexpr std::array<uint8_t, 16> kMetadata = {
      0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54};
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    uint32_t v4 = 0;
    std::memcpy(&v4, &address.s6_addr[12], sizeof v4);
    return v4_allowed(ntohl(v4));
  }
  return !IN6_IS_ADDR_UNSPECIFIED(&address) &&
         !IN6_IS_ADDR_LINKLOCAL(&address) && !IN6_IS_ADDR_MULTICAST(&address) &&
         std::memcmp(address.s6_addr, kMetadata.data(), kMetadata.size()) != 0;
}

}  // namespace

bool peer_address_allowed(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return v4_allowed(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return v6_allowed(v6.sin6_addr);
  }
  return false;
}

std::string peer_address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text[0] == '\0' ? "?" : text.data();
}

}  // namespace llmroute::provider
