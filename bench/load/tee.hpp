// A TEE host whose loaders are threads of the benchmark: the real loader::run_order, with a
// workload that ends at once in the container's place. Between loader and relay every call is
// timed.
#pragma once

#include "base/files.hpp"
#include "moments.hpp"
#include "prove/dev.hpp"
#include "tee/tee_host.hpp"

namespace sp::bench {

class ThreadHost final : public tee::TeeHost {
 public:
  /// `platform` is an encoded prove::DevPlatform; workspaces lie below `folder`. All outlive it.
  ThreadHost(ByteView platform, const attest::Measurement& loader, Path folder, const Clock& clock,
             Random& random, Moments& moments);
  [[nodiscard]] tee::TeeKind kind() const override { return tee::TeeKind::sandbox; }
  Result<std::unique_ptr<tee::RunningTee>> start(const tee::StartOptions& options) override;
  Status sweep() override { return {}; }

 private:
  class Tee;
  ByteView platform_;
  attest::Measurement loader_;
  Path folder_;
  const Clock& clock_;
  Random& random_;
  Moments& moments_;
};

}  // namespace sp::bench
