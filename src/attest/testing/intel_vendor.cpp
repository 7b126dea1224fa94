#include "attest/testing/intel_vendor.hpp"

#include <chrono>

#include "crypto/hash.hpp"

namespace sp::attest::testing {
namespace {

namespace issue = crypto::testing;
using crypto::DerTag;

constexpr std::uint8_t kVendorId[] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
constexpr std::uint8_t kComponent = 5;  // SVN of every component of the platform
constexpr std::uint16_t kPceSvn = 11;
constexpr std::uint16_t kQeSvn = 4;
constexpr std::uint8_t kQeSigner = 0x5a;
const std::string kFmspcText = "00906ed50000";

constexpr std::size_t kReportDataInTd = 520;
constexpr std::size_t kReportDataInEnclave = 320;

void little(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void put(Bytes& bytes, std::size_t at, ByteView what) {
  SP_CHECK(at + what.size() <= bytes.size());
  std::copy(what.begin(), what.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

issue::CertificateRecipe certificate(const std::string& subject, const std::string& issuer,
                                     std::uint8_t serial, std::int64_t now) {
  issue::CertificateRecipe recipe;
  recipe.subject = issue::common_name("Intel SGX " + subject);
  recipe.issuer = issue::common_name("Intel SGX " + issuer);
  recipe.serial = {serial};
  recipe.from = now - kIntelSpan;
  recipe.to = now + kIntelSpan;
  recipe.ca = false;
  recipe.key_usage = issue::kDigitalSignature | issue::kNonRepudiation;
  return recipe;
}

issue::CertificateRecipe ca(const std::string& subject, std::uint8_t serial, std::int64_t now,
                            std::uint64_t path_length) {
  auto recipe = certificate(subject, "Root CA", serial, now);
  recipe.ca = true;
  recipe.path_length = path_length;
  recipe.key_usage = issue::kKeyCertSign | issue::kCrlSign;
  return recipe;
}

issue::CrlRecipe crl(const std::string& issuer, std::int64_t now) {
  issue::CrlRecipe recipe;
  recipe.issuer = issue::common_name("Intel SGX " + issuer);
  recipe.this_update = now - kIntelSpan;
  recipe.next_update = now + kIntelSpan;
  recipe.revoked = {{{0x77}, now - kIntelSpan, {}}};
  return recipe;
}

Json components(std::uint8_t svn) {
  Json list = Json::array();
  for (int i = 0; i < 16; ++i) list.push_back({{"svn", svn}});
  return list;
}

Json level(Json tcb, TcbStatus status, const std::vector<std::string>& advisories) {
  Json json = {{"tcb", std::move(tcb)},
               {"tcbDate", "2024-03-13T00:00:00Z"},
               {"tcbStatus", tcb_name(status)}};
  if (!advisories.empty()) json["advisoryIDs"] = advisories;
  return json;
}

Json version_levels() {
  return Json::array({level({{"isvsvn", kQeSvn}}, TcbStatus::up_to_date, {}),
                      level({{"isvsvn", 2}}, TcbStatus::out_of_date, {"INTEL-SA-00002"}),
                      level({{"isvsvn", 1}}, TcbStatus::revoked, {"INTEL-SA-00001"})});
}

Json tcb_info(const IntelOptions& options) {
  const Json high = {{"sgxtcbcomponents", components(4)}, {"pcesvn", kPceSvn - 1}};
  const Json low = {{"sgxtcbcomponents", components(2)}, {"pcesvn", 5}};
  return {{"version", 3},
          {"id", "SGX"},
          {"issueDate", iso_date(options.now - kIntelSpan)},
          {"nextUpdate", iso_date(options.now + kIntelSpan)},
          {"fmspc", kFmspcText},
          {"pceId", "0000"},
          {"tcbType", 0},
          {"tcbEvaluationDataNumber", 17},
          {"tcbLevels", Json::array({level(high, options.tcb_status, options.advisories),
                                     level(low, TcbStatus::out_of_date, {"INTEL-SA-00003"})})}};
}

Json qe_identity(std::int64_t now) {
  return {{"version", 2},
          {"id", "QE"},
          {"issueDate", iso_date(now - kIntelSpan)},
          {"nextUpdate", iso_date(now + kIntelSpan)},
          {"tcbEvaluationDataNumber", 17},
          {"miscselect", "00000000"},
          {"miscselectMask", "FFFFFFFF"},
          {"attributes", "11000000000000000000000000000000"},
          {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
          {"mrsigner", to_hex(Bytes(32, kQeSigner))},
          {"isvprodid", 1},
          {"tcbLevels", version_levels()}};
}

// What TDX adds to TCB info and QE identity.
void make_tdx(IntelRecipe& recipe) {
  const Json signer = {{"mrsigner", std::string(96, '0')},
                       {"attributes", std::string(16, '0')},
                       {"attributesMask", std::string(16, 'F')}};
  recipe.tcb_info["id"] = "TDX";
  recipe.tcb_info["tdxModule"] = signer;
  Json module = signer;
  module["id"] = "TDX_01";
  module["tcbLevels"] = version_levels();
  recipe.tcb_info["tdxModuleIdentities"] = Json::array({module});
  for (Json& one : recipe.tcb_info["tcbLevels"]) one["tcb"]["tdxtcbcomponents"] = components(0);
  recipe.tcb_info["tcbLevels"][0]["tcb"]["tdxtcbcomponents"][2]["svn"] = 2;
  recipe.qe_identity["id"] = "TD_QE";
  recipe.qe_identity["isvprodid"] = 2;
}

Bytes qe_report(std::uint8_t product) {
  Bytes report(intel::EnclaveReport::kSize, 0);
  report[48] = 0x11;  // INIT, PROVISIONKEY
  std::fill_n(report.begin() + 128, 32, kQeSigner);
  report[256] = product;
  report[258] = kQeSvn;
  return report;
}

Bytes td_body(const ReportData& data, const IntelOptions& options) {
  Bytes body(options.version == 5 ? intel::TdReport::kSize15 : intel::TdReport::kSize10, 0);
  body[0] = kQeSvn;  // the TDX module's own version
  body[1] = 1;       // its major version
  body[2] = 3;
  body[120] = options.debug ? 1 : 0;
  body[123] = 0x10;  // SEPT_VE_DISABLE
  body[128] = 0xe7;  // XFAM
  put(body, 136, options.measurement.view());
  for (std::size_t i = 0; i < intel::TdReport::kRtmrs; ++i) {
    std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(328 + 48 * i), 48,
                static_cast<std::uint8_t>(i + 1));
  }
  put(body, kReportDataInTd, data.view());
  if (options.version == 5) put(body, intel::TdReport::kSize10, ByteView(body).first(16));
  return body;
}

Bytes enclave_body(const ReportData& data, const IntelOptions& options) {
  Bytes body(intel::EnclaveReport::kSize, 0);
  body[48] = options.debug ? 0x07 : 0x05;  // INIT, MODE64BIT
  put(body, 64, options.measurement.view().first(32));
  std::fill_n(body.begin() + 128, 32, std::uint8_t{0x33});
  put(body, kReportDataInEnclave, data.view());
  return body;
}

Bytes field(std::string_view suffix, ByteView value) {
  const Bytes oid = issue::der_oid(std::string(intel::kSgxExtensionOid) + std::string(suffix));
  return issue::der(DerTag::sequence, {oid, value});
}

Bytes octets(ByteView bytes) { return issue::der(DerTag::octet_string, {bytes}); }

Bytes tcb_field(const intel::PckFacts& facts) {
  std::vector<Bytes> parts;
  for (std::size_t i = 0; i < facts.components.size(); ++i) {
    parts.push_back(field(".2." + std::to_string(i + 1),
                          issue::der_integer(std::uint64_t{facts.components[i]})));
  }
  parts.push_back(field(".2.17", issue::der_integer(std::uint64_t{facts.pcesvn})));
  parts.push_back(field(".2.18", octets(facts.cpusvn.view())));
  return field(".2", issue::der(DerTag::sequence, parts));
}

// What was signed as text, with its signature.
void add_signed(Collateral& collateral, PieceKind piece, PieceKind signature,
                const std::string& text, const issue::SigningKey& key) {
  collateral.pieces[piece] = to_bytes(as_bytes(text));
  collateral.pieces[signature] = key.ec_key().sign_raw(as_bytes(text));
}

Bytes qe_part(const IntelRecipe& recipe, const issue::SigningKey& attestation_key) {
  Bytes report = recipe.qe_report;
  const Digest32 digest = crypto::sha256(
      {attestation_key.ec_key().public_key().point(), ByteView(recipe.qe_auth_data)});
  put(report, kReportDataInEnclave, recipe.qe_report_data.value_or(to_bytes(digest.view())));
  IntelChain chain = recipe.pck_chain;
  if (!chain.empty()) {
    chain.front().recipe.extensions.push_back(
        {intel::kSgxExtensionOid, false, recipe.sgx_extension.value_or(sgx_extension(recipe.pck))});
  }
  const std::string pem = pem_of(chain);
  Bytes part = report;
  append(part, recipe.qe_key->ec_key().sign_raw(report));
  little(part, recipe.qe_auth_data.size(), 2);
  append(part, recipe.qe_auth_data);
  little(part, recipe.inner_certification_type, 2);
  little(part, pem.size(), 4);
  append(part, as_bytes(pem));
  return part;
}

std::uint16_t body_type(const Bytes& body) {
  if (body.size() == intel::EnclaveReport::kSize) return 1;
  return body.size() == intel::TdReport::kSize10 ? 2 : 3;
}

}  // namespace

std::string iso_date(std::int64_t at) {
  const std::chrono::sys_seconds time{std::chrono::seconds(at)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::seconds> clock(time - day);
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day())) +
         "T" + two(clock.hours().count()) + ":" + two(clock.minutes().count()) + ":" +
         two(clock.seconds().count()) + "Z";
}

std::string pem_of(const IntelChain& chain) {
  std::string text;
  for (const IntelCertificate& one : chain) {
    text += issue::pem(issue::issue(one.recipe, one.key->public_key_info(), *one.issuer_key));
  }
  return text;
}

Bytes sgx_extension(const intel::PckFacts& facts) {
  const Bytes type{static_cast<std::uint8_t>(DerTag::enumerated), 1, facts.sgx_type};
  std::vector<Bytes> parts{field(".1", octets(facts.ppid.view())), tcb_field(facts),
                           field(".3", octets(facts.pceid.view())),
                           field(".4", octets(facts.fmspc.view())), field(".5", type)};
  if (facts.platform_instance) {
    parts.push_back(field(".6", octets(facts.platform_instance->view())));
  }
  return issue::der(DerTag::sequence, parts);
}

IntelVendor::IntelVendor(Random& random)
    : root_(issue::SigningKey::ec(crypto::Curve::p256, random)),
      pck_ca_(issue::SigningKey::ec(crypto::Curve::p256, random)),
      pck_(issue::SigningKey::ec(crypto::Curve::p256, random)),
      signer_(issue::SigningKey::ec(crypto::Curve::p256, random)),
      attestation_(issue::SigningKey::ec(crypto::Curve::p256, random)),
      stranger_(issue::SigningKey::ec(crypto::Curve::p256, random)) {}

IntelRecipe IntelVendor::common_recipe(const IntelOptions& options) const {
  const std::int64_t now = options.now;
  const IntelCertificate root{ca("Root CA", 1, now, 1), &root_, &root_};
  const IntelCertificate pck_ca{ca("PCK Platform CA", 2, now, 0), &pck_ca_, &root_};
  const IntelCertificate pck{certificate("PCK Certificate", "PCK Platform CA", 3, now), &pck_,
                             &pck_ca_};
  const IntelCertificate signer{certificate("TCB Signing", "Root CA", 4, now), &signer_, &root_};
  IntelRecipe recipe;
  recipe.pck_chain = {pck, pck_ca, root};
  recipe.pckcrl_chain = {pck_ca, root};
  recipe.tcbinfo_chain = recipe.qeidentity_chain = {signer, root};
  recipe.pck.ppid.data.fill(0xab);
  recipe.pck.components.fill(kComponent);
  recipe.pck.cpusvn.data.fill(kComponent);
  recipe.pck.pcesvn = kPceSvn;
  recipe.pck.fmspc = intel::Fmspc::from_hex(kFmspcText).value();
  recipe.root_crl = crl("Root CA", now);
  recipe.pck_crl = crl("PCK Platform CA", now);
  recipe.root_crl_key = &root_;
  recipe.pck_crl_key = &pck_ca_;
  recipe.tcb_info = tcb_info(options);
  recipe.qe_identity = qe_identity(now);
  recipe.tcbinfo_key = recipe.qeidentity_key = &signer_;
  recipe.vendor_id.assign(std::begin(kVendorId), std::end(kVendorId));
  recipe.qe_auth_data.assign(32, 0x20);
  recipe.quote_key = &attestation_;
  recipe.qe_key = &pck_;
  return recipe;
}

IntelRecipe IntelVendor::tdx_recipe(const ReportData& report_data,
                                    const IntelOptions& options) const {
  IntelRecipe recipe = common_recipe(options);
  make_tdx(recipe);
  recipe.version = options.version;
  recipe.body = td_body(report_data, options);
  recipe.qe_report = qe_report(2);
  return recipe;
}

IntelRecipe IntelVendor::sgx_recipe(const ReportData& report_data,
                                    const IntelOptions& options) const {
  IntelRecipe recipe = common_recipe(options);
  recipe.version = 3;
  recipe.tee_type = 0;
  recipe.body = enclave_body(report_data, options);
  recipe.qe_report = qe_report(1);
  return recipe;
}

Bytes IntelVendor::quote(const IntelRecipe& recipe) const {
  Bytes quote;
  little(quote, recipe.version, 2);
  little(quote, recipe.key_type, 2);
  little(quote, recipe.tee_type, 4);
  little(quote, 0, 4);
  append(quote, recipe.vendor_id);
  quote.resize(48);
  if (recipe.version == 5) {
    little(quote, recipe.body_type.value_or(body_type(recipe.body)), 2);
    little(quote, recipe.body_size.value_or(static_cast<std::uint32_t>(recipe.body.size())), 4);
  }
  append(quote, recipe.body);
  Bytes data = recipe.quote_key->ec_key().sign_raw(quote);
  append(data, attestation_.ec_key().public_key().point());
  const Bytes part = qe_part(recipe, attestation_);
  if (recipe.version != 3) {
    little(data, recipe.certification_type, 2);
    little(data, part.size(), 4);
  }
  append(data, part);
  little(quote, data.size(), 4);
  append(quote, data);
  append(quote, recipe.trailing);
  if (recipe.spoil_quote) recipe.spoil_quote(quote);
  return quote;
}

Collateral IntelVendor::collateral(const IntelRecipe& recipe) {
  Collateral collateral;
  const auto add_chain = [&](PieceKind piece, const IntelChain& chain) {
    collateral.pieces[piece] = to_bytes(as_bytes(pem_of(chain)));
  };
  add_chain(PieceKind::intel_pck_crl_chain, recipe.pckcrl_chain);
  add_chain(PieceKind::intel_tcb_info_chain, recipe.tcbinfo_chain);
  add_chain(PieceKind::intel_qe_identity_chain, recipe.qeidentity_chain);
  collateral.pieces[PieceKind::intel_root_crl] =
      issue::issue_crl(recipe.root_crl, *recipe.root_crl_key);
  collateral.pieces[PieceKind::intel_pck_crl] =
      issue::issue_crl(recipe.pck_crl, *recipe.pck_crl_key);
  add_signed(collateral, PieceKind::intel_tcb_info, PieceKind::intel_tcb_info_signature,
             recipe.tcb_info_text.value_or(recipe.tcb_info.dump()), *recipe.tcbinfo_key);
  add_signed(collateral, PieceKind::intel_qe_identity, PieceKind::intel_qe_identity_signature,
             recipe.qe_identity_text.value_or(recipe.qe_identity.dump()), *recipe.qeidentity_key);
  if (recipe.spoil_collateral) recipe.spoil_collateral(collateral);
  return collateral;
}

Evidence IntelVendor::tdx(const ReportData& report_data, const IntelOptions& options) const {
  const IntelRecipe recipe = tdx_recipe(report_data, options);
  return {EvidenceKind::tdx, quote(recipe), collateral(recipe).encode()};
}

Evidence IntelVendor::sgx(const ReportData& report_data, const IntelOptions& options) const {
  const IntelRecipe recipe = sgx_recipe(report_data, options);
  return {EvidenceKind::sgx, quote(recipe), collateral(recipe).encode()};
}

Anchors IntelVendor::anchors() const { return {{}, {crypto::sha384(root_.public_key_info())}}; }

}  // namespace sp::attest::testing
