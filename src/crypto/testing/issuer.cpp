#include "crypto/testing/issuer.hpp"

#include <openssl/rsa.h>

#include <charconv>
#include <chrono>

#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

namespace sp::crypto::testing {
namespace {

constexpr std::size_t kPemLine = 64;  // RFC 7468 section 2
constexpr int kPssSaltSize = 48;
constexpr auto kUtcTime = static_cast<DerTag>(0x17);
constexpr auto kGeneralizedTime = static_cast<DerTag>(0x18);

constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";
constexpr std::string_view kP256 = "1.2.840.10045.3.1.7";
constexpr std::string_view kP384 = "1.3.132.0.34";
constexpr std::string_view kEcdsaSha256 = "1.2.840.10045.4.3.2";
constexpr std::string_view kEcdsaSha384 = "1.2.840.10045.4.3.3";
constexpr std::string_view kRsaPss = "1.2.840.113549.1.1.10";
constexpr std::string_view kMgf1 = "1.2.840.113549.1.1.8";
constexpr std::string_view kSha384 = "2.16.840.1.101.3.4.2.2";
constexpr std::string_view kBasicConstraints = "2.5.29.19";
constexpr std::string_view kKeyUsage = "2.5.29.15";

Bytes base128(std::uint64_t arc) {
  Bytes out{static_cast<std::uint8_t>(arc & 0x7fU)};
  while ((arc >>= 7U) != 0) {
    out.insert(out.begin(), static_cast<std::uint8_t>(0x80U | (arc & 0x7fU)));
  }
  return out;
}

Bytes bit_string(ByteView bytes) {
  const Bytes unused{0};
  return der(DerTag::bit_string, {unused, bytes});
}

Bytes pss_algorithm() {
  const Bytes null = der(DerTag::null, {});
  const Bytes hash = der(DerTag::sequence, {der_oid(kSha384), null});
  const Bytes mask = der(DerTag::sequence, {der_oid(kMgf1), hash});
  const Bytes parameters = der(
      DerTag::sequence, {der(der_context(0, true), {hash}), der(der_context(1, true), {mask}),
                         der(der_context(2, true), {der_integer(std::uint64_t{kPssSaltSize})})});
  return der(DerTag::sequence, {der_oid(kRsaPss), parameters});
}

Bytes extension_element(const Extension& extension) {
  std::vector<Bytes> parts{der_oid(extension.oid)};
  if (extension.critical) parts.push_back(Bytes{0x01, 0x01, 0xff});
  parts.push_back(der(DerTag::octet_string, {extension.value}));
  return der(DerTag::sequence, parts);
}

Bytes extension_list(const std::vector<Extension>& extensions) {
  std::vector<Bytes> parts;
  for (const Extension& extension : extensions) parts.push_back(extension_element(extension));
  return der(DerTag::sequence, parts);
}

std::vector<Extension> all_extensions(const CertificateRecipe& recipe) {
  std::vector<Extension> all;
  if (recipe.ca) {
    Bytes content;
    if (*recipe.ca) append(content, Bytes{0x01, 0x01, 0xff});
    if (recipe.path_length) append(content, der_integer(*recipe.path_length));
    all.push_back(
        {std::string(kBasicConstraints), true, der(DerTag::sequence, {ByteView(content)})});
  }
  if (recipe.key_usage) {
    all.push_back({std::string(kKeyUsage), true, key_usage_value(*recipe.key_usage)});
  }
  all.insert(all.end(), recipe.extensions.begin(), recipe.extensions.end());
  return all;
}

Bytes signed_element(ByteView to_sign, const std::optional<Bytes>& algorithm,
                     const SigningKey& key) {
  return der(DerTag::sequence,
             {to_sign, algorithm.value_or(key.algorithm()), bit_string(key.sign(to_sign))});
}

}  // namespace

Bytes der(DerTag tag, std::initializer_list<ByteView> parts) {
  Bytes content;
  for (const ByteView part : parts) append(content, part);
  Bytes out{static_cast<std::uint8_t>(tag)};
  Bytes length;
  for (std::size_t rest = content.size(); rest != 0; rest >>= 8U) {
    length.insert(length.begin(), static_cast<std::uint8_t>(rest & 0xffU));
  }
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(static_cast<std::uint8_t>(0x80U | length.size()));
    append(out, length);
  }
  append(out, content);
  return out;
}

Bytes der(DerTag tag, const std::vector<Bytes>& parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return der(tag, {ByteView(content)});
}

Bytes der_oid(std::string_view dotted) {
  std::vector<std::uint64_t> arcs;
  while (!dotted.empty()) {
    const std::string_view arc = dotted.substr(0, dotted.find('.'));
    dotted.remove_prefix(std::min(dotted.size(), arc.size() + 1));
    std::uint64_t value = 0;
    const auto read = std::from_chars(arc.data(), arc.data() + arc.size(), value);
    SP_CHECK(read.ec == std::errc() && read.ptr == arc.data() + arc.size());
    arcs.push_back(value);
  }
  SP_CHECK(arcs.size() >= 2);
  Bytes content = base128(arcs[0] * 40 + arcs[1]);
  for (std::size_t i = 2; i < arcs.size(); ++i) append(content, base128(arcs[i]));
  return der(DerTag::oid, {ByteView(content)});
}

Bytes der_integer(ByteView big_endian) {
  while (big_endian.size() > 1 && big_endian[0] == 0) big_endian = big_endian.subspan(1);
  SP_CHECK(!big_endian.empty());
  const Bytes lead((big_endian[0] & 0x80U) != 0 ? 1 : 0, 0);
  return der(DerTag::integer, {lead, big_endian});
}

Bytes der_integer(std::uint64_t number) {
  Bytes bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
  }
  return der_integer(ByteView(bytes));
}

Bytes der_time(std::int64_t at) {
  const std::chrono::sys_seconds time{std::chrono::seconds(at)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::seconds> clock(time - day);
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  const int year = static_cast<int>(date.year());
  const bool utc = year < 2050;
  const std::string text = (utc ? two(year % 100) : std::to_string(year)) +
                           two(static_cast<unsigned>(date.month())) +
                           two(static_cast<unsigned>(date.day())) + two(clock.hours().count()) +
                           two(clock.minutes().count()) + two(clock.seconds().count()) + "Z";
  return der(utc ? kUtcTime : kGeneralizedTime, {as_bytes(text)});
}

Bytes der_name(const std::vector<NameField>& fields) {
  std::vector<Bytes> sets;
  for (const NameField& field : fields) {
    const Bytes value = der(DerTag::utf8_string, {as_bytes(field.value)});
    const Bytes pair = der(DerTag::sequence, {der_oid(field.oid), value});
    sets.push_back(der(DerTag::set, {ByteView(pair)}));
  }
  return der(DerTag::sequence, sets);
}

Bytes common_name(const std::string& value) {
  return der_name({{std::string(kCommonName), value}});
}

SigningKey SigningKey::ec(Curve curve, Random& random) {
  SigningKey key;
  key.ec_ = std::make_shared<const EcKey>(EcKey::generate(curve, random));
  const bool small = curve == Curve::p256;
  const Bytes kind = der(DerTag::sequence, {der_oid(kEcPublicKey), der_oid(small ? kP256 : kP384)});
  Bytes point{0x04};
  append(point, key.ec_->public_key().point());
  key.info_ = der(DerTag::sequence, {kind, bit_string(point)});
  key.algorithm_ = der(DerTag::sequence, {der_oid(small ? kEcdsaSha256 : kEcdsaSha384)});
  return key;
}

SigningKey SigningKey::rsa(unsigned bits) {
  SigningKey key;
  Key made(EVP_RSA_gen(bits));
  SP_CHECK(made != nullptr);
  std::uint8_t* encoded = nullptr;
  const int size = i2d_PUBKEY(made.get(), &encoded);
  SP_CHECK(size > 0);
  key.info_.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  key.algorithm_ = pss_algorithm();
  key.rsa_ = hold(std::move(made));
  return key;
}

Bytes SigningKey::sign(ByteView message) const {
  if (ec_ != nullptr) return ecdsa_der_from_raw(ec_->sign_raw(message));
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_of(rsa_), nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_sign_init(context.get()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_signature_md(context.get(), sha384_algorithm()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), sha384_algorithm()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), kPssSaltSize) == 1);
  const Digest48 hash = sha384(message);
  std::size_t size = 0;
  SP_CHECK(EVP_PKEY_sign(context.get(), nullptr, &size, hash.data.data(), hash.data.size()) == 1);
  Bytes signature(size);
  SP_CHECK(EVP_PKEY_sign(context.get(), signature.data(), &size, hash.data.data(),
                         hash.data.size()) == 1);
  signature.resize(size);
  return signature;
}

const EcKey& SigningKey::ec_key() const {
  SP_CHECK(ec_ != nullptr);
  return *ec_;
}

Bytes key_usage_value(std::uint16_t bits) {
  // Bit 0 is the first of the first byte; trailing zero bits are left out (X.690 section 11.2.2).
  std::uint8_t byte = 0;
  unsigned used = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if ((bits & (1U << i)) == 0) continue;
    byte = static_cast<std::uint8_t>(byte | (0x80U >> i));
    used = i + 1;
  }
  if (used == 0) return {0x03, 0x01, 0x00};
  return {0x03, 0x02, static_cast<std::uint8_t>(8 - used), byte};
}

Bytes issue(const CertificateRecipe& recipe, ByteView subject_key_info,
            const SigningKey& issuer_key) {
  std::vector<Bytes> parts;
  if (recipe.version) {
    const Bytes version = der(DerTag::integer, {*recipe.version});
    parts.push_back(der(der_context(0, true), {ByteView(version)}));
  }
  parts.push_back(recipe.serial_content ? der(DerTag::integer, {*recipe.serial_content})
                                        : der_integer(ByteView(recipe.serial)));
  parts.push_back(recipe.inner_algorithm.value_or(issuer_key.algorithm()));
  parts.push_back(recipe.issuer);
  parts.push_back(recipe.validity.value_or(
      der(DerTag::sequence, {der_time(recipe.from), der_time(recipe.to)})));
  parts.push_back(recipe.subject);
  parts.push_back(to_bytes(subject_key_info));
  const std::vector<Extension> extensions = all_extensions(recipe);
  if (!extensions.empty()) {
    parts.push_back(der(der_context(3, true), {extension_list(extensions)}));
  }
  return signed_element(der(DerTag::sequence, parts), recipe.outer_algorithm, issuer_key);
}

Bytes issue_crl(const CrlRecipe& recipe, const SigningKey& issuer_key) {
  std::vector<Bytes> parts;
  if (recipe.version) parts.push_back(der(DerTag::integer, {*recipe.version}));
  parts.push_back(recipe.inner_algorithm.value_or(issuer_key.algorithm()));
  parts.push_back(recipe.issuer);
  parts.push_back(der_time(recipe.this_update));
  if (recipe.next_update) parts.push_back(der_time(*recipe.next_update));
  std::vector<Bytes> entries;
  for (const RevokedEntry& entry : recipe.revoked) {
    std::vector<Bytes> fields{der_integer(ByteView(entry.serial)), der_time(entry.at)};
    if (!entry.extensions.empty()) fields.push_back(extension_list(entry.extensions));
    entries.push_back(der(DerTag::sequence, fields));
  }
  if (!entries.empty()) parts.push_back(der(DerTag::sequence, entries));
  if (!recipe.extensions.empty()) {
    parts.push_back(der(der_context(0, true), {extension_list(recipe.extensions)}));
  }
  return signed_element(der(DerTag::sequence, parts), std::nullopt, issuer_key);
}

std::string pem(ByteView certificate_der) {
  std::string body(4 * ((certificate_der.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(body.data()), certificate_der.data(),
                      static_cast<int>(certificate_der.size()));
  body.resize(static_cast<std::size_t>(size));
  std::string text = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < body.size(); at += kPemLine) {
    text += body.substr(at, kPemLine) + "\n";
  }
  return text + "-----END CERTIFICATE-----\n";
}

}  // namespace sp::crypto::testing
