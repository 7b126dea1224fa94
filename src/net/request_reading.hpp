// A request's header as the server takes it: checked so that it can't be read in two ways. Only for
// .cpp files of this room. Pure functions; safe to call from any thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <optional>

#include "net/http.hpp"
#include "net/target.hpp"

namespace sp::net {

using RequestParser =
    boost::beast::http::request_parser<boost::beast::http::vector_body<std::uint8_t>>;

/// An answer in plain words.
HttpResponse refusal(unsigned status, std::string_view why);
/// 503 with Retry-After.
HttpResponse busy(std::string_view why);
/// The refusal for a request whose reading failed; nothing where the connection just ended.
std::optional<HttpResponse> refusal_of(const boost::system::error_code& failure,
                                       const RequestParser& parser);
/// Checks that a parsed header can't be read in two ways; nothing where all is well.
std::optional<HttpResponse> refusal_of_header(const RequestParser& parser);
/// What the body may take: what the header says, or `body_max` where it says nothing.
std::size_t declared_size(const RequestParser& parser, std::size_t body_max);
/// Begins a body of `size` bytes with those that came behind the header.
void begin_body(Bytes& body, std::size_t size, boost::beast::flat_buffer& behind_header);
/// The whole request, out of the parser.
HttpRequest take_request(RequestParser& parser, Target target);

}  // namespace sp::net
