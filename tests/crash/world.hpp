// The world of the crash test: one town with plain roads, whose processes are killed and started
// again, and what must hold whenever it is quiet: money to the unit, no secret on a disk that isn't
// the customer's, nothing left behind.
//
// One world serves the whole program. Belongs to the test's thread.
#pragma once

#include "base/crash_point.hpp"
#include "base/testing/must.hpp"
#include "bucket.hpp"
#include "leftovers.hpp"

namespace sp::crash {

/// One crash point of one program.
struct Point {
  CrashSite site;
  CrashMoment moment;
  std::string program;

  /// "provider.ledger.queued:between", as SP_CRASH_POINT takes it.
  [[nodiscard]] std::string text() const;
};

/// Every site of the registry at every moment in every program that passes it.
std::vector<Point> all_points();

/// What an order's customer knows of it, and its end.
struct Ordered {
  hostile::Placed placed;
  crypto::X25519KeyPair result_key;
};

class World {
 public:
  static World& get();
  static void leave();
  World();

  hostile::Town& town() { return town_; }
  hostile::Shop& shop() { return shop_; }

  /// Kills a daemon with SIGKILL and waits for its end.
  void kill(const std::string& daemon);
  /// Kills chain, store, broker and provider, as a power cut does.
  void kill_all();
  /// Starts store, broker or provider; armed where a point is given. Returns when it answers, or
  /// when it has died at its point.
  void start(const std::string& daemon, const std::optional<Point>& armed = {});
  /// kill and start.
  void restart(const std::string& daemon, const std::optional<Point>& armed = {});
  /// Whether a daemon that start() started ends by SIGKILL within the time.
  bool dies(const std::string& daemon, std::chrono::milliseconds limit);
  /// `spctl up`: whatever doesn't run is started.
  void up();

  /// An order whose result this test can open. Throws where the daemons are away.
  Ordered order(const std::vector<std::string>& argv = {"shout", "argument-canary", "0"});
  Ordered create(api::Terms terms, crypto::X25519KeyPair result_key);
  /// The terms alone, with their secrets deposited.
  std::pair<api::Terms, crypto::X25519KeyPair> agree(const std::vector<std::string>& argv);

  /// Waits for the order's end and expects one of both: settled, with all money by the receipt and
  /// the right result for the customer; or nothing settled, and all money back after the windows.
  /// Returns the end in words.
  std::string expect_one_end(const Ordered& ordered);
  /// Expects that nothing is left (leftovers.hpp).
  void expect_clean();
  Leftovers& leftovers() { return leftovers_; }
  /// A bucket, made at the first call; runs of spctl find it from then on.
  Bucket& bucket();

  /// A run of spctl, armed or not; no value where it was killed at its point.
  std::optional<CommandOutput> spctl(const std::vector<std::string>& arguments,
                                     const std::string& armed = {}, const Path& home = {});
  /// One that ends well; throws where it doesn't.
  CommandOutput must_run(const std::vector<std::string>& arguments, const Path& home = {});
  /// One that dies at the point.
  void must_die(const Point& point, const std::vector<std::string>& arguments,
                const Path& home = {});

 private:
  void expect_result(const Ordered& ordered);
  [[nodiscard]] std::string url_of(const std::string& daemon) const;

  hostile::Town town_;
  hostile::Shop shop_;
  std::map<std::string, Process> children_;
  Leftovers leftovers_;
  std::unique_ptr<Bucket> bucket_;
};

}  // namespace sp::crash
