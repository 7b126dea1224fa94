// Bugs that a test plants to show that a checker finds them.
#pragma once

#include <cstdint>

namespace sp::sim {

enum class Bug : std::uint8_t {
  none,
  market_mints,               ///< a settlement refunds the whole deposit beside what it pays
  market_settles_twice,       ///< a settled order can be settled again
  market_ends_twice,          ///< a settled order can be settled again, and pays nothing then
  market_underpays,           ///< the provider earns one unit less than the rules say
  market_frees_locks,         ///< a settlement keeps nothing locked for owners who could claim
  market_never_closes,        ///< close() always reverts
  market_takes_cancels,       ///< hosts tell of cancels that aren't, and a settlement needs none
  broker_ignores_cancel,      ///< the broker's view of the chain knows no cancel and no end
  broker_trusts_rogues,       ///< the broker attests and releases to any loader
  broker_trusts_stale,        ///< the broker doesn't look at what its revocation list says and when
  provider_forgets,           ///< the provider's disk loses writes that it had acknowledged
  store_forgets,              ///< the store's promises end with its process
  provider_reaches_no_store,  ///< the provider reaches no store, so that no result can be stored
};

}  // namespace sp::sim
