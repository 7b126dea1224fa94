#include "attest/intel_quote.hpp"

#include "attest/check.hpp"
#include "attest/little_endian.hpp"

namespace sp::attest::intel {
namespace {

constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint32_t kTeeSgx = 0;
constexpr std::uint32_t kTeeTdx = 0x81;
constexpr std::uint16_t kBodySgx = 1;
constexpr std::uint16_t kBodyTd10 = 2;
constexpr std::uint16_t kBodyTd15 = 3;
constexpr std::uint16_t kCertificationChain = 5;
constexpr std::uint16_t kCertificationQeReport = 6;
constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kKeySize = 64;
constexpr std::array<std::uint8_t, 16> kIntelVendor = {
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

std::uint16_t little16(ByteView bytes) { return static_cast<std::uint16_t>(little_number(bytes)); }

// Walks over bytes. Past the end it hands out zeros and remembers that it did, so that every field
// has its size whatever happens.
class Cursor {
 public:
  explicit Cursor(ByteView rest) : rest_(rest) {}

  template <std::size_t kSize>
  ByteView fixed() {
    static constexpr std::array<std::uint8_t, kSize> kZeros{};
    const ByteView taken = variable(kSize);
    return taken.size() == kSize ? taken : ByteView(kZeros);
  }
  ByteView variable(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint16_t u16() { return little16(fixed<2>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little_number(fixed<4>())); }
  [[nodiscard]] ByteView rest() const { return rest_; }
  /// Whether all that was asked for was there, and nothing is left.
  [[nodiscard]] bool exact() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  ByteView rest_;
  bool failed_ = false;
};

bool is_tee(const Quote& quote) {
  return quote.tee_type == kTeeSgx || (quote.tee_type == kTeeTdx && quote.version != 3);
}

Status read_header(Cursor& cursor, Quote& quote) {
  quote.version = cursor.u16();
  quote.key_type = cursor.u16();
  quote.tee_type = cursor.u32();
  quote.qe_svn = cursor.u16();
  quote.pce_svn = cursor.u16();
  quote.vendor = cursor.fixed<16>();
  quote.user_data = cursor.fixed<20>();
  SP_REQUIRE(Check::intel_quote_version, quote.version >= 3 && quote.version <= 5, "3, 4 or 5",
             std::to_string(quote.version));
  SP_REQUIRE(Check::intel_quote_key_type, quote.key_type == kEcdsaP256, "2 (ECDSA on P-256)",
             std::to_string(quote.key_type));
  SP_REQUIRE(Check::intel_quote_tee_type, is_tee(quote),
             quote.version == 3 ? "0 (SGX)" : "0 (SGX) or 129 (TDX)",
             std::to_string(quote.tee_type));
  SP_REQUIRE(Check::intel_quote_vendor,
             std::equal(quote.vendor.begin(), quote.vendor.end(), kIntelVendor.begin(),
                        kIntelVendor.end()),
             to_hex(kIntelVendor), to_hex(quote.vendor));
  return {};
}

std::size_t body_size(BodyKind kind) {
  if (kind == BodyKind::sgx) return EnclaveReport::kSize;
  return kind == BodyKind::td10 ? TdReport::kSize10 : TdReport::kSize15;
}

// Version 5 states what body it has; the others have one of each TEE.
Status read_body_kind(Cursor& cursor, Quote& quote) {
  const bool tdx = quote.tee_type == kTeeTdx;
  quote.body_kind = tdx ? BodyKind::td10 : BodyKind::sgx;
  if (quote.version != 5) return {};
  const std::uint16_t type = cursor.u16();
  const std::uint32_t size = cursor.u32();
  SP_REQUIRE(Check::intel_quote_body_type,
             tdx ? type == kBodyTd10 || type == kBodyTd15 : type == kBodySgx,
             tdx ? "2 (TD 1.0) or 3 (TD 1.5)" : "1 (SGX)", std::to_string(type));
  if (type == kBodyTd15) quote.body_kind = BodyKind::td15;
  SP_REQUIRE(Check::intel_quote_body_size, size == body_size(quote.body_kind),
             std::to_string(body_size(quote.body_kind)), std::to_string(size));
  return {};
}

ByteView read_body(Cursor& cursor, BodyKind kind) {
  if (kind == BodyKind::sgx) return cursor.fixed<EnclaveReport::kSize>();
  return kind == BodyKind::td10 ? cursor.fixed<TdReport::kSize10>()
                                : cursor.fixed<TdReport::kSize15>();
}

// QE report, its signature, authentication data and certification data of type 5, to the end.
Status read_qe_part(Cursor& cursor, Quote& quote) {
  quote.qe_report = EnclaveReport(cursor.fixed<EnclaveReport::kSize>());
  quote.qe_report_signature = cursor.fixed<kSignatureSize>();
  quote.qe_auth_data = cursor.variable(cursor.u16());
  const std::uint16_t type = cursor.u16();
  quote.pck_chain = cursor.variable(cursor.u32());
  SP_REQUIRE(Check::intel_quote_lengths, cursor.exact(), "lengths that fill the signature data",
             "lengths that don't");
  SP_REQUIRE(Check::intel_quote_certification, type == kCertificationChain,
             "5 (PCK certificate chain)", std::to_string(type));
  return {};
}

Status read_signature_data(ByteView data, Quote& quote) {
  Cursor cursor(data);
  quote.signature = cursor.fixed<kSignatureSize>();
  quote.attestation_key = cursor.fixed<kKeySize>();
  if (quote.version == 3) return read_qe_part(cursor, quote);
  const std::uint16_t type = cursor.u16();
  const std::uint32_t size = cursor.u32();
  SP_REQUIRE(Check::intel_quote_certification, type == kCertificationQeReport,
             "6 (QE report certification data)", std::to_string(type));
  SP_REQUIRE(Check::intel_quote_lengths, !cursor.failed() && size == cursor.rest().size(),
             std::to_string(cursor.rest().size()) + " bytes of certification data",
             std::to_string(size));
  Cursor inner(cursor.rest());
  return read_qe_part(inner, quote);
}

}  // namespace

std::uint16_t EnclaveReport::isvprodid() const { return little16(bytes_.subspan(256, 2)); }
std::uint16_t EnclaveReport::isvsvn() const { return little16(bytes_.subspan(258, 2)); }

ByteView TdReport::tee_tcb_svn2() const {
  return bytes_.size() == kSize15 ? bytes_.subspan(kSize10, 16) : ByteView();
}

ByteView TdReport::mrservicetd() const {
  return bytes_.size() == kSize15 ? bytes_.subspan(kSize10 + 16, 48) : ByteView();
}

TdReport Quote::td() const {
  SP_CHECK(is_tdx());
  return TdReport(body);
}

EnclaveReport Quote::enclave() const {
  SP_CHECK(!is_tdx());
  return EnclaveReport(body);
}

ByteView Quote::report_data() const {
  return is_tdx() ? td().report_data() : enclave().report_data();
}

Result<Quote> read_quote(ByteView bytes) {
  SP_REQUIRE(Check::intel_quote_size, bytes.size() <= kEvidenceBodyMax,
             "at most " + std::to_string(kEvidenceBodyMax) + " bytes",
             std::to_string(bytes.size()));
  Quote quote;
  Cursor cursor(bytes);
  SP_REQUIRE(Check::intel_quote_truncated, bytes.size() >= kHeaderSize,
             std::to_string(kHeaderSize) + " bytes of header", std::to_string(bytes.size()));
  SP_TRY(read_header(cursor, quote));
  SP_TRY(read_body_kind(cursor, quote));
  quote.body = read_body(cursor, quote.body_kind);
  quote.signed_part = bytes.first(bytes.size() - cursor.rest().size());
  const std::uint32_t size = cursor.u32();
  const std::size_t left = cursor.rest().size();
  const ByteView data = cursor.variable(size);
  SP_REQUIRE(Check::intel_quote_truncated, !cursor.failed(),
             "a body and " + std::to_string(size) + " bytes of signature data",
             std::to_string(left) + " bytes of them");
  quote.trailing = cursor.rest();
  SP_TRY(read_signature_data(data, quote));
  return quote;
}

}  // namespace sp::attest::intel
