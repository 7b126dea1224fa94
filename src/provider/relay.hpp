// The relay: the host's end of one loader's window.
//
// It forwards the loader's calls to brokers and stores that the provider knows, signs the
// acceptance of the one session that it started, and takes the loader's last frame. It reads
// nothing that matters: what is secret is sealed above it. What the loader sends is hostile input
// all the same.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>

#include "api/window.hpp"
#include "base/sync.hpp"
#include "net/http.hpp"
#include "store/remote/http_store.hpp"

namespace sp::provider {

inline constexpr unsigned kRelayWorkers = 8;  ///< calls of one loader that run at once

/// Where brokers and stores are reached, by signing address.
using Services = std::map<Address, std::string>;
/// Further places of stores.
using Mirrors = std::map<Address, std::vector<std::string>>;

/// Forwards one call. Safe to call from any thread.
class CallForwarder {
 public:
  /// `writes` says who signs what is stored, the results; each store is told as the call names it.
  /// `mirrors`, where given, are further places from which a store's blobs may be read.
  /// `writes`: how stores are written to; with its clock and random, busy brokers are waited for.
  CallForwarder(net::HttpCaller& client, const Services& services, store::StoreAccess writes = {},
                const Mirrors* mirrors = nullptr)
      : client_(client), services_(services), writes_(writes), mirrors_(mirrors) {}
  /// Errc::not_found for an address or method that isn't known, and whatever the service answers.
  Result<Bytes> forward(const api::Call& call);
  [[nodiscard]] bool knows(const Address& service) const { return services_.contains(service); }
  /// Whether all stores and brokers that a loader of these terms calls are known. Errc::refused,
  /// with the first that isn't.
  [[nodiscard]] Status check_services(const api::Terms& terms) const;

 private:
  Result<Bytes> call_broker(const std::string& url, const api::Call& call);
  Result<Bytes> call_store(const std::string& url, const api::Call& call);
  Result<Bytes> get_blob(const std::string& url, const Address& store, const store::BlobId& id,
                         std::size_t size_max);

  net::HttpCaller& client_;
  const Services& services_;
  const store::StoreAccess writes_;
  const Mirrors* mirrors_;
};

class Relay {
 public:
  struct Options {
    api::Start start;
    const crypto::EthKey& action;  ///< signs the acceptance
    std::function<void(api::Stage, const std::string&)> on_stage;
    /// The loader's last word, as soon as it has come: calls of it may be under way still, which
    /// serve() waits for. On serve()'s thread.
    std::function<void(const api::Finish&)> on_finish;
  };
  /// `window` outlives the relay. Where its writes have a limit of time, a loader that reads
  /// nothing ends the relay at it.
  Relay(ByteStream& window, CallForwarder& forwarder, Options options);

  /// Sends the Start frame and serves until the Finish frame. Errc::unavailable where the loader
  /// went away before, Errc::malformed and others for what isn't the protocol. Blocks.
  Result<api::Finish> serve();
  /// What a broker's last answer was where another time may mend it: it or its chain is away
  /// (unavailable, timed_out), or it doesn't see the order (not_found). From any thread.
  [[nodiscard]] std::optional<Errc> broker_away() const {
    const Errc said = broker_said_;
    return said == Errc::io ? std::optional<Errc>() : said;
  }
  /// Tells the loader to stop. From any thread. Waits for no frame that is being written, and so no
  /// longer than the window takes for one that is next to empty.
  void cancel();

 private:
  class Workers;
  Result<Bytes> accept(const api::Call& call);
  void answer(const api::Call& call);
  Status write(const api::Frame& frame);
  Status write_in_turn(const api::Frame& frame);

  CallForwarder& forwarder_;
  Options options_;
  ByteStream& window_;
  api::FrameStream stream_;
  Mutex write_mutex_;  // guards the turn of one frame at a time, and isn't held while it is written
  Condition written_;
  bool writing_ = false;      // guarded by write_mutex_
  bool cancel_next_ = false;  // guarded by write_mutex_: behind the frame that is being written
  Mutex accept_mutex_;
  std::optional<Address> accepted_;           // guarded by accept_mutex_
  std::atomic<Errc> broker_said_ = Errc::io;  ///< io: nothing that another time would mend
};

}  // namespace sp::provider
