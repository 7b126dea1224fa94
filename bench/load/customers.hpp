// Simulated customers: each seals data, deposits keys, creates an order, waits until it is settled,
// fetches and opens the result. All come at once; a few threads do what they do.
#pragma once

#include "town.hpp"

namespace sp::bench {

struct Outcome {
  std::size_t opened = 0;                       ///< results that were what their receipts say
  std::map<std::string, std::size_t> failures;  ///< by what failed
  Time took{0};                                 ///< from the first customer to the last result
};

/// Runs them to their ends, or until `limit` has passed.
Outcome run_customers(Town& town, std::size_t customers, std::chrono::seconds limit,
                      const Clock& clock, Random& random, Moments& moments);

}  // namespace sp::bench
