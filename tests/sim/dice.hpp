// The simulation's own randomness: all that a run decides comes from its seed. Belongs to one
// thread.
#pragma once

#include <cstdint>

#include "base/check.hpp"
#include "base/world.hpp"

namespace sp::sim {

/// SplitMix64: small, the same on every machine, and nobody's secret depends on it.
class Dice final : public Random {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }
  /// 0 to count-1.
  std::uint64_t below(std::uint64_t count) {
    SP_CHECK(count > 0);
    return next() % count;
  }
  /// From `least` to `most`, both included.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  /// True in `thousandths` of a thousand cases.
  bool chance(std::uint64_t thousandths) { return below(1000) < thousandths; }
  /// A generator of its own, so that what one part draws doesn't move the others.
  Dice split() { return Dice(next()); }

  void fill(MutableByteView out) override {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i % 8 == 0) word = next();
      out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace sp::sim
