#include "net/request_reading.hpp"

#include <boost/beast/http/error.hpp>

#include "net/problem.hpp"

namespace sp::net {
namespace {

namespace http = boost::beast::http;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

}  // namespace

HttpResponse refusal(unsigned status, std::string_view why) {
  return text_response(status, "text/plain; charset=utf-8", std::string(why) + "\n");
}

std::optional<HttpResponse> refusal_of(const boost::system::error_code& failure,
                                       const RequestParser& parser) {
  if (failure == http::error::body_limit) return refusal(413, "the body is too large");
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    // Beast hands the target on once the request line is whole.
    if (parser.get().target().empty()) return refusal(414, "the target is too long");
    return refusal(431, "the header is too large");
  }
  if (failure == http::error::end_of_stream || failure == http::error::partial_message) return {};
  if (failure.category() == make_error_code(http::error::bad_method).category()) {
    return refusal(400, "not HTTP: " + failure.message());
  }
  return {};
}

std::optional<HttpResponse> refusal_of_header(const RequestParser& parser) {
  const auto& message = parser.get();
  if (message.target().size() > kTargetSizeMax) return refusal(414, "the target is too long");
  const auto hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
    return refusal(400, "one Host field expected");
  }
  const auto codings = message.count(http::field::transfer_encoding);
  const auto coding = message[http::field::transfer_encoding];
  if (codings > 1 || (codings == 1 && lower({coding.data(), coding.size()}) != "chunked")) {
    return refusal(400, "the only transfer encoding is chunked");
  }
  const auto expects = message[http::field::expect];
  if (!expects.empty() && lower({expects.data(), expects.size()}) != "100-continue") {
    return refusal(417, "the only expectation is 100-continue");
  }
  return {};
}

HttpRequest take_request(RequestParser& parser, Target target) {
  auto message = parser.release();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  for (const auto& field : message) {
    const std::string value(field.value());
    const auto [place, fresh] = request.headers.try_emplace(
        lower({field.name_string().data(), field.name_string().size()}), value);
    if (!fresh) place->second += ", " + value;
  }
  request.body = std::move(message.body());
  return request;
}

HttpResponse busy(std::string_view why) {
  return retry_response(503, {Errc::unavailable, std::string(why)}, kBusyRetryAfter);
}

std::size_t declared_size(const RequestParser& parser, std::size_t body_max) {
  const auto length = parser.content_length();
  if (length) return static_cast<std::size_t>(std::min<std::uint64_t>(*length, body_max));
  return parser.chunked() ? body_max : 0;
}

void begin_body(Bytes& body, std::size_t size, boost::beast::flat_buffer& behind_header) {
  body.reserve(size);
  const std::size_t there = std::min(size, behind_header.size());
  append(body, ByteView(static_cast<const std::uint8_t*>(behind_header.data().data()), there));
  behind_header.consume(there);
}

}  // namespace sp::net
