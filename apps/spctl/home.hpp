// The home folder of spctl: --home, else $SP_HOME, else ~/.superprotocol.
//
//   network.json      what clients know of the deployment (common/network.hpp)
//   keys/             keystore files NAME.json, result keys NAME.x25519, password
//   chain/ store/ broker/ provider/   one per daemon of `spctl up`: PROCESS.json (settings),
//   PROCESS.log, PROCESS.pid,
//                     and state/, which alone belongs to the daemon's user
//   chain/chain-copy.hex   the chain's state at the last `spctl up` (chain_copy.hpp)
//   orders/ID/        what the customer must keep of an order
//   content/ID.key    content keys of packages that were uploaded
//   ports.json        ports of the daemons, chosen once
//   turns/ACCOUNT/    locked by the command that sends this account's transaction
//
// A value; safe to call from any thread.
#pragma once

#include "base/files.hpp"

namespace sp::spctl {

class Home {
 public:
  /// `chosen` may be empty: then the environment decides. Errc::usage where it says nothing.
  static Result<Home> find(const std::string& chosen);

  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] Path network() const { return root_ / "network.json"; }
  [[nodiscard]] Path keys() const { return root_ / "keys"; }
  [[nodiscard]] Path ports() const { return root_ / "ports.json"; }
  [[nodiscard]] Path collateral() const {
    return root_ / "collateral";
  }  ///< kept answers of vendors
  [[nodiscard]] Path orders() const { return root_ / "orders"; }
  [[nodiscard]] Path content() const { return root_ / "content"; }
  [[nodiscard]] Path turns() const { return root_ / "turns"; }
  [[nodiscard]] Path daemon(const std::string& name) const { return root_ / name; }

 private:
  explicit Home(Path root) : root_(std::move(root)) {}
  Path root_;
};

}  // namespace sp::spctl
