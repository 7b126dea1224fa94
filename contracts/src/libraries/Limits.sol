// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Bounds on what an order carries, so that nobody can make its settlement too dear or too large to send.
library Limits {
    uint256 internal constant PARTS_MIN = 3; // arguments, solution, storage
    uint256 internal constant PARTS_MAX = 24; // as many as Order.ended and Receipt.opened have bits for
    uint256 internal constant CHOICES_MAX = 8;
    uint256 internal constant ATTESTORS_MAX = 16; // of one compute offer
    uint256 internal constant HINTS_BYTES_MAX = 4096;
    uint256 internal constant WINDOW_MAX = 60 days; // to begin, and to settle: longest life of an order that is alive
    uint256 internal constant ANSWER_MAX = 7 days; // settle and claim window: how long locks outlast an order's end
    uint256 internal constant HOUR = 3600; // prices by time are per hour of so many seconds
    uint256 internal constant MILLISECONDS = 1000; // of a second; receipts count them
}
