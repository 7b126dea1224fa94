// What dies in the middle of an upload, a download or a deletion, with a store of ours and with a
// bucket.
#pragma once

#include "world.hpp"

namespace sp::crash {

/// Whether a site is passed by a transfer, and not by an order.
bool is_of_transfers(CrashSite site);

/// The program dies at the point and is started again: the content is there once, whole, and
/// nothing of the transfer is left. Returns the end in words.
std::string die_in_a_transfer(World& world, const Point& point);

}  // namespace sp::crash
