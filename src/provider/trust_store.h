// Where the trusted certificates are.
#pragma once

#include <string>

#include "base/environment.h"

namespace llmroute::provider {

// At most one is set; none: libcurl's own default.
struct TrustStore {
  std::string file;
  std::string directory;  // hashed as by OpenSSL's c_rehash
};

// `ca_file` if given, else CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR, else
// the system's hashed directory, else its bundle. The directory is preferred
// because a bundle is parsed whole (some 20 ms) for every process.
TrustStore find_trust_store(const std::string& ca_file,
                            const base::Environment& environment);

}  // namespace llmroute::provider
