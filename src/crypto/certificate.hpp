// Makes the certificate with which a daemon of ours shows itself over TLS where no public authority
// vouches for it: a key on P-256 and a certificate that vouches for itself (RFC 5280), to be handed
// to whoever is to trust it. Safe to call from any thread.
#pragma once

#include <string>
#include <vector>

#include "base/secret.hpp"

namespace sp::crypto {

class Certificate;

inline constexpr std::size_t kCertificateHostsMax = 16;  ///< names and addresses of one certificate
inline constexpr std::size_t kHostNameMax = 253;         ///< characters (RFC 1035 section 2.3.4)
/// The longest that TLS clients commonly accept for a server.
inline constexpr int kServerCertificateDays = 825;

struct ServerCertificate {
  std::string certificate;     ///< PEM
  SecretBytes key;             ///< PEM, PKCS #8
  std::int64_t not_after = 0;  ///< seconds of Unix time
};

/// For `hosts`: DNS names ("store.example", no wildcards) or numeric addresses; holds from an hour
/// before `now` (clocks differ) for kServerCertificateDays. Errc::usage for a host that is neither,
/// for none and for more than kCertificateHostsMax.
Result<ServerCertificate> make_server_certificate(const std::vector<std::string>& hosts,
                                                  std::int64_t now);

/// Whether a server of this name or numeric address may show it, as TLS clients judge.
bool is_for_host(const Certificate& certificate, const std::string& host);

}  // namespace sp::crypto
