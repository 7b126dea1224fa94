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

namespace sp::provider {

inline constexpr unsigned kRelayWorkers = 8;  ///< calls of one loader that run at once

/// Where brokers and stores are reached, by signing address.
using Services = std::map<Address, std::string>;

/// Forwards one call. Safe to call from any thread.
class CallForwarder {
 public:
  CallForwarder(net::HttpCaller& client, const Services& services)
      : client_(client), services_(services) {}
  /// Errc::not_found for an address or method that isn't known, and whatever the service answers.
  Result<Bytes> forward(const api::Call& call);

 private:
  Result<Bytes> call_broker(const std::string& url, const api::Call& call);
  Result<Bytes> call_store(const std::string& url, const api::Call& call);

  net::HttpCaller& client_;
  const Services& services_;
};

class Relay {
 public:
  struct Options {
    api::Start start;
    const crypto::EthKey& action;  ///< signs the acceptance
    std::function<void(api::Stage, const std::string&)> on_stage;
  };
  /// `window` outlives the relay.
  Relay(ByteStream& window, CallForwarder& forwarder, Options options);

  /// Sends the Start frame and serves until the Finish frame. Errc::unavailable where the loader
  /// went away before, Errc::malformed and others for what isn't the protocol. Blocks.
  Result<api::Finish> serve();
  /// Tells the loader to stop. From any thread.
  void cancel();

 private:
  class Workers;
  Result<Bytes> accept(const api::Call& call);
  void answer(const api::Call& call);
  Status write(const api::Frame& frame);

  CallForwarder& forwarder_;
  Options options_;
  api::FrameStream stream_;
  Mutex write_mutex_;  // one frame at a time
  Mutex accept_mutex_;
  std::optional<Address> accepted_;  // guarded by accept_mutex_
};

}  // namespace sp::provider
