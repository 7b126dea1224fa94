// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// What the contracts store, and what their views return. Nobody signs these.

/// A provider's accounts, stored under its authority account.
struct Provider {
    address action; // slot 0; signs acceptances and manages offers; 0 = not registered
    address receiver; // slot 1; where money goes
    address pendingReceiver; // slot 2; proposed, has yet to accept
}

/// A provider's deposit for one market in one token.
struct Deposit {
    uint128 total; // slot 0; all that it has put in and not lost or taken out
    uint128 locked; // the part of it that the market has locked
}

/// Whether an offer can be ordered. The offer itself comes with the terms of each order: its id is its hash.
struct Offer {
    address provider; // slot 0; authority account; 0 = no such offer
    bool enabled;
    uint32 orders; // live orders with it and orders that have paid it; counted only where it sets a maximum
}

/// How far an order is, as stored: where the clock decides, see Phase.
enum Status {
    None,
    Open,
    Settled, // by a receipt
    Closed, // after the claim window, customer refunded
    Refunded // by a receipt that left owners unpaid, who may claim; Settled once it is closed
}

/// What may happen to an order next, by status and clock.
enum Phase {
    None,
    Working, // settle, cancel
    Settling, // cancelled or expired: settle with what was attested before
    Claiming, // claim
    Closable, // close
    Settled,
    Closed,
    Acquitting // refunded: acquit, before anyone claims
}

/// An order's money and clock. What was agreed is in the terms, which the order id commits to.
struct Order {
    uint128 deposit; // slot 0; in escrow while open
    Status status;
    uint40 createdAt;
    uint40 cancelledAt; // 0 = not cancelled
    uint16 attempt; // which choice of the customer has the order
    uint24 ended; // bit i: part i was claimed, or a settlement left nothing to claim; 0 where it left nothing at all
}

/// An ERC-2612 permit by the customer to the market.
struct Permit {
    uint256 value;
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}
