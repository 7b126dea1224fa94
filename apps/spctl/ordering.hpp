// Placing an order: seal and upload, choose offers, agree on terms, deposit secrets, create.
//
// What doesn't depend on each other runs at the same time; place_order() returns when the order is
// in a block. It belongs to one thread and uses others inside.
#pragma once

#include "spctl/order_files.hpp"
#include "spctl/order_plan.hpp"
#include "spctl/timeline.hpp"

namespace sp::spctl {

class Context;
struct Session;

struct OrderRequest {
  std::string key_name;
  std::string image;              ///< path of an own image, or id of a solution offer
  std::vector<std::string> data;  ///< paths, or ids of data offers
  std::string compute_offer;      ///< id; empty = the cheapest that fits
  std::string max_price;          ///< whole tokens; empty = any
  Resources resources;
  api::Arguments arguments;
};

struct PlacedOrder {
  OrderRecord record;
  CreatedNote created;
  Amount deposit;
};

/// Errc::refused (too dear, nothing fits), Errc::cancelled (interrupted before it was created:
/// nothing was paid), Errc::unavailable and the errors of stores, broker and chain. Once the
/// order's file is written, errors name its id.
Result<PlacedOrder> place_order(Context& context, Session& session, const OrderRequest& request,
                                Timeline& timeline);

/// Goes on with an order of which HOME holds the file, wherever spctl was killed: deposits its
/// secrets and creates it where the chain doesn't have it yet, with the same terms and so the same
/// id, which the market takes once. Errors as of place_order.
Result<PlacedOrder> place_again(Context& context, Session& session, OrderRecord record,
                                Timeline& timeline);

}  // namespace sp::spctl
