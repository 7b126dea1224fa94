// Tells the service manager how far a daemon is: the protocol of sd_notify(3), one datagram to the
// socket that NOTIFY_SOCKET names.
#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace sp::apps {

/// Sends "READY=1", "STOPPING=1" and the like; does nothing where nobody asked for it. An error is
/// one of the operating system: a daemon works without its manager's ear. Errc::io, Errc::usage
/// for a socket name that is none.
Status notify_manager(std::string_view state);

}  // namespace sp::apps
