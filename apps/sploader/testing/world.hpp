// Everything around a loader, in one process and honest unless told otherwise: customer, owners, a
// broker that is also the attestor, a store, and the relay of a provider that starts the real
// sploader in the sandbox.
#pragma once

#include <atomic>
#include <functional>
#include <map>

#include "api/window.hpp"
#include "attest/verdict.hpp"
#include "base/files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/random.hpp"
#include "prove/dev.hpp"
#include "store/package.hpp"
#include "store/receipt.hpp"
#include "tee/tee_host.hpp"

namespace sp::testing {

/// Where the build put a program: beside the test's own.
Path program_path(const std::string& name);
void write_text(const Path& path, const std::string& text);

/// An OCI layout in `folder` with one layer, the content of `root`.
void make_oci_layout(const Path& folder, const Path& root, const std::string& config_json,
                     bool gzip = false);

struct SealedPart {
  store::PackageId package;
  Secret32 key;
};

/// What a test makes the relay do. Absent = honest.
struct Mischief {
  /// Sees each call before it is served; may change it.
  std::function<void(api::Call&)> on_call;
  /// Sees each reply before it is sent; may change it. False = the reply is dropped.
  std::function<bool(const api::Call&, api::Reply&)> on_reply;
  /// Parts whose keys the broker refuses.
  std::map<std::uint8_t, api::RefusalReason> refusals;
  /// Conditions that come with a part's key.
  std::map<std::uint8_t, std::vector<api::ArgumentRule>> conditions;
  /// Changes an attestation before the attestor signs it.
  std::function<void(api::Attestation&)> on_attestation;
  /// Called at each stage; may send a frame of its own.
  std::function<void(api::Stage, api::FrameStream&)> on_stage;
};

struct RunReport {
  std::optional<api::Finish> finish;
  std::optional<tee::TeeEnd> end;
  std::vector<std::string> calls;                         ///< methods, in order
  std::map<api::Stage, std::chrono::nanoseconds> stages;  ///< since the start of the TEE
  std::chrono::nanoseconds started{0};                    ///< until the host had started the loader
  std::chrono::nanoseconds finished{0};                   ///< until the Finish frame
  std::chrono::nanoseconds whole{0};                      ///< until all traces were gone
};

class World {
 public:
  World();

  /// Terms for `arguments`, with this world's image as solution and its input as data.
  [[nodiscard]] api::Start start_for(const api::Arguments& arguments) const;
  /// Starts a TEE, sends `start`, serves its calls, and waits for the end.
  RunReport run(const api::Start& start, const Mischief& mischief = {});
  /// Opens the result of a report into `folder`.
  Status open_result(const RunReport& report, const Path& folder) const;
  /// Seals the content of a folder into the store.
  SealedPart seal(const Path& folder);
  /// Replaces a part and returns the one before.
  SealedPart use_solution(SealedPart part) { return std::exchange(solution_, std::move(part)); }
  SealedPart use_data(SealedPart part) { return std::exchange(data_, std::move(part)); }
  [[nodiscard]] const SealedPart& data() const { return data_; }

  [[nodiscard]] const Path& folder() const { return folder_.path(); }
  [[nodiscard]] store::BlobStore& blobs() { return blobs_; }
  [[nodiscard]] tee::TeeHost& host() { return *host_; }
  [[nodiscard]] const Secret32& order_secret() const { return order_secret_; }
  [[nodiscard]] Address attestor() const { return broker_.address(); }
  [[nodiscard]] std::string log_text() const;
  [[nodiscard]] std::string cgroup_parent() const { return cgroup_parent_; }
  [[nodiscard]] Path platform_file() const { return folder() / "platform"; }

 private:
  Result<Bytes> serve(const api::Start& start, const api::Call& call, const Mischief& mischief);
  Result<Bytes> serve_broker(const api::Start& start, const api::Call& call,
                             const Mischief& mischief);
  Result<Bytes> serve_release(const api::Start& start, const api::Call& call,
                              const Mischief& mischief);
  Result<Bytes> serve_store(const api::Call& call);
  void make_image();

  TemporaryFolder folder_;
  PosixFiles files_;
  mutable crypto::SystemRandom random_;
  store::DirectoryStore blobs_;
  crypto::Eip712Domain market_;
  crypto::EthKey broker_;
  crypto::EthKey action_;
  crypto::EthKey store_;
  crypto::X25519KeyPair result_key_;
  prove::DevPlatform platform_;
  Secret32 order_secret_;
  mutable api::Arguments arguments_;
  SealedPart solution_;
  SealedPart data_;
  std::map<Address, api::Nonce> nonces_;
  std::string cgroup_parent_;
  std::unique_ptr<tee::TeeHost> host_;
  int runs_ = 0;
};

inline constexpr std::int64_t kAttestationTime = 1'790'000'000;
inline constexpr const char* kInputText = "the owner's secret data\n";

}  // namespace sp::testing
