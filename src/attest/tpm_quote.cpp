#include "attest/tpm_quote.hpp"

#include <nlohmann/json.hpp>

#include "attest/check.hpp"
#include "base/codec.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"
#include "crypto/rsa.hpp"

namespace sp::attest {
namespace {

constexpr std::uint32_t kGenerated = 0xff544347;  // TPM_GENERATED_VALUE: ff and "TCG"
constexpr std::uint16_t kQuoteType = 0x8018;      // TPM_ST_ATTEST_QUOTE
constexpr std::size_t kSelectionBytesMax = kPcrCount / 8;
constexpr std::size_t kDigestMax = 64;
constexpr std::size_t kEcNumberSize = 32;  // P-256

// TPM2B: a size and so many bytes.
Bytes sized(Reader& reader, std::size_t size_max) {
  const std::size_t size = reader.u16();
  if (size > size_max) {
    reader.fail(Errc::malformed, "a field of " + std::to_string(size) + " bytes, at most " +
                                     std::to_string(size_max));
  }
  return to_bytes(reader.raw(size));
}

// TPMS_PCR_SELECTION: bit i of byte j is PCR 8 j + i.
std::pair<std::uint16_t, std::vector<std::size_t>> read_selection(Reader& reader) {
  const std::uint16_t bank = reader.u16();
  const std::size_t size = reader.u8();
  if (size > kSelectionBytesMax) reader.fail(Errc::malformed, "a selection of unknown PCRs");
  const ByteView bits = reader.raw(size);
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < bits.size() * 8; ++i) {
    if ((bits[i / 8] & (1U << i % 8)) != 0) selected.push_back(i);
  }
  return {bank, selected};
}

void read_quote(Reader& reader, TpmQuote& quote) {
  quote.signer = sized(reader, kTpmNameMax);
  quote.extra_data = sized(reader, kTpmExtraDataMax);
  quote.clock = reader.u64();
  quote.reset_count = reader.u32();
  quote.restart_count = reader.u32();
  quote.safe = reader.boolean();
  quote.firmware = reader.u64();
  const std::uint32_t count = reader.u32();
  if (count > kTpmSelectionsMax) reader.fail(Errc::malformed, "too many selections of PCRs");
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    quote.selections.push_back(read_selection(reader));
  }
  quote.pcr_digest = sized(reader, kDigestMax);
}

struct Signature {
  std::uint16_t algorithm = 0, hash = 0;
  Bytes bytes;  // RSA: the signature; ECDSA: r || s
};

// TPM2B number, in which leading zeros may be left out.
Bytes ec_number(Reader& reader) {
  const Bytes number = sized(reader, kEcNumberSize);
  Bytes full(kEcNumberSize - number.size());
  append(full, number);
  return full;
}

Result<Signature> parse_signature(ByteView bytes) {
  Reader reader(bytes);
  Signature signature;
  signature.algorithm = reader.u16();
  signature.hash = reader.u16();
  if (signature.algorithm == kTpmRsaSsa) {
    signature.bytes = sized(reader, kTpmSignatureMax);
  } else if (signature.algorithm == kTpmEcdsa) {
    signature.bytes = ec_number(reader);
    append(signature.bytes, ec_number(reader));
  } else {
    return signature;  // whose bytes nobody knows: refused for its algorithm
  }
  SP_TRY(reader.finish());
  return signature;
}

std::string hex16(std::uint16_t value) {
  return to_hex0x(Bytes{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

Status verify(ByteView attest, const Signature& signature, const TpmKey& ak) {
  if (ak.rsa_modulus.empty()) {
    SP_ASSIGN(const auto key, crypto::EcPublic::from_point(crypto::Curve::p256, ak.ec_point));
    return key.verify_raw(attest, signature.bytes);
  }
  const auto verify_rsa = signature.hash == kTpmSha384 ? crypto::verify_rsa_pkcs1_sha384
                                                       : crypto::verify_rsa_pkcs1_sha256;
  return verify_rsa(ak.rsa_modulus, ak.rsa_exponent, attest, signature.bytes);
}

}  // namespace

Result<TpmQuote> parse_tpm_quote(ByteView attest) {
  Reader reader(attest);
  const std::uint32_t magic = reader.u32();
  const std::uint16_t type = reader.u16();
  SP_REQUIRE(Check::tpm_quote_magic, magic == kGenerated, "TPM_GENERATED_VALUE", "another value");
  SP_REQUIRE(Check::tpm_quote_type, type == kQuoteType, hex16(kQuoteType), hex16(type));
  TpmQuote quote;
  read_quote(reader, quote);
  SP_REQUIRE_OK(Check::tpm_quote_form, reader.finish());
  return quote;
}

Status check_tpm_pcrs(const TpmQuote& quote, const std::vector<std::optional<Digest32>>& pcrs) {
  if (pcrs.empty()) return {};
  std::vector<std::size_t> given;
  Bytes values;
  for (std::size_t i = 0; i < pcrs.size(); ++i) {
    if (!pcrs[i]) continue;
    given.push_back(i);
    append(values, pcrs[i]->view());
  }
  const bool same = quote.selections.size() == 1 && quote.selections[0].first == kTpmSha256 &&
                    quote.selections[0].second == given;
  SP_REQUIRE(Check::tpm_quote_selection, same, "the PCRs that are given, of the SHA-256 bank",
             "others");
  // TPM2_Quote's digest is in the hash of the signature (part 3 section 18.4); which one that is
  // tells its size.
  const Bytes digest = quote.pcr_digest.size() == Digest48::kSize
                           ? to_bytes(crypto::sha384(values).view())
                           : to_bytes(crypto::sha256(values).view());
  SP_REQUIRE(Check::tpm_quote_pcrs, digest == quote.pcr_digest, to_hex(quote.pcr_digest),
             to_hex(digest));
  return {};
}

Status check_tpm_signature(ByteView attest, ByteView signature, const TpmKey& ak) {
  const auto parsed = parse_signature(signature);
  SP_REQUIRE_OK(Check::tpm_signature_form, parsed);
  const bool rsa = !ak.rsa_modulus.empty();
  const bool known = rsa ? parsed->algorithm == kTpmRsaSsa &&
                               (parsed->hash == kTpmSha256 || parsed->hash == kTpmSha384)
                         : parsed->algorithm == kTpmEcdsa && parsed->hash == kTpmSha256;
  SP_REQUIRE(Check::tpm_signature_algorithm, known,
             rsa ? "RSASSA with SHA-256 or SHA-384" : "ECDSA with SHA-256",
             hex16(parsed->algorithm) + " with " + hex16(parsed->hash));
  SP_REQUIRE_OK(Check::tpm_quote_signature, verify(attest, *parsed, ak));
  return {};
}

Bytes wrap_rsassa_sha256(ByteView signature) {
  SP_CHECK(signature.size() <= kTpmSignatureMax);
  Writer writer;
  writer.u16(kTpmRsaSsa).u16(kTpmSha256).u16(static_cast<std::uint16_t>(signature.size()));
  writer.raw(signature);
  return std::move(writer).take();
}

Json tpm_quote_json(const TpmQuote& quote) {
  Json json = {{"signer", to_hex(quote.signer)},
               {"extraData", to_hex(quote.extra_data)},
               {"clock", quote.clock},
               {"resetCount", quote.reset_count},
               {"restartCount", quote.restart_count},
               {"safe", quote.safe},
               {"firmware", quote.firmware},
               {"pcrDigest", to_hex(quote.pcr_digest)},
               {"selections", Json::array()}};
  for (const auto& [bank, selected] : quote.selections) {
    json["selections"].push_back({{"bank", hex16(bank)}, {"pcrs", selected}});
  }
  return json;
}

Status verify_tpm_quote(ByteView quote, ByteView signature, const TpmKey& ak, ByteView nonce,
                        const std::vector<std::optional<Digest32>>& pcrs) {
  SP_ASSIGN(const TpmQuote parsed, parse_tpm_quote(quote));
  SP_TRY(check_tpm_signature(quote, signature, ak));
  SP_REQUIRE(
      Check::tpm_quote_nonce,
      std::equal(nonce.begin(), nonce.end(), parsed.extra_data.begin(), parsed.extra_data.end()),
      to_hex(nonce), to_hex(parsed.extra_data));
  return check_tpm_pcrs(parsed, pcrs);
}

}  // namespace sp::attest
