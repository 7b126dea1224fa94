// Errors of our daemons over HTTP: a status, and a JSON body {"error": code, "message": text}.
// Pure functions; safe to call from any thread.
#pragma once

#include "net/http.hpp"

namespace sp::net {

inline constexpr std::size_t kProblemBodyMax = 16 * 1024;
inline constexpr std::size_t kProblemTextMax = 400;  ///< characters of a message that are kept

/// When to try again what is unavailable for another reason than load.
inline constexpr std::chrono::seconds kProblemRetryAfter{2};

/// The answer that tells an error. One that may pass (503) also says when to try again, in words
/// and as Retry-After.
HttpResponse problem_response(const Error& error);
/// The same with another status and time: 429 for one who asks too much, 503 for a busy server.
HttpResponse retry_response(unsigned status, const Error& error, std::chrono::seconds after);

/// The error that an answer tells, `who` in front. An answer that isn't ours reads as
/// Errc::unavailable; what isn't printable ASCII reads as '?', since it could confuse a terminal.
Error problem_from(const HttpResponse& response, std::string_view who);

}  // namespace sp::net
