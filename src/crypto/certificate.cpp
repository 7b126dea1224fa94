#include "crypto/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.hpp"
#include "crypto/x509.hpp"

namespace sp::crypto {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kClocksDiffer = 3600;
constexpr std::size_t kSerialSize = 16;
constexpr long kVersion3 = 2;

using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

bool is_name(const std::string& host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !host.empty() && host.size() <= kHostNameMax && host.front() != '.' &&
         host.find("..") == std::string::npos && std::all_of(host.begin(), host.end(), allowed);
}

// As OpenSSL's configuration writes it; hosts are checked, so nothing in them is syntax.
Result<std::string> alternative_names(const std::vector<std::string>& hosts) {
  if (hosts.empty() || hosts.size() > kCertificateHostsMax) {
    return Error{Errc::usage,
                 "a certificate is for 1 to " + std::to_string(kCertificateHostsMax) + " hosts"};
  }
  std::string names;
  for (const std::string& host : hosts) {
    const bool address = is_address(host);
    if (!address && !is_name(host)) {
      return Error{Errc::usage,
                   "\"" + host + "\" is neither a host name in lower case nor a numeric address"};
    }
    names += (names.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + host;
  }
  return names;
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  SP_CHECK(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void set_serial(X509* certificate) {
  std::array<unsigned char, kSerialSize> bytes{};
  SP_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 1);  // positive, of full length
  const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  SP_CHECK(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

X509Owner sign_certificate(EVP_PKEY* key, const std::string& names, const std::string& first_host,
                           std::int64_t now, std::int64_t not_after) {
  X509Owner certificate(X509_new());
  SP_CHECK(certificate && X509_set_version(certificate.get(), kVersion3) == 1);
  set_serial(certificate.get());
  SP_CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now - kClocksDiffer) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after));
  X509_NAME* name = X509_get_subject_name(certificate.get());
  // A common name has at most 64 characters (RFC 5280, ub-common-name); nobody reads it for trust.
  const std::string common = first_host.substr(0, 64);
  SP_CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(common.data()),
                                      static_cast<int>(common.size()), -1, 0) == 1);
  SP_CHECK(X509_set_issuer_name(certificate.get(), name) == 1 &&
           X509_set_pubkey(certificate.get(), key) == 1);
  add_extension(certificate.get(), NID_subject_key_identifier, "hash");
  // Daemons of one host have certificates of one name, and a verifier that looks for the issuer by
  // name alone takes the first of them.
  add_extension(certificate.get(), NID_authority_key_identifier, "keyid:always");
  // It is its own authority and nobody else's.
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign");
  add_extension(certificate.get(), NID_ext_key_usage, "serverAuth");
  add_extension(certificate.get(), NID_subject_alt_name, names);
  SP_CHECK(X509_sign(certificate.get(), key, sha256_algorithm()) > 0);
  return certificate;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  SP_CHECK(size > 0);
  return {data, static_cast<std::size_t>(size)};
}

SecretBytes secret_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  SP_CHECK(size > 0);
  SecretBytes secret(static_cast<std::size_t>(size));
  std::copy_n(data, secret.size(), secret.writable().begin());
  return secret;
}

}  // namespace

Result<ServerCertificate> make_server_certificate(const std::vector<std::string>& hosts,
                                                  std::int64_t now) {
  SP_ASSIGN(const std::string names, alternative_names(hosts));
  const ErrorQueueGuard errors;
  const Key key(EVP_EC_gen("P-256"));
  SP_CHECK(key != nullptr);
  ServerCertificate made;
  made.not_after = now + kServerCertificateDays * kDay;
  const auto certificate = sign_certificate(key.get(), names, hosts.front(), now, made.not_after);
  const Bio text(BIO_new(BIO_s_mem()));
  SP_CHECK(text && PEM_write_bio_X509(text.get(), certificate.get()) == 1);
  made.certificate = text_of(text.get());
  // Memory that OpenSSL clears when it is freed.
  const Bio secret(BIO_new(BIO_s_secmem()));
  SP_CHECK(secret && PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0,
                                                   nullptr, nullptr) == 1);
  made.key = secret_of(secret.get());
  return made;
}

bool is_for_host(const Certificate& certificate, const std::string& host) {
  const Bytes& der = certificate.der();
  const unsigned char* at = der.data();
  const X509Owner parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!parsed) return false;
  return is_address(host)
             ? X509_check_ip_asc(parsed.get(), host.c_str(), 0) == 1
             : X509_check_host(parsed.get(), host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace sp::crypto
