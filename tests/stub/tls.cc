#include "stub/tls.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include "base/files.h"

namespace llmroute::stub {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long kDay = 24L * 60 * 60;
constexpr const char* kHere = "IP:127.0.0.1,IP:::1,DNS:localhost";

struct Subject {
  const char* name;
  const char* hosts;    // subjectAltName; null: an authority
  const char* purpose;  // extendedKeyUsage
  long from, until;     // seconds from now
};

// What the certificate of a variant says, and whether the authority signed it.
struct Recipe {
  std::string_view name;
  Subject subject;
  bool signed_by_authority;
  int newest_version;  // 0: any
};

constexpr Subject kAuthority = {"llmroute-stub CA", nullptr, nullptr, -kDay,
                                kDay};
constexpr Recipe kRecipes[] = {
    {"good", {"stub", kHere, "serverAuth", -kDay, kDay}, true, 0},
    {"expired", {"stub", kHere, "serverAuth", -3 * kDay, -kDay}, true, 0},
    {"wrong-host",
     {"stub", "DNS:wrong.example", "serverAuth", -kDay, kDay},
     true,
     0},
    {"self-signed", {"stub", kHere, "serverAuth", -kDay, kDay}, false, 0},
    {"wrong-purpose", {"stub", kHere, "clientAuth", -kDay, kDay}, true, 0},
    {"old", {"stub", kHere, "serverAuth", -kDay, kDay}, true, TLS1_1_VERSION},
};

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, const char* text) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(text), -1,
                             -1, 0);
}

Certificate make_certificate(const Subject& subject, EVP_PKEY* key,
                             const char* issuer, EVP_PKEY* issuer_key) {
  static long serial = 0;  // made by one thread at start
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), subject.from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), subject.until);
  X509_set_pubkey(made.get(), key);
  set_name(X509_get_subject_name(made.get()), subject.name);
  set_name(X509_get_issuer_name(made.get()), issuer);
  if (subject.hosts != nullptr) {
    add_extension(made.get(), NID_subject_alt_name, subject.hosts);
    add_extension(made.get(), NID_ext_key_usage, subject.purpose);
  } else {
    add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made.get(), NID_key_usage, "critical,keyCertSign");
  }
  X509_sign(made.get(), issuer_key, EVP_sha256());
  return made;
}

std::string pem_of(X509* certificate) {
  std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()),
                                                   BIO_free);
  PEM_write_bio_X509(memory.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<size_t>(size)};
}

TlsContext make_context(const Recipe& recipe, EVP_PKEY* key,
                        EVP_PKEY* authority_key) {
  const bool trusted = recipe.signed_by_authority;
  Certificate certificate = make_certificate(
      recipe.subject, key, trusted ? kAuthority.name : recipe.subject.name,
      trusted ? authority_key : key);
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (recipe.newest_version != 0) {
    SSL_CTX_set_cipher_list(context.get(), "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), recipe.newest_version);
  }
  if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key) != 1) {
    context.reset();
  }
  return context;
}

}  // namespace

base::Result<std::vector<TlsVariant>> make_tls_variants(
    const std::string& directory) {
  const Key authority_key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate authority = make_certificate(
      kAuthority, authority_key.get(), kAuthority.name, authority_key.get());
  LLMROUTE_CHECK(
      base::replace_file(directory + "/ca.pem", pem_of(authority.get())));
  std::vector<TlsVariant> variants;
  for (const Recipe& recipe : kRecipes) {
    TlsContext context = make_context(recipe, key.get(), authority_key.get());
    if (!context) {
      return base::Error{
          base::ErrorKind::kSoftware,
          "cannot make the TLS variant " + std::string(recipe.name)};
    }
    variants.push_back({recipe.name, std::move(context)});
  }
  return variants;
}

}  // namespace llmroute::stub
