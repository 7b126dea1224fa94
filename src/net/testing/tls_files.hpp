// Certificates for tests of TLS, made with OpenSSL's command line in a folder of their own.
#pragma once

#include <string>
#include <vector>

#include "base/process.hpp"
#include "base/testing/temporary_folder.hpp"

namespace sp::net::testing {

/// A certificate of a server and its private key, both PEM files.
struct ServerFiles {
  std::string certificate, key;
};

/// A certificate authority and the servers that it vouches for.
class TlsFiles {
 public:
  TlsFiles() {
    run({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", at("ca.key"), "-out", ca_file(), "-days", "30", "-subj", "/CN=Test CA"});
  }

  [[nodiscard]] std::string ca_file() const { return at("ca.pem"); }

  /// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Valid for `days` from now; a
  /// negative number makes it expired.
  ServerFiles server(const std::string& name, const std::string& names, int days = 30) const {
    const ServerFiles files{at(name + ".pem"), at(name + ".key")};
    run({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
         files.key, "-out", at(name + ".csr"), "-subj", "/CN=localhost", "-addext",
         "subjectAltName=" + names});
    run({"x509", "-req", "-in", at(name + ".csr"), "-CA", ca_file(), "-CAkey", at("ca.key"),
         "-set_serial", "7", "-days", std::to_string(days), "-copy_extensions", "copy", "-out",
         files.certificate});
    return files;
  }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return folder_ / name; }

  static void run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    ProcessOptions options;
    options.argv = std::move(arguments);
    options.environment = basic_environment();
    const auto output = run_command(options, std::chrono::seconds(30), 4096);
    SP_CHECK(output.ok() && output->end.exit_code == 0);
  }

  sp::testing::TemporaryFolder folder_;
};

}  // namespace sp::net::testing
