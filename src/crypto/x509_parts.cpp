#include "crypto/x509_parts.hpp"

#include <charconv>
#include <chrono>

namespace sp::crypto {
namespace {

constexpr auto kUtcTime = static_cast<DerTag>(0x17);
constexpr auto kGeneralizedTime = static_cast<DerTag>(0x18);
constexpr auto kPrintableString = static_cast<DerTag>(0x13);
constexpr auto kIa5String = static_cast<DerTag>(0x16);
constexpr int kUtcPivot = 50;  // RFC 5280 section 4.1.2.5.1
constexpr int kGeneralizedFirstYear = 2050;
constexpr std::size_t kNamePartsMax = 32;
constexpr std::size_t kOidArcsMax = 32;

// ecdsa-with-SHA256 and ecdsa-with-SHA384 (RFC 5758 section 3.2).
constexpr std::uint8_t kEcdsaSha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                         0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr std::uint8_t kEcdsaSha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                         0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
// id-RSASSA-PSS (RFC 4055 section 3.1) with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes. AMD
// writes the trailer field although it has its default value.
constexpr std::uint8_t kPssSha384[] = {
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
    0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};
constexpr std::uint8_t kPssTrailer[] = {0xa3, 0x03, 0x02, 0x01, 0x01};
constexpr std::size_t kPssLengthAt = 1;        // of the outer SEQUENCE
constexpr std::size_t kPssInnerLengthAt = 14;  // of the parameters

struct AttributeName {
  std::string_view content;
  std::string_view text;
};
// RFC 2253 section 2.3: the attributes that have a short name.
constexpr AttributeName kAttributeNames[] = {
    {{"\x55\x04\x03", 3}, "CN"}, {{"\x55\x04\x06", 3}, "C"}, {{"\x55\x04\x07", 3}, "L"},
    {{"\x55\x04\x08", 3}, "ST"}, {{"\x55\x04\x0a", 3}, "O"}, {{"\x55\x04\x0b", 3}, "OU"}};

Error malformed(std::string_view what) { return {Errc::malformed, std::string(what)}; }

bool is_pss_with_trailer(ByteView algorithm) {
  if (algorithm.size() != sizeof kPssSha384 + sizeof kPssTrailer) return false;
  Bytes expected(std::begin(kPssSha384), std::end(kPssSha384));
  expected[kPssLengthAt] += static_cast<std::uint8_t>(sizeof kPssTrailer);
  expected[kPssInnerLengthAt] += static_cast<std::uint8_t>(sizeof kPssTrailer);
  append(expected, kPssTrailer);
  return same_bytes(algorithm, expected);
}

Status check_attribute(DerReader attribute) {
  SP_ASSIGN(const ByteView oid, attribute.read(DerTag::oid));
  if (!is_oid(oid)) return malformed("a name has an attribute without a kind");
  SP_ASSIGN(const DerElement value, attribute.next());
  static_cast<void>(value);
  return attribute.finish();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const bool edge = text[i] == ' ' && (i == 0 || i + 1 == text.size());
    if (byte < 0x20 || byte >= 0x7f) {
      out += "\\" + to_hex(ByteView(&byte, 1));
    } else {
      if (edge || std::string_view(",+\"\\<>;").find(text[i]) != std::string_view::npos ||
          (i == 0 && text[i] == '#')) {
        out += '\\';
      }
      out += text[i];
    }
  }
  return out;
}

std::string attribute_text(DerReader attribute) {
  const auto dotted = DerReader(attribute).oid();
  const ByteView oid = attribute.read(DerTag::oid).value();
  const DerElement value = attribute.next().value();
  std::string kind = dotted ? *dotted : "#" + to_hex(oid);
  for (const AttributeName& name : kAttributeNames) {
    if (name.content == as_text(oid)) kind = name.text;
  }
  const bool readable =
      value.tag == DerTag::utf8_string || value.tag == kPrintableString || value.tag == kIa5String;
  return kind + "=" + (readable ? escaped(as_text(value.content)) : "#" + to_hex(value.whole));
}

// Digits of a time, two by two.
std::optional<int> two_digits(ByteView text, std::size_t at) {
  const int high = text[at] - '0';
  const int low = text[at + 1] - '0';
  if (high < 0 || high > 9 || low < 0 || low > 9) return std::nullopt;
  return high * 10 + low;
}

Result<std::int64_t> time_from(int year, ByteView rest) {
  namespace chrono = std::chrono;
  int fields[5];  // month, day, hour, minute, second
  for (std::size_t i = 0; i < std::size(fields); ++i) {
    const auto field = two_digits(rest, 2 * i);
    if (!field) return malformed("a time isn't of digits");
    fields[i] = *field;
  }
  const chrono::year_month_day date{chrono::year(year),
                                    chrono::month(static_cast<unsigned>(fields[0])),
                                    chrono::day(static_cast<unsigned>(fields[1]))};
  if (!date.ok() || fields[2] > 23 || fields[3] > 59 || fields[4] > 59 || rest[10] != 'Z') {
    return malformed("a time that doesn't exist, or isn't in Z");
  }
  const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + fields[2]) * 60 + fields[3]) * 60 + fields[4];
}

Result<ExtensionView> read_extension(DerReader& list) {
  SP_ASSIGN(DerReader fields, list.enter(DerTag::sequence));
  ExtensionView extension;
  SP_ASSIGN(extension.oid, fields.read(DerTag::oid));
  if (!is_oid(extension.oid)) return malformed("an extension's kind isn't an object identifier");
  if (fields.next_is(DerTag::boolean)) {
    SP_ASSIGN(extension.critical, fields.boolean());
    // DER leaves default values out (X.690 section 11.5).
    if (!extension.critical) return malformed("an extension writes a default value");
  }
  SP_ASSIGN(extension.value, fields.read(DerTag::octet_string));
  SP_TRY(fields.finish());
  return extension;
}

void append_arc(Bytes& content, std::uint64_t arc) {
  std::uint8_t groups[10];
  std::size_t count = 0;
  do {
    groups[count++] = static_cast<std::uint8_t>(arc & 0x7fU);
    arc >>= 7U;
  } while (arc != 0);
  while (count-- > 0) {
    content.push_back(static_cast<std::uint8_t>(groups[count] | (count != 0 ? 0x80U : 0U)));
  }
}

}  // namespace

SignatureKind signature_kind(ByteView algorithm) {
  if (same_bytes(algorithm, kEcdsaSha256)) return SignatureKind::ecdsa_sha256;
  if (same_bytes(algorithm, kEcdsaSha384)) return SignatureKind::ecdsa_sha384;
  if (same_bytes(algorithm, kPssSha384) || is_pss_with_trailer(algorithm)) {
    return SignatureKind::rsa_pss_sha384;
  }
  return SignatureKind::unknown;
}

Result<SignedParts> read_signed_parts(ByteView der) {
  DerReader outer(der);
  SP_ASSIGN(DerReader fields, outer.enter(DerTag::sequence));
  SP_TRY(outer.finish());
  SignedParts parts;
  SP_ASSIGN(const DerElement to_sign, fields.next());
  SP_ASSIGN(const DerElement algorithm, fields.next());
  if (to_sign.tag != DerTag::sequence || algorithm.tag != DerTag::sequence) {
    return malformed("not a signed structure");
  }
  parts.to_sign = to_sign.whole;
  parts.algorithm = algorithm.whole;
  SP_ASSIGN(parts.signature, read_bit_string(fields));
  SP_TRY(fields.finish());
  return parts;
}

Result<ByteView> read_name(DerReader& reader) {
  SP_ASSIGN(const DerElement name, reader.next());
  if (name.tag != DerTag::sequence) return malformed("a name isn't a sequence");
  DerReader sets(name.content);
  std::size_t parts = 0;
  while (!sets.at_end()) {
    SP_ASSIGN(DerReader attributes, sets.enter(DerTag::set));
    do {
      if (++parts > kNamePartsMax) return Error{Errc::too_large, "a name of too many parts"};
      SP_ASSIGN(const DerReader attribute, attributes.enter(DerTag::sequence));
      SP_TRY(check_attribute(attribute));
    } while (!attributes.at_end());
  }
  return name.whole;
}

std::string name_text(ByteView name) {
  DerReader outer(name);
  DerReader sets = outer.enter(DerTag::sequence).value();
  std::string text;
  while (!sets.at_end()) {
    DerReader attributes = sets.enter(DerTag::set).value();
    std::string part;
    while (!attributes.at_end()) {
      part +=
          (part.empty() ? "" : "+") + attribute_text(attributes.enter(DerTag::sequence).value());
    }
    text = part + (text.empty() ? "" : "," + text);  // RFC 2253: the last comes first
  }
  return text;
}

bool next_is_time(const DerReader& reader) {
  return reader.next_is(kUtcTime) || reader.next_is(kGeneralizedTime);
}

Result<std::int64_t> read_time(DerReader& reader) {
  SP_ASSIGN(const DerElement time, reader.next());
  const ByteView text = time.content;
  if (time.tag == kUtcTime && text.size() == 13) {
    const auto year = two_digits(text, 0);
    if (!year) return malformed("a time isn't of digits");
    return time_from(*year < kUtcPivot ? 2000 + *year : 1900 + *year, text.subspan(2));
  }
  if (time.tag == kGeneralizedTime && text.size() == 15) {
    const auto century = two_digits(text, 0);
    const auto year = two_digits(text, 2);
    if (!century || !year) return malformed("a time isn't of digits");
    const int full = *century * 100 + *year;
    if (full < kGeneralizedFirstYear) return malformed("a time before 2050 isn't a UTCTime");
    return time_from(full, text.subspan(4));
  }
  return malformed("not a time");
}

Result<std::vector<ExtensionView>> read_extensions(DerReader& reader) {
  SP_ASSIGN(DerReader list, reader.enter(DerTag::sequence));
  std::vector<ExtensionView> extensions;
  do {
    if (extensions.size() == kExtensionCountMax) {
      return Error{Errc::too_large,
                   "more than " + std::to_string(kExtensionCountMax) + " extensions"};
    }
    SP_ASSIGN(const ExtensionView extension, read_extension(list));
    for (const ExtensionView& other : extensions) {
      if (same_bytes(other.oid, extension.oid)) return malformed("an extension stands twice");
    }
    extensions.push_back(extension);
  } while (!list.at_end());
  return extensions;
}

Result<ByteView> read_bit_string(DerReader& reader) {
  SP_ASSIGN(const ByteView content, reader.read(DerTag::bit_string));
  if (content.empty() || content[0] != 0) return malformed("a bit string isn't of whole bytes");
  return content.subspan(1);
}

std::optional<Bytes> oid_content(std::string_view dotted) {
  std::uint64_t arcs[kOidArcsMax];
  std::size_t count = 0;
  for (bool more = true; more;) {
    const std::string_view text = dotted.substr(0, dotted.find('.'));
    more = text.size() < dotted.size();
    dotted.remove_prefix(std::min(dotted.size(), text.size() + 1));
    std::uint32_t arc = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), arc);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || text.empty() ||
        count == kOidArcsMax) {
      return std::nullopt;
    }
    arcs[count++] = arc;
  }
  if (count < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] >= 40)) return std::nullopt;
  Bytes content;
  append_arc(content, arcs[0] * 40 + arcs[1]);
  for (std::size_t i = 2; i < count; ++i) append_arc(content, arcs[i]);
  return content;
}

bool is_oid(ByteView content) {
  if (content.empty() || content.size() > kDerOidSizeMax || (content.back() & 0x80U) != 0) {
    return false;
  }
  bool inside = false;
  for (const std::uint8_t byte : content) {
    if (!inside && byte == 0x80) return false;
    inside = (byte & 0x80U) != 0;
  }
  return true;
}

}  // namespace sp::crypto
