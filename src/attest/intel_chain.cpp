#include "attest/intel_chain.hpp"

#include "crypto/hash.hpp"

namespace sp::attest::intel {
namespace {

// Common names (Intel "SGX PCK Certificate and CRL Profile" section 1.3). The CA of PCK
// certificates is the Platform CA or the Processor CA.
constexpr std::string_view kPckCa = "CN=Intel SGX PCK ";
constexpr std::string_view kPckNames[] = {"CN=Intel SGX PCK Certificate", kPckCa,
                                          "CN=Intel SGX Root CA"};
constexpr std::string_view kPckCrlNames[] = {kPckCa, "CN=Intel SGX Root CA"};
constexpr std::string_view kSignerNames[] = {"CN=Intel SGX TCB Signing", "CN=Intel SGX Root CA"};

constexpr std::string_view kPckPieces[] = {"PCK certificate", "PCK CA certificate",
                                           "root certificate"};
constexpr std::string_view kPckCrlPieces[] = {"PCK CRL issuer certificate", "root certificate"};
constexpr std::string_view kTcbInfoPieces[] = {"TCB info signing certificate", "root certificate"};
constexpr std::string_view kQeIdentityPieces[] = {"QE identity signing certificate",
                                                  "root certificate"};

bool has_name(const std::string& subject, std::string_view name) {
  if (name != kPckCa) return subject.find(name) != std::string::npos;
  return subject.find("CN=Intel SGX PCK Platform CA") != std::string::npos ||
         subject.find("CN=Intel SGX PCK Processor CA") != std::string::npos;
}

// One certificate's own rules, and that the next issued it.
Status check_certificate(const ChainRules& rules, const Chain& chain, std::size_t i,
                         CertificateStore& store) {
  const crypto::Certificate& certificate = chain.certificates[i];
  const std::size_t next = std::min(i + 1, chain.certificates.size() - 1);
  SP_REQUIRE_OK(rules.issued, store.verify_issued_by(certificate, chain.certificates[next]));
  SP_REQUIRE_OK(rules.critical, certificate.check_alone(certificate.not_before()));
  const std::string subject = certificate.subject();
  const std::string_view name = rules.names[std::min(i, rules.names.size() - 1)];
  SP_REQUIRE(rules.subject, has_name(subject, name), name, subject);
  if (!rules.path) return {};
  // Between the leaf and certificate i stand i - 1 others (RFC 5280 section 4.2.1.9).
  const auto limit = certificate.path_length();
  SP_REQUIRE(*rules.path, i == 0 || !limit || i - 1 <= *limit,
             "at most " + std::to_string(*limit) + " CAs below " + subject, std::to_string(i - 1));
  return {};
}

Status check_time(const ChainRules& rules, const crypto::Certificate& certificate,
                  std::int64_t now) {
  const std::int64_t from = certificate.not_before();
  const std::int64_t until = certificate.not_after();
  SP_REQUIRE(
      rules.current, from <= now && now <= until,
      certificate.subject() + " from " + std::to_string(from) + " to " + std::to_string(until),
      std::to_string(now));
  return {};
}

}  // namespace

#define SP_CHAIN_RULES(name)                                                              \
  Check::intel_##name##_form, Check::intel_##name##_anchor, Check::intel_##name##_issued, \
      Check::intel_##name##_critical, Check::intel_##name##_subject,                      \
      Check::intel_##name##_current, Check::intel_##name##_revoked
const ChainRules kPckChain{SP_CHAIN_RULES(pck_chain), Check::intel_pck_chain_path, kPckNames,
                           kPckPieces};
const ChainRules kPckCrlChain{SP_CHAIN_RULES(pckcrl_chain), {}, kPckCrlNames, kPckCrlPieces};
const ChainRules kTcbInfoChain{SP_CHAIN_RULES(tcbinfo_chain), {}, kSignerNames, kTcbInfoPieces};
const ChainRules kQeIdentityChain{
    SP_CHAIN_RULES(qeidentity_chain), {}, kSignerNames, kQeIdentityPieces};
#undef SP_CHAIN_RULES

Result<crypto::Certificate> CertificateStore::read(ByteView der) {
  for (const crypto::Certificate& certificate : certificates_) {
    const Bytes& other = certificate.der();
    if (std::equal(der.begin(), der.end(), other.begin(), other.end())) return certificate;
  }
  SP_ASSIGN(crypto::Certificate certificate, crypto::Certificate::from_der(der));
  certificates_.push_back(certificate);
  return certificate;
}

Status CertificateStore::verify_issued_by(const crypto::Certificate& certificate,
                                          const crypto::Certificate& issuer) {
  const Issued pair{&certificate.der(), &issuer.der()};
  if (std::find(issued_.begin(), issued_.end(), pair) != issued_.end()) return {};
  SP_TRY(certificate.verify_issued_by(issuer));
  issued_.push_back(pair);
  return {};
}

Result<Chain> read_chain(const ChainRules& rules, ByteView pem, std::span<const Digest48> anchors,
                         CertificateStore& store) {
  const auto blocks = crypto::certificates_of_pem(as_text(pem));
  SP_REQUIRE_OK(rules.form, blocks);
  if (!blocks) return blocks.error();
  SP_REQUIRE(rules.form, blocks->size() == rules.names.size(),
             std::to_string(rules.names.size()) + " certificates", std::to_string(blocks->size()));
  Chain chain;
  for (const Bytes& block : *blocks) {
    const auto certificate = store.read(block);
    SP_REQUIRE_OK(rules.form, certificate);
    if (!certificate) return certificate.error();
    chain.certificates.push_back(*certificate);
  }
  chain.anchor = crypto::sha384(chain.root().public_key_info());
  SP_REQUIRE(rules.anchor, std::find(anchors.begin(), anchors.end(), chain.anchor) != anchors.end(),
             anchors.empty() ? "no root" : anchors.front().hex(), chain.anchor.hex());
  for (std::size_t i = 0; i < chain.certificates.size(); ++i) {
    SP_TRY(check_certificate(rules, chain, i, store));
  }
  return chain;
}

Status check_current(const ChainRules& rules, const Chain& chain, std::int64_t now) {
  for (const crypto::Certificate& certificate : chain.certificates) {
    SP_TRY(check_time(rules, certificate, now));
  }
  return {};
}

Status check_not_revoked(const ChainRules& rules, const Chain& chain, const crypto::Crl& root_crl) {
  const ByteView root = chain.root().subject_der();
  for (const crypto::Certificate& certificate : chain.certificates) {
    const ByteView issuer = certificate.issuer_der();
    const bool of_root = std::equal(issuer.begin(), issuer.end(), root.begin(), root.end());
    SP_REQUIRE(rules.revoked, !of_root || !root_crl.contains(certificate.serial()),
               "a certificate that isn't revoked",
               certificate.subject() + " with serial " + to_hex(certificate.serial()));
  }
  return {};
}

Status verify_by_leaf(const crypto::Certificate& leaf, ByteView message, ByteView signature) {
  const crypto::EcPublic* key = leaf.ec_key();
  if (key == nullptr || key->curve() != crypto::Curve::p256) {
    return Error{Errc::bad_signature, "the key of " + leaf.subject() + " isn't on P-256"};
  }
  if (!leaf.allows(crypto::KeyUse::digital_signature).value_or(true)) {
    return Error{Errc::bad_signature, "the key of " + leaf.subject() + " isn't one for signatures"};
  }
  return key->verify_raw(message, signature);
}

void add_validity(const ChainRules& rules, const Chain& chain, std::vector<Validity>& validity) {
  for (std::size_t i = 0; i < chain.certificates.size(); ++i) {
    const std::string piece(rules.pieces[std::min(i, rules.pieces.size() - 1)]);
    const crypto::Certificate& certificate = chain.certificates[i];
    const auto known = std::any_of(validity.begin(), validity.end(), [&](const Validity& other) {
      return other.piece == piece && other.from == certificate.not_before() &&
             other.until == certificate.not_after();
    });
    if (!known) validity.push_back({piece, certificate.not_before(), certificate.not_after()});
  }
}

}  // namespace sp::attest::intel
