#include "net/problem.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.hpp"
#include "base/printable.hpp"

namespace sp::net {
namespace {

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::malformed:
    case Errc::usage:
    case Errc::unsupported:
      return 400;
    case Errc::bad_signature:
    case Errc::unauthorised:
      return 401;
    case Errc::refused:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::mismatch:
    case Errc::conflict:
    case Errc::expired:
    case Errc::cancelled:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::unavailable:
    case Errc::timed_out:
      return 503;
    case Errc::io:
      return 500;
  }
  check_failed("unknown Errc", __FILE__, __LINE__);
}

std::optional<Errc> code_from_name(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(Errc::usage); ++code) {
    if (errc_name(static_cast<Errc>(code)) == name) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

HttpResponse problem_of(unsigned status, const Error& error) {
  const Json body{{"error", errc_name(error.code)}, {"message", error.message}};
  return text_response(status, "application/json",
                       body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

HttpResponse problem_response(const Error& error) {
  const unsigned status = status_of(error.code);
  if (status == 503) return retry_response(status, error, kProblemRetryAfter);
  return problem_of(status, error);
}

HttpResponse retry_response(unsigned status, const Error& error, std::chrono::seconds after) {
  const std::string seconds = std::to_string(after.count());
  HttpResponse response =
      problem_of(status, {error.code, error.message + "; try again in " + seconds + " s"});
  response.headers["retry-after"] = seconds;
  return response;
}

Error problem_from(const HttpResponse& response, std::string_view who) {
  const std::string where(who);
  const Error unreadable{Errc::unavailable,
                         where + " answered with status " + std::to_string(response.status)};
  const auto json = parse_json(as_text(response.body), kProblemBodyMax);
  if (!json || !json->is_object()) return unreadable;
  const auto name = json->find("error");
  const auto message = json->find("message");
  if (name == json->end() || !name->is_string() || message == json->end() ||
      !message->is_string()) {
    return unreadable;
  }
  const auto code = code_from_name(name->get_ref<const std::string&>());
  return {code.value_or(Errc::unavailable),
          where + ": " + printable(message->get_ref<const std::string&>(), kProblemTextMax)};
}

}  // namespace sp::net
