// Answers of S3 servers: the first byte says whether the rest is one, or of what one is built.
// Whatever is read keeps its limits; what is right reads as it was, and what is spoilt reads as
// something of the same form or is refused.
#include "base/testing/fuzz_input.hpp"
#include "store/remote/s3_answers.hpp"
#include "store/remote/xml.hpp"

namespace sp::store {
namespace {

using sp::testing::FuzzInput;

void check_xml(std::string_view text) {
  std::size_t elements = 0;
  const auto read = read_xml(text, [&](std::string_view path, std::string_view inside) {
    ++elements;
    SP_CHECK(!path.empty() && inside.size() <= kXmlTextMax + 4);
    SP_CHECK(path.size() <= kXmlDepthMax * (kXmlNameMax + 1));
    return Status();
  });
  SP_CHECK(elements <= kXmlElementsMax && (!read || elements > 0));
}

void check_any(ByteView bytes) {
  check_xml(as_text(bytes));
  SP_CHECK(s3_error_code(bytes).size() <= kS3ErrorCodeMax);
  if (const auto id = s3_upload_id(bytes)) SP_CHECK(!id->empty() && id->size() <= kS3UploadIdMax);
  if (const auto id = s3_upload_of(bytes, "k"); id && *id) SP_CHECK(!(*id)->empty());
  static_cast<void>(s3_completed(bytes).ok());
  const auto parts = s3_parts(bytes);
  if (!parts) return;
  SP_CHECK(parts->size() <= kS3PartsMax);
  unsigned before = 0;
  for (const S3Part& part : *parts) {
    SP_CHECK(part.number > before && s3_etag(part.etag).ok());
    SP_CHECK(part.etag.find_first_of("<>&\"") == std::string::npos);
    before = part.number;
  }
}

/// A document's beginning, and what may stand between elements.
std::string beginning(FuzzInput& input) {
  return input.flag() ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "";
}

std::string element(FuzzInput& input, const std::string& name, const std::string& inside) {
  const std::string attribute = input.byte() % 8 == 1 ? " xmlns=\"http://s3/\"" : "";
  const std::string space = input.byte() % 8 == 1 ? "\n " : "";
  return "<" + name + attribute + ">" + inside + "</" + name + ">" + space;
}

/// Text as XML has it, letters now and then by their numbers.
std::string escaped(FuzzInput& input, const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool must = std::string_view("<>&\"").find(c) != std::string_view::npos;
    out += must || input.byte() % 8 == 1 ? "&#" + std::to_string(c) + ";" : std::string(1, c);
  }
  return out;
}

std::string visible(FuzzInput& input, std::size_t size_max) {
  std::string text(1 + input.below(size_max), 'x');
  for (char& c : text) c = static_cast<char>(0x21 + input.below(0x5e));
  return text;
}

std::string parts_document(FuzzInput& input, const std::vector<S3Part>& parts) {
  std::string inside = element(input, "Bucket", "b");
  for (const S3Part& part : parts) {
    std::string fields = element(input, "PartNumber", std::to_string(part.number));
    fields += element(input, "ETag", escaped(input, "\"" + part.etag + "\""));
    if (input.flag()) fields += element(input, "LastModified", "2026-01-01");
    fields += element(input, "Size", std::to_string(part.size));
    inside += element(input, "Part", fields);
  }
  return beginning(input) + element(input, "ListPartsResult", inside);
}

void check_parts(FuzzInput& input) {
  std::vector<S3Part> parts;
  unsigned number = 0;
  for (std::size_t i = input.below(4); i > 0; --i) {
    number += 1U + input.byte();
    parts.push_back(
        {number, input.number<std::uint64_t>(), to_hex(input.fixed<Digest32>().view())});
  }
  const std::string document = parts_document(input, parts);
  const auto read = s3_parts(as_bytes(document));
  SP_CHECK(read.ok() && read->size() == parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const S3Part& part = (*read)[i];
    SP_CHECK(part.number == parts[i].number && part.size == parts[i].size);
    SP_CHECK(part.etag == parts[i].etag);
  }
  check_xml(s3_completion(*read));
  if (parts.size() > 1) {
    std::swap(parts.front(), parts.back());
    SP_CHECK(!s3_parts(as_bytes(parts_document(input, parts))).ok());
  }
  check_any(input.spoiled(to_bytes(as_bytes(document))));
}

void check_uploads(FuzzInput& input) {
  const std::string id = visible(input, 90);
  const auto upload = [&](const std::string& key, const std::string& named) {
    return element(input, "Upload",
                   element(input, "Key", key) + element(input, "UploadId", escaped(input, named)));
  };
  const std::string inside = upload("other", "z") + upload("k", id) + upload("k", "later");
  const std::string list = element(input, "ListMultipartUploadsResult", inside);
  SP_CHECK(s3_upload_of(as_bytes(list), "k").value() == id);
  SP_CHECK(s3_upload_of(as_bytes(list), "nobody's").value() == std::nullopt);
  const std::string field = element(input, "UploadId", escaped(input, id));
  const std::string begun = element(input, "InitiateMultipartUploadResult", field);
  SP_CHECK(s3_upload_id(as_bytes(begun)).value() == id);
  SP_CHECK(!s3_upload_id(as_bytes("<InitiateMultipartUploadResult>" + field + field +
                                  "</InitiateMultipartUploadResult>"))
                .ok());
  const std::string code = to_hex(input.bytes(kS3ErrorCodeMax / 2));
  const std::string error = element(input, "Error", element(input, "Code", code));
  SP_CHECK(s3_error_code(as_bytes(error)) == code && !s3_completed(as_bytes(error)).ok());
  for (const std::string& document : {list, begun, error}) {
    check_any(input.spoiled(to_bytes(as_bytes(document))));
  }
}

void check_depth(FuzzInput& input) {
  const std::size_t depth = 1 + input.below(2 * kXmlDepthMax);
  std::string document = "x";
  for (std::size_t i = 0; i < depth; ++i) document = element(input, "a", document);
  const auto read = read_xml(document, [](auto, auto) { return Status(); });
  SP_CHECK(read.ok() == (depth <= kXmlDepthMax));
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  sp::testing::FuzzInput input(bytes);
  switch (data[0] % 4) {
    case 0:
      sp::store::check_any(bytes);
      break;
    case 1:
      sp::store::check_parts(input);
      break;
    case 2:
      sp::store::check_uploads(input);
      break;
    default:
      sp::store::check_depth(input);
  }
  return 0;
}
