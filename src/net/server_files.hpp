// The files of a TLS server, and of clients, looked at without one.
#pragma once

#include <string>

#include "base/result.hpp"

namespace sp::net {

/// Whether an HttpServer could use them: both PEM, and the key the certificate's. Errc::usage.
Status check_server_files(const std::string& certificate_file, const std::string& key_file);

/// Whether an HttpClient could use it: certificates in PEM. Errc::usage. Empty, the system's, is
/// fine.
Status check_ca_file(const std::string& ca_file);

}  // namespace sp::net
