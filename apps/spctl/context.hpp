// What every command works with: the world, the home folder, keys, and a network's clients.
//
// A Context belongs to the main thread; what it hands out is as safe for threads as its own header
// says.
#pragma once

#include <memory>
#include <mutex>

#include "base/process.hpp"
#include "common/network.hpp"
#include "crypto/random.hpp"
#include "market/client.hpp"
#include "net/http.hpp"
#include "spctl/console.hpp"
#include "spctl/home.hpp"
#include "spctl/key_ring.hpp"

namespace sp::spctl {

/// Options of every command.
struct GlobalOptions {
  std::string home;
  std::string password_file;
  bool json = false;
};

/// The key that plays the customer where none is named.
inline constexpr const char* kDefaultKey = "me";

/// A network, and clients of its chain.
struct Session {
  Session(apps::Network loaded, const Clock& clock)
      : network(std::move(loaded)),
        endpoint(chain::http_endpoint(network.rpc, clock, {}, network.ca_file)),
        chain(*endpoint),
        market(chain, network.market),
        token(chain, network.token) {}

  apps::Network network;
  std::unique_ptr<chain::RpcEndpoint> endpoint;
  chain::Chain chain;
  market::MarketClient market;
  market::TokenClient token;

  /// Where the service of an account is reached: broker, store, or one of "services".
  /// Errc::not_found.
  [[nodiscard]] Result<std::string> url_of(const Address& service) const;
  /// Its places, the one of url_of() first, at most store::kMirrorsMax; empty where there is none.
  [[nodiscard]] std::vector<std::string> urls_of(const Address& service) const;
};

class Context {
 public:
  /// Errc::usage where there is no home folder.
  static Result<std::unique_ptr<Context>> create(const GlobalOptions& options);

  [[nodiscard]] const Home& home() const { return home_; }
  Console& console() { return console_; }
  Files& files() { return files_; }
  const Clock& clock() { return clock_; }
  Random& random() { return random_; }
  /// Trusts whom this home's network trusts, from the first call on. From any thread.
  net::HttpClient& http();
  KeyRing& keys() { return keys_; }
  /// The network of this home. Errc::not_found says to run `spctl up`.
  Result<std::shared_ptr<Session>> session();

 private:
  Context(Home home, const GlobalOptions& options);

  const Home home_;
  Console console_;
  PosixFiles files_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  std::mutex http_mutex_;  // guards the making of http_
  std::unique_ptr<net::HttpClient> http_;
  KeyRing keys_;
  std::shared_ptr<Session> session_;
};

/// A transaction's life: sent, in a block, a revert put in words. `what` begins errors: "creating
/// the order".
Result<chain::TxReceipt> execute(chain::TxSender& sender, const chain::TxSender::Call& call,
                                 std::string_view what);

/// Writes a file that the command line named, whole or not at all; what an earlier command that was
/// killed left beside it goes. What is there and is no file (a device, a pipe, a link) stays, and
/// is written to as a shell would. Errc::io.
Status write_output(Context& context, const Path& path, ByteView bytes);

/// An amount with the token's name: "1.5 TEE".
std::string money(const apps::Network& network, Amount amount);
/// Reads "1.5". Errc::usage.
Result<Amount> parse_money(const apps::Network& network, const std::string& text);

}  // namespace sp::spctl
