// TEE hosts start a trusted loader in a TEE and give its provider the other end of its window.
//
// A host runs any number of TEEs at a time. What runs inside is trusted by evidence alone; the host
// only keeps it within its share of the machine and leaves nothing behind. Hosts are safe to call
// from any thread; a RunningTee belongs to one thread, but kill() may be called from any.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_stream.hpp"
#include "base/result.hpp"

namespace sp::tee {

enum class TeeKind : std::uint8_t {
  sandbox,  ///< namespaces of this machine; dev evidence; hides nothing from root
};
std::string_view tee_kind_name(TeeKind kind);

inline constexpr std::size_t kTeeIdMax = 64;

/// What one TEE gets of the machine.
struct StartOptions {
  /// Names the TEE's traces on the host, such as cgroups: 1 to kTeeIdMax of a-z, 0-9, '-'. No two
  /// running TEEs of a host may have the same.
  std::string id;
  std::uint32_t memory_mib = 0;  ///< the order's: for the workload
  std::uint32_t disk_mib = 0;    ///< the order's: held in memory, with image and inputs
  std::uint32_t pids = 0;        ///< the order's
  /// Where the loader's standard error goes; stays the caller's. -1 = nowhere.
  int log_descriptor = -1;
};

/// How a TEE ended. A loader that sent its Finish frame exits with 0.
struct TeeEnd {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;
};

class RunningTee {
 public:
  /// Ends it and removes all traces, if it still runs.
  virtual ~RunningTee() = default;
  /// This end of the window (api/window.hpp), which the RunningTee owns.
  [[nodiscard]] virtual ByteStream& window() = 0;
  /// Waits at most `limit` for the end; empty where it still runs then. After the end all traces
  /// are gone, and it returns the same again.
  virtual std::optional<TeeEnd> wait(std::chrono::milliseconds limit) = 0;
  /// Ends it now. wait() tells when it is over.
  virtual void kill() = 0;
};

class TeeHost {
 public:
  virtual ~TeeHost() = default;
  [[nodiscard]] virtual TeeKind kind() const = 0;
  /// Starts a loader, which waits for the Start frame in its window. Errc::usage for a bad id,
  /// Errc::conflict where one with this id runs, Errc::io.
  virtual Result<std::unique_ptr<RunningTee>> start(const StartOptions& options) = 0;
  /// Removes what TEEs of an earlier life of this host left behind (after kill -9 or a crash), and
  /// ends what of them still runs. To be called before the first start(). Errc::io.
  virtual Status sweep() = 0;
};

}  // namespace sp::tee
