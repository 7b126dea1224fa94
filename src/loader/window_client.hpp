// The loader's side of the window: calls to brokers, stores and the provider through the host's
// relay.
//
// One reader thread hands replies to the callers that wait for them; any number of threads may call
// at the same time. The relay is hostile: every answer is bytes until the caller has checked it,
// and a relay that is silent, slow or gone ends in an error within named limits. A relay may also
// be flaky: what it says is unavailable is asked for again, with growing pauses.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "api/window.hpp"
#include "base/files.hpp"
#include "base/sync.hpp"
#include "base/world.hpp"
#include "store/receipt.hpp"

namespace sp::loader {

/// Limits of calls. Tests pass smaller ones.
struct CallLimits {
  std::chrono::milliseconds answer_within{60'000};  ///< one try
  std::chrono::milliseconds first_pause{100};       ///< before the second try; doubles
  std::chrono::milliseconds longest_pause{5'000};
  int tries_max = 8;  ///< with the pauses above: gives up after some 18 s of refusals
};

/// What a Cancel frame does to calls that wait.
enum class OnCancel : std::uint8_t {
  stop,  ///< they end with Errc::cancelled
  go_on  ///< they don't notice: the result of a cancelled run is stored, too
};

struct CallTarget {
  api::ServiceKind service = api::ServiceKind::provider;
  Address address;
};

class WindowClient {
 public:
  /// `stream` stays the caller's.
  explicit WindowClient(ByteStream& stream, CallLimits limits = {});
  /// Ends the reader; calls must have returned.
  ~WindowClient();
  WindowClient(const WindowClient&) = delete;
  WindowClient& operator=(const WindowClient&) = delete;

  /// The first frame, then starts reading the others. Errc::malformed where it isn't a Start.
  Result<api::Start> receive_start();

  /// The answer to one call, tried again while the relay says that it is unavailable.
  /// Errc::unavailable, Errc::timed_out, Errc::cancelled, or the code that the relay gave.
  Result<Bytes> call(const CallTarget& target, std::string_view method, ByteView body,
                     OnCancel on_cancel);

  /// For people who wait; not answered.
  void tell_stage(api::Stage stage, std::string_view text);
  /// The last frame. Errc::unavailable where the window is gone.
  Status finish(const api::Finish& finish);

  /// Whether a Cancel frame has come, or the window is gone: nobody wants the run any more.
  [[nodiscard]] bool cancelled() const { return cancelled_ || lost_; }
  [[nodiscard]] bool lost() const { return lost_; }
  /// Readable from the moment that cancelled() is true; for poll().
  [[nodiscard]] int cancel_descriptor() const { return cancel_event_.get(); }

 private:
  struct Waiting {
    std::optional<api::Reply> reply;
  };

  void read_frames();
  void take_frame(const api::Frame& frame);
  void raise_cancel(std::atomic<bool>& flag);
  Status write(const api::Frame& frame);
  Result<Bytes> call_once(const CallTarget& target, std::string_view method, ByteView body,
                          OnCancel on_cancel);
  /// Errc::cancelled or Errc::unavailable where a call can't go on.
  [[nodiscard]] Status may_go_on(OnCancel on_cancel) const;

  ByteStream& bytes_;
  const CallLimits limits_;
  api::FrameStream stream_;
  Fd cancel_event_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> lost_{false};

  Mutex write_mutex_;
  Mutex mutex_;  // guards next_id_ and waiting_
  Condition changed_;
  std::uint32_t next_id_ = 1;
  std::map<std::uint32_t, Waiting> waiting_;
  Thread reader_;
};

/// A broker behind the window. Safe to call from any thread.
class WindowBroker final : public api::BrokerService {
 public:
  WindowBroker(WindowClient& window, const Address& broker)
      : window_(window), target_{api::ServiceKind::broker, broker} {}
  Result<api::Nonce> nonce(const api::NonceRequest& request) override;
  Result<api::Signed<api::Attestation>> attest(const api::SessionProof& proof) override;
  Result<api::ReleaseAnswer> release(const api::ReleaseRequest& request) override;

 private:
  WindowClient& window_;
  CallTarget target_;
};

/// A store behind the window: every blob's digest is checked here, and one that differs is asked
/// for again, since the relay or the store may have damaged it. No error that the relay reports
/// reads as the sealer's fault: what isn't about finding a blob becomes Errc::unavailable. Safe to
/// call from any thread.
class WindowStore final : public store::BlobStore {
 public:
  WindowStore(WindowClient& window, const Address& store, OnCancel on_cancel)
      : window_(window), target_{api::ServiceKind::store, store}, on_cancel_(on_cancel) {}
  Status put(const store::BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const store::BlobId& id, std::size_t size_max) override;
  /// Errc::unsupported: the window has no such call.
  Result<std::uint64_t> size(const store::BlobId& id) override;
  /// The store's signed word that it holds the package until then, checked as to signer, package
  /// and time. Errc::bad_signature, Errc::mismatch.
  Result<store::StorageReceipt> storage_receipt(const store::PackageId& package,
                                                std::int64_t until);

 private:
  WindowClient& window_;
  CallTarget target_;
  OnCancel on_cancel_;
};

/// The provider's acceptance of a session, its form checked: some account signed exactly this.
/// Errc::bad_signature.
Result<crypto::EthSignature> ask_acceptance(WindowClient& window, const api::Acceptance& acceptance,
                                            const crypto::Eip712Domain& market);

}  // namespace sp::loader
