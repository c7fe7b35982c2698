// Certificates made at start: one authority, and a server context per way in
// which a certificate can be right or wrong.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llmroute::stub {

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

struct TlsVariant {
  std::string_view name;
  TlsContext context;
};

// "good", "expired", "wrong-host", "self-signed", "wrong-purpose" and "old"
// (TLS 1.1 at most), in this order. The authority's certificate is written to
// `directory`/ca.pem; its key is kept nowhere.
base::Result<std::vector<TlsVariant>> make_tls_variants(
    const std::string& directory);

}  // namespace llmroute::stub
