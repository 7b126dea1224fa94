// Connected TCP sockets of the client, and the errors that name the host. Only for .cpp files of
// this room. Safe to call from any thread.
#pragma once

#include "net/deadline_stream.hpp"
#include "net/http.hpp"

namespace sp::net {

/// "HOST port PORT: what", Errc::unavailable.
Error unavailable(const Url& url, std::string_view what);
/// Errc::timed_out.
Error timed_out(const Url& url);

/// A connected, non-blocking socket to the first address of the host that takes one.
/// Errc::unavailable, Errc::timed_out, Errc::io.
Result<Fd> connect_host(const Url& url, DeadlineStream::SteadyTime deadline);

}  // namespace sp::net
