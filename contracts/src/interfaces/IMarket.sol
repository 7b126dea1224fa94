// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Offer, Order, Permit, Phase} from "../types/Records.sol";
import {Attestation, Compute, KeyRequest, OfferId, OrderId, Outcome, Part, Receipt, Terms} from "../types/Types.sol";
import {IRegistry} from "./IRegistry.sol";

/// @title Offers, orders and their escrow.
/// @notice An order is made of terms, which name every part with its price. The customer's `create` puts the whole
/// price in escrow, and locks of the compute provider's deposit what the fixed-price parts of others cost. A
/// receipt ends the order: it is signed by the session key that the order's attestor has attested, and it says what
/// each party has earned. Without a receipt the order ends by its deadlines:
///
///     create ........ createdAt + settleBy, or cancel ........ + settleWindow ........ + claimWindow ........
///     |   Working: settle, cancel    |   Settling: settle   |   Claiming: claim   |   Closable: close
///
/// A receipt speaks of its own session alone. Where it leaves owners unpaid whose price is locked, the customer has
/// what is due at once, and the lock stays, since another session may have had their keys:
///
///     settle ........ + settleWindow ........ + claimWindow ........
///     |   Acquitting: acquit   |   Claiming: claim   |   Closable: close
///
/// Times are block times in seconds. All that was agreed is in the terms, which the order id commits to; so every
/// function that acts on an order takes the terms.
///
/// Assumptions on a token, without which only those who use that token can lose:
/// - a transfer moves exactly the amount (`create` checks the difference of balances), and balances change by
///   transfers only: no fee on transfer, no rebasing;
/// - a transfer of what the market holds succeeds. Where it doesn't, orders still end: money is credited, and only
///   `withdraw` transfers it. The one exception is a payment from a provider's lock, which moves tokens from the
///   registry to the market.
interface IMarket {
    event PartOffered(OfferId indexed offer, address indexed owner, Part part);
    event ComputeOffered(OfferId indexed offer, address indexed provider, Compute compute);
    event OfferEnabled(OfferId indexed offer, bool enabled);
    event OrderCreated(
        OrderId indexed order, address indexed customer, address indexed provider, Terms terms, bytes hints
    );
    event OrderCancelled(OrderId indexed order, address indexed customer);

    /// @param computePaid What the compute provider has earned, from escrow.
    /// @param refunded What the customer gets back of the escrow.
    /// @param partsPaid What the owner of each part has earned: from escrow, or, where the outcome is
    /// {Outcome.Provider}, from the provider's lock.
    event OrderSettled(
        OrderId indexed order,
        address indexed customer,
        address indexed provider,
        address session,
        Outcome outcome,
        int32 exitCode,
        bytes32 result,
        bytes32 commitment,
        uint256 computePaid,
        uint256 refunded,
        uint256[] partsPaid
    );
    event SessionAcquitted(OrderId indexed order, address indexed session);
    event PartClaimed(
        OrderId indexed order, address indexed owner, address indexed provider, uint256 part, uint256 paid
    );
    event OrderClosed(OrderId indexed order, address indexed customer, uint256 refunded);
    event Withdrawn(address indexed account, address indexed token, address receiver, uint256 amount);

    // Offers

    /// @notice Offers a solution, data or storage. The offer is immutable and starts enabled; a new price is a new
    /// offer.
    /// @dev Emits {PartOffered}.
    ///
    /// Notes:
    /// - The id is the EIP-712 struct hash of the part, known beforehand: deposit the keys with the broker first.
    ///
    /// Requirements:
    /// - the caller is the owner's authority or action account, and the owner is registered;
    /// - the kind is Solution, Data or Storage; the token isn't zero;
    /// - Solution and Data have a digest and exactly one broker, Storage has neither;
    /// - there is no such offer yet.
    function offerPart(Part calldata part) external returns (OfferId);

    /// @notice Offers a TEE device.
    /// @dev Emits {ComputeOffered}. Notes as for {offerPart}.
    ///
    /// Requirements:
    /// - the caller is the provider's authority or action account, and the provider is registered;
    /// - the evidence kind proves a chip (Dev, SevSnp, Tdx), and the chip isn't zero; the token isn't zero;
    /// - there are 1 to 16 attestors, and a time range that isn't empty and begins above zero; the windows' minimums
    ///   are at most what {create} takes;
    /// - there is no such offer yet.
    function offerCompute(Compute calldata compute) external returns (OfferId);

    /// @notice Allows orders of an offer, or no more. Orders that exist go on.
    /// @dev Emits {OfferEnabled}.
    ///
    /// Requirements:
    /// - the caller is the authority or action account of the offer's provider.
    function setEnabled(OfferId offer, bool enabled) external;

    // Orders

    /// @notice Creates an order and takes its whole price, {required}, in escrow.
    /// @dev Emits {OrderCreated}.
    ///
    /// Notes:
    /// - Nobody vouches for the hints: where stores and brokers may be reached.
    /// - Locks of the compute provider's deposit the fixed prices of the parts that others than the customer own.
    /// - Only choices[0] must be orderable now.
    ///
    /// Requirements:
    /// - the caller is the terms' customer, has approved the price, and the token moves exactly that;
    /// - mode 0; replicas = quorum = 1; egress and options empty; extensions 0; a result key;
    /// - parts: Arguments of the customer's own, Solution, any number of Data, Storage; 24 at most. Each is an
    ///   enabled offer of an active provider that isn't exhausted, or the customer's own upload: price 0, maxOrders 0;
    /// - 1 to 8 choices with 1 to 16 attestors each. Of choices[0]: it is an enabled offer of an active provider that
    ///   accepts the attestor, ordered time, windows and resources are within it, and the lock is within its
    ///   maxExposure and the provider's free deposit;
    /// - settleBy is at least workBy + orderedSeconds; workBy and settleBy are 60 days at most, the settle and claim
    ///   windows 7; no resource is zero;
    /// - all tokens are the terms' token; hints are at most 4096 bytes; the order is new.
    function create(Terms calldata terms, bytes calldata hints) external returns (OrderId);

    /// @notice {create} that takes the customer's ERC-2612 permit first. A permit that fails is ignored: someone else
    /// may have used it already, and the allowance alone decides.
    function createWithPermit(Terms calldata terms, bytes calldata hints, Permit calldata permit)
        external
        returns (OrderId);

    /// @notice Ends an order by its receipt. Anyone may send it: who is paid was fixed by the order.
    /// @dev Emits {OrderSettled}; {SessionAcquitted} too where owners may still claim.
    ///
    /// Notes:
    /// - Billable seconds are the least of the receipt's duration, the block time since the attestation (until the
    ///   cancel, if there was one) and the ordered time.
    /// - Success, Workload, Cancelled: compute earns its base fee and its hourly price, parts that opened earn their
    ///   price. Input: compute earns its base fee, nobody else anything. Provider: compute earns nothing, the customer
    ///   is refunded, and fixed-price parts that opened before a start are paid from the provider's lock.
    /// - What was earned is credited to authority accounts, see {withdraw}. The rest of the lock is released, save the
    ///   prices that {claim} could still pay: for these the order is acquitting, then claiming, then closable.
    ///
    /// Requirements:
    /// - the order is working or settling, see {phase};
    /// - the attestation is signed by the terms' attestor, and is for this order and attempt, and for kind and chip
    ///   of the compute offer; it dates from create to workBy at most, not from the future, and from before a cancel;
    /// - its acceptance of the session is signed by the provider's action account, as it is or has been since create;
    /// - the receipt is for this order and attempt and signed by the attested session; Success, Workload and Cancelled
    ///   need a start, Input none; Success needs a stored result; Cancelled needs the customer's cancel;
    /// - signatures are 65 bytes, v is 27 or 28, s is low.
    function settle(
        Terms calldata terms,
        Attestation calldata attestation,
        bytes calldata attestationSignature,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external;

    /// @notice Cancels an order. What was attested before may still settle, within the settle window.
    /// @dev Emits {OrderCancelled}.
    ///
    /// Requirements:
    /// - the caller is the customer, the order is working.
    function cancel(Terms calldata terms) external;

    /// @notice Takes it into account that sessions ended before the workload's start: what they had keys for was of no
    /// use, and nobody can claim by their key requests. Anyone may send it. For a provider that tried an order with
    /// several sessions, after one of them has settled, or none could.
    /// @dev Emits {SessionAcquitted} for each.
    ///
    /// Notes:
    /// - Whoever sees a receipt may settle with it: say nothing while another session may still earn.
    ///
    /// Requirements:
    /// - the order is neither settled (for good) nor closed;
    /// - each receipt is for this order and attempt, signed by its session, and says that nothing was started.
    function acquit(Terms calldata terms, Receipt[] calldata receipts, bytes[] calldata signatures) external;

    /// @notice Pays the owner of a fixed-price part from the provider's lock, once, because a session of the provider
    /// has asked for the part's key and hasn't shown that it began nothing. Anyone may send it.
    /// @dev Emits {PartClaimed}.
    ///
    /// Requirements:
    /// - the order is claiming, and the session isn't acquitted;
    /// - attestation and acceptance are as {settle} requires;
    /// - the key request is for this order, attempt, part and attestation, and is signed by the attested session;
    /// - the part is a solution or data of someone else than the customer, at a fixed price above zero, and not yet
    ///   paid.
    function claim(
        Terms calldata terms,
        Attestation calldata attestation,
        bytes calldata attestationSignature,
        KeyRequest calldata request,
        bytes calldata requestSignature
    ) external;

    /// @notice Ends an order whose claim window is over: refunds the customer, unless a settlement has, and releases what
    /// is left of the lock. Anyone may send it.
    /// @dev Emits {OrderClosed}.
    ///
    /// Requirements:
    /// - the order is closable.
    function close(Terms calldata terms) external;

    /// @notice Transfers all that is credited to an account: to its receiver account if it is a provider, else to
    /// itself. Anyone may send it.
    /// @dev Emits {Withdrawn}, unless there is nothing to transfer.
    function withdraw(address token, address account) external returns (uint256 amount);

    // Views

    function registry() external view returns (IRegistry);

    /// @notice EIP-712 digest of the terms.
    function orderId(Terms calldata terms) external view returns (OrderId);

    /// @notice EIP-712 struct hash of the part.
    function partId(Part calldata part) external pure returns (OfferId);

    /// @notice EIP-712 struct hash of the compute offer.
    function computeId(Compute calldata compute) external pure returns (OfferId);

    /// @notice What {create} takes in escrow, in the terms' token: the price of the whole ordered time with all parts.
    function required(Terms calldata terms) external pure returns (uint256);

    /// @notice An order as stored; all zero where it doesn't exist.
    function order(OrderId id) external view returns (Order memory);

    /// @notice What may happen to the order at the current block time.
    function phase(Terms calldata terms) external view returns (Phase);

    /// @notice Whether nobody can claim by the session's key requests, see {acquit}.
    function isAcquitted(OrderId id, address session) external view returns (bool);

    /// @notice An offer as stored; all zero where it doesn't exist.
    function offer(OfferId id) external view returns (Offer memory);

    /// @notice What an account can withdraw.
    function balanceOf(address account, address token) external view returns (uint256);
}
