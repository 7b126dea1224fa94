// What may stand in an HTTP field (RFC 9110 section 5). Safe to call from any thread.
#pragma once

#include <string_view>

namespace sp::net {

/// Whether `name` is a token and `value` has no control character but tabs.
bool field_valid(std::string_view name, std::string_view value);

}  // namespace sp::net
