#include "crypto/crl.hpp"

#include "crypto/x509_parts.hpp"

namespace sp::crypto {

namespace {

constexpr std::uint64_t kVersion2 = 1;  // RFC 5280 section 5.1.2.1
constexpr std::uint64_t kReasonMax = 10;
constexpr std::uint64_t kReasonUnused = 7;
constexpr std::uint64_t kReasonRemove = 8;  // of delta lists only (RFC 5280 section 5.3.1)

// Contents of object identifiers (RFC 5280 sections 5.2, 5.3).
constexpr std::uint8_t kCrlNumber[] = {0x55, 0x1d, 0x14};
constexpr std::uint8_t kReasonCode[] = {0x55, 0x1d, 0x15};
constexpr std::uint8_t kDeltaIndicator[] = {0x55, 0x1d, 0x1b};
constexpr std::uint8_t kIssuingDistributionPoint[] = {0x55, 0x1d, 0x1c};
constexpr std::uint8_t kCertificateIssuer[] = {0x55, 0x1d, 0x1d};

Error malformed(std::string_view what) { return {Errc::malformed, "CRL: " + std::string(what)}; }

Error unsupported(std::string_view what) {
  return {Errc::unsupported, "CRL: " + std::string(what)};
}

Status check_reason(ByteView value) {
  DerReader reader(value);
  SP_ASSIGN(const ByteView reason, reader.read(DerTag::enumerated));
  SP_TRY(reader.finish());
  if (reason.size() != 1 || reason[0] > kReasonMax || reason[0] == kReasonUnused) {
    return malformed("a reason that isn't one");
  }
  if (reason[0] == kReasonRemove) return unsupported("an entry that takes a revocation back");
  return {};
}

Status check_entry_extensions(DerReader& entry) {
  SP_ASSIGN(const std::vector<ExtensionView> extensions, read_extensions(entry));
  for (const ExtensionView& extension : extensions) {
    if (same_bytes(extension.oid, kReasonCode)) {
      SP_TRY(check_reason(extension.value));
    } else if (same_bytes(extension.oid, kCertificateIssuer)) {
      return unsupported("an entry of another issuer");
    } else if (extension.critical) {
      return unsupported("an entry has a critical extension that isn't known");
    }
  }
  return {};
}

Status check_extensions(const std::vector<ExtensionView>& extensions) {
  for (const ExtensionView& extension : extensions) {
    if (same_bytes(extension.oid, kDeltaIndicator)) return unsupported("a delta list");
    if (same_bytes(extension.oid, kIssuingDistributionPoint)) {
      return unsupported("a list of a part of the certificates");
    }
    if (extension.critical && !same_bytes(extension.oid, kCrlNumber)) {
      return unsupported("a critical extension that isn't known");
    }
  }
  return {};
}

}  // namespace

// Views are into `der`, which never moves.
struct Crl::Fields {
  Bytes der;
  SignedParts parts;
  ByteView issuer;
  std::int64_t this_update = 0;
  std::int64_t next_update = 0;
  std::vector<ByteView> serials;

  Status read();
  Status read_entries(DerReader& fields);
};

Status Crl::Fields::read() {
  SP_ASSIGN(parts, read_signed_parts(der));
  DerReader outer(parts.to_sign);
  SP_ASSIGN(DerReader fields, outer.enter(DerTag::sequence));
  SP_ASSIGN(const std::uint64_t version, fields.number());
  if (version != kVersion2) return malformed("its version isn't 2");
  SP_ASSIGN(const DerElement algorithm, fields.next());
  if (!same_bytes(algorithm.whole, parts.algorithm)) {
    return malformed("two different signature algorithms");
  }
  SP_ASSIGN(issuer, read_name(fields));
  SP_ASSIGN(this_update, read_time(fields));
  if (!next_is_time(fields)) return malformed("it doesn't say when the next one comes");
  SP_ASSIGN(next_update, read_time(fields));
  if (next_update < this_update) return malformed("its time ends before it begins");
  if (fields.next_is(DerTag::sequence)) SP_TRY(read_entries(fields));
  if (fields.at_end()) return {};
  SP_ASSIGN(DerReader wrapper, fields.enter(der_context(0, true)));
  SP_TRY(fields.finish());
  SP_ASSIGN(const std::vector<ExtensionView> extensions, read_extensions(wrapper));
  SP_TRY(wrapper.finish());
  return check_extensions(extensions);
}

Status Crl::Fields::read_entries(DerReader& fields) {
  SP_ASSIGN(DerReader list, fields.enter(DerTag::sequence));
  if (list.at_end()) return malformed("an empty list of entries");
  while (!list.at_end()) {
    if (serials.size() == kCrlEntriesMax) {
      return Error{Errc::too_large,
                   "CRL: more than " + std::to_string(kCrlEntriesMax) + " entries"};
    }
    SP_ASSIGN(DerReader entry, list.enter(DerTag::sequence));
    SP_ASSIGN(const ByteView serial, entry.unsigned_integer(kSerialSizeMax));
    SP_ASSIGN(const std::int64_t revoked_at, read_time(entry));
    static_cast<void>(revoked_at);
    if (!entry.at_end()) SP_TRY(check_entry_extensions(entry));
    SP_TRY(entry.finish());
    serials.push_back(serial);
  }
  return {};
}

Result<Crl> Crl::from_der(ByteView der) {
  if (der.size() > kCrlSizeMax) {
    return Error{Errc::too_large, "CRL of " + std::to_string(der.size()) + " bytes, at most " +
                                      std::to_string(kCrlSizeMax)};
  }
  const auto fields = std::make_shared<Fields>();
  fields->der = to_bytes(der);
  SP_TRY(fields->read());
  return Crl(fields);
}

const Bytes& Crl::der() const { return fields_->der; }
std::string Crl::issuer() const { return name_text(fields_->issuer); }
ByteView Crl::issuer_der() const { return fields_->issuer; }
std::int64_t Crl::this_update() const { return fields_->this_update; }
std::int64_t Crl::next_update() const { return fields_->next_update; }
std::size_t Crl::size() const { return fields_->serials.size(); }

Status Crl::verify_issued_by(const Certificate& issuer) const {
  if (!same_bytes(issuer_der(), issuer.subject_der())) {
    return Error{Errc::mismatch,
                 "CRL of " + this->issuer() + ", expected one of " + issuer.subject()};
  }
  if (!issuer.may_sign_crls()) {
    return Error{Errc::mismatch, issuer.subject() + " isn't a CA that may sign CRLs"};
  }
  const SignedParts& parts = fields_->parts;
  const Status verified = issuer.verify_signed(parts.algorithm, parts.to_sign, parts.signature);
  if (verified) return {};
  return Error{Errc::bad_signature, "the CRL isn't signed by the key of " + issuer.subject() +
                                        ": " + verified.error().message};
}

bool Crl::contains(ByteView serial) const {
  return std::any_of(fields_->serials.begin(), fields_->serials.end(),
                     [&](ByteView revoked) { return same_bytes(revoked, serial); });
}

}  // namespace sp::crypto
