#include "store/remote/s3_answers.hpp"

#include <algorithm>
#include <charconv>

#include "store/remote/xml.hpp"

namespace sp::store {
namespace {

Error bad(std::string_view what) {
  return {Errc::malformed, "the S3 answer: " + std::string(what)};
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class Number>
Result<Number> read_number(std::string_view text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || rest != end) return bad("a number is expected");
  return value;
}

Result<std::string> read_upload_id(std::string_view text) {
  if (text.empty() || text.size() > kS3UploadIdMax || !is_visible(text)) {
    return bad("not an upload id");
  }
  return std::string(text);
}

// Keeps a value that may stand once.
template <class Value>
Status keep_once(std::optional<Value>& place, Result<Value> value) {
  if (!value) return value.error();
  if (place) return bad("a field stands twice");
  place = *std::move(value);
  return {};
}

// A ListPartsResult while it is read.
class PartsReader {
 public:
  Status visit(std::string_view path, std::string_view text) {
    if (path == "ListPartsResult/Part/PartNumber") {
      return keep_once(number_, read_number<unsigned>(text));
    }
    if (path == "ListPartsResult/Part/Size") {
      return keep_once(size_, read_number<std::uint64_t>(text));
    }
    if (path == "ListPartsResult/Part/ETag") return keep_once(etag_, s3_etag(text));
    if (path == "ListPartsResult/Part") return end_part();
    if (path == "ListPartsResult") ended_ = true;
    return {};
  }

  Result<std::vector<S3Part>> take() {
    if (!ended_) return bad("not a ListPartsResult");
    return std::move(parts_);
  }

 private:
  Status end_part() {
    if (!number_ || !size_ || !etag_) return bad("a part without number, size or ETag");
    if (*number_ <= (parts_.empty() ? 0 : parts_.back().number)) return bad("parts out of order");
    if (parts_.size() >= kS3PartsMax) return Error{Errc::too_large, "too many parts"};
    parts_.push_back({*number_, *size_, *std::move(etag_)});
    number_.reset();
    size_.reset();
    etag_.reset();
    return {};
  }

  std::optional<unsigned> number_;
  std::optional<std::uint64_t> size_;
  std::optional<std::string> etag_;
  std::vector<S3Part> parts_;
  bool ended_ = false;
};

// A ListMultipartUploadsResult while it is read.
class UploadsReader {
 public:
  explicit UploadsReader(std::string_view wanted) : wanted_(wanted) {}

  Status visit(std::string_view path, std::string_view text) {
    if (path == "ListMultipartUploadsResult/Upload/Key") {
      return keep_once(key_, Result<std::string>(std::string(text)));
    }
    if (path == "ListMultipartUploadsResult/Upload/UploadId") {
      return keep_once(id_, read_upload_id(text));
    }
    if (path == "ListMultipartUploadsResult/Upload") return end_upload();
    if (path == "ListMultipartUploadsResult") ended_ = true;
    return {};
  }

  Result<std::optional<std::string>> take() {
    if (!ended_) return bad("not a ListMultipartUploadsResult");
    return std::move(found_);
  }

 private:
  Status end_upload() {
    if (!key_ || !id_) return bad("an upload without key or id");
    if (*key_ == wanted_ && !found_) found_ = std::move(id_);
    key_.reset();
    id_.reset();
    return {};
  }

  std::string_view wanted_;
  std::optional<std::string> key_, id_, found_;
  bool ended_ = false;
};

}  // namespace

std::string s3_error_code(ByteView body) {
  std::string code;
  bool is_error = false;
  const Status read = read_xml(as_text(body), [&](std::string_view path, std::string_view text) {
    if (path == "Error/Code") code = text;
    if (path == "Error") is_error = true;
    return Status();
  });
  const bool readable =
      code.size() <= kS3ErrorCodeMax && std::all_of(code.begin(), code.end(), is_letter_or_digit);
  return read && is_error && readable ? code : std::string();
}

Result<std::string> s3_upload_id(ByteView body) {
  std::optional<std::string> id;
  SP_TRY(read_xml(as_text(body), [&](std::string_view path, std::string_view text) -> Status {
    if (path != "InitiateMultipartUploadResult/UploadId") return {};
    return keep_once(id, read_upload_id(text));
  }));
  if (!id) return bad("no upload id");
  return *std::move(id);
}

Result<std::optional<std::string>> s3_upload_of(ByteView body, std::string_view key) {
  UploadsReader reader(key);
  SP_TRY(read_xml(as_text(body), [&](std::string_view path, std::string_view text) {
    return reader.visit(path, text);
  }));
  return reader.take();
}

Result<std::vector<S3Part>> s3_parts(ByteView body) {
  PartsReader reader;
  SP_TRY(read_xml(as_text(body), [&](std::string_view path, std::string_view text) {
    return reader.visit(path, text);
  }));
  return reader.take();
}

Status s3_completed(ByteView body) {
  bool completed = false;
  SP_TRY(read_xml(as_text(body), [&](std::string_view path, std::string_view) {
    completed = path == "CompleteMultipartUploadResult";
    return Status();
  }));
  return completed ? Status() : bad("not a CompleteMultipartUploadResult");
}

Result<std::string> s3_etag(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  if (text.empty() || text.size() > kS3EtagMax || !is_visible(text) ||
      text.find_first_of("\"<>&") != std::string_view::npos) {
    return bad("not an ETag");
  }
  return std::string(text);
}

std::string s3_completion(const std::vector<S3Part>& parts) {
  std::string text = "<CompleteMultipartUpload>";
  for (const S3Part& part : parts) {
    text += "<Part><PartNumber>" + std::to_string(part.number) + "</PartNumber><ETag>\"" +
            part.etag + "\"</ETag></Part>";
  }
  return text + "</CompleteMultipartUpload>";
}

}  // namespace sp::store
