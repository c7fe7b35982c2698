#include "provider/trust_store.h"

#include <dirent.h>

#include <array>
#include <memory>
#include <string_view>

#include "base/files.h"

namespace llmroute::provider {
namespace {

constexpr std::array<const char*, 4> kDirectories = {
    "/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/local/share/certs",
    "/etc/openssl/certs"};
constexpr std::array<const char*, 5> kBundles = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt"};

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// "1a2b3c4d.0": eight hexadecimal digits of the subject's hash.
bool is_hash_name(std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  return name.size() == 10 && name[8] == '.' && name[9] >= '0' &&
         name[9] <= '9' &&
         name.substr(0, 8).find_first_not_of(kHex) == std::string_view::npos;
}

bool is_hashed(const char* path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path));
  if (!directory) return false;
  while (const dirent* entry = readdir(directory.get())) {
    if (is_hash_name(static_cast<const char*>(entry->d_name))) return true;
  }
  return false;
}

}  // namespace

TrustStore find_trust_store(const std::string& ca_file,
                            const base::Environment& environment) {
  if (!ca_file.empty()) return {ca_file, {}};
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const auto file = environment.get(name)) return {*file, {}};
  }
  if (const auto directory = environment.get("SSL_CERT_DIR")) {
    return {{}, *directory};
  }
  for (const char* directory : kDirectories) {
    if (is_hashed(directory)) return {{}, directory};
  }
  for (const char* file : kBundles) {
    if (base::file_exists(file)) return {file, {}};
  }
  return {};
}

}  // namespace llmroute::provider
