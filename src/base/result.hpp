// Result<T>: a value, or an Error that says what happened.
//
// Whatever others sent or the world does ends as an Error; a bug ends in CHECK (check.hpp). Nothing
// that reads others' bytes throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace sp {

/// The closed set of ways in which a call can fail. What exactly happened stands in the message.
enum class Errc : std::uint8_t {
  malformed,      ///< the bytes aren't of the format
  too_large,      ///< a named limit is exceeded
  unsupported,    ///< a version or kind that this program doesn't know
  mismatch,       ///< well-formed, but not what was expected (a digest, an id, a key)
  bad_signature,  ///< a signature doesn't verify
  refused,        ///< a rule or a policy says no
  unauthorised,   ///< the caller isn't the one who may do this
  not_found,      ///< there is no such thing
  conflict,       ///< it exists already, or the state doesn't allow it now
  expired,        ///< its time is over, or not yet there
  timed_out,      ///< no answer within the limit
  unavailable,    ///< the other side can't be reached or is overloaded; later may work
  cancelled,      ///< somebody asked to stop
  io,             ///< the operating system refused
  usage,          ///< the person's command line or configuration is wrong
};

/// The name of a code, for logs and JSON: "too_large".
std::string_view errc_name(Errc code);

struct Error {
  Errc code;
  std::string message;

  /// The same error with words in front: "reading FILE: message".
  [[nodiscard]] Error in(std::string_view where) const;
  bool operator==(const Error&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; a CHECK fails where there is none.
  T& value() & {
    SP_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    SP_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    SP_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// The error; a CHECK fails where there is a value.
  [[nodiscard]] const Error& error() const {
    SP_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const {
    SP_CHECK(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

/// Returns from the calling function with the error of `expression`, if it has one.
#define SP_TRY(expression)                                                   \
  do {                                                                       \
    if (auto sp_status = (expression); !sp_status) return sp_status.error(); \
  } while (false)

#define SP_CONCAT_INNER(a, b) a##b
#define SP_CONCAT(a, b) SP_CONCAT_INNER(a, b)

/// Declares `declaration` with the value of `expression`, or returns from the calling function with
/// its error.
#define SP_ASSIGN(declaration, expression)             \
  auto SP_CONCAT(sp_result_, __LINE__) = (expression); \
  if (!SP_CONCAT(sp_result_, __LINE__)) {              \
    return SP_CONCAT(sp_result_, __LINE__).error();    \
  }                                                    \
  declaration = std::move(*SP_CONCAT(sp_result_, __LINE__))

}  // namespace sp
