// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Evidence} from "./Evidence.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";
import {Errors} from "./libraries/Errors.sol";
import {Hashes} from "./libraries/Hashes.sol";
import {Limits} from "./libraries/Limits.sol";
import {Prices} from "./libraries/Prices.sol";
import {Rules} from "./libraries/Rules.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Offer, Order, Permit, Phase, Status} from "./types/Records.sol";
import {
    Acceptance,
    Attestation,
    Compute,
    KeyRequest,
    OfferId,
    OrderId,
    Outcome,
    Part,
    Receipt,
    Terms
} from "./types/Types.sol";

/// @title The market: see {IMarket}.
contract Market is Evidence, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    // STORAGE

    mapping(OfferId => Offer) private _offers;
    mapping(OrderId => Order) private _orders;
    mapping(address token => mapping(address account => uint256)) private _balances;
    mapping(OrderId => uint256 time) private _refundedAt; // of those whose status is Refunded
    mapping(OrderId => mapping(address session => bool)) private _acquitted;

    constructor(IRegistry registry_) Evidence(registry_) {}

    // OFFERS

    /// @inheritdoc IMarket
    function offerPart(Part calldata part) external returns (OfferId id) {
        Rules.checkPartOffer(part);
        id = partId(part);
        _addOffer(id, part.owner);
        emit PartOffered(id, part.owner, part);
    }

    /// @inheritdoc IMarket
    function offerCompute(Compute calldata compute) external returns (OfferId id) {
        Rules.checkComputeOffer(compute);
        id = computeId(compute);
        _addOffer(id, compute.provider);
        emit ComputeOffered(id, compute.provider, compute);
    }

    /// @inheritdoc IMarket
    function setEnabled(OfferId id, bool enabled) external {
        address provider = _offers[id].provider;
        if (provider == address(0)) revert Errors.Market_UnknownOffer(id);
        _requireProvider(provider);

        _offers[id].enabled = enabled;
        emit OfferEnabled(id, enabled);
    }

    // ORDERS

    /// @inheritdoc IMarket
    function create(Terms calldata terms, bytes calldata hints) external nonReentrant returns (OrderId) {
        return _create(terms, hints);
    }

    /// @inheritdoc IMarket
    function createWithPermit(Terms calldata terms, bytes calldata hints, Permit calldata permit)
        external
        nonReentrant
        returns (OrderId)
    {
        try IERC20Permit(terms.token)
            .permit(msg.sender, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) {}
            catch {}
        return _create(terms, hints);
    }

    /// @inheritdoc IMarket
    function settle(
        Terms calldata terms,
        Attestation calldata attestation,
        bytes calldata attestationSignature,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external nonReentrant {
        (OrderId id, bytes32[] memory partIds) = _identify(terms);
        Order memory held = _orders[id];
        Phase current = _phase(id, terms, held);
        if (current != Phase.Working && current != Phase.Settling) revert Errors.Market_WrongPhase(id, current);
        Compute calldata compute = _compute(terms, held);
        _checkAttestation(id, held, terms, compute, attestation, attestationSignature);
        _checkReceipt(id, held, attestation.session, receipt, receiptSignature, terms.parts.length);

        uint256 chainSeconds = _chainTime(held) - attestation.time;
        uint256 billable = Prices.billableSeconds(terms, receipt, chainSeconds);
        _pay(id, held, terms, compute, partIds, attestation.session, receipt, billable);
    }

    /// @inheritdoc IMarket
    function acquit(Terms calldata terms, Receipt[] calldata receipts, bytes[] calldata signatures) external {
        if (receipts.length != signatures.length) {
            revert Errors.Market_BadSignatureCount(signatures.length, receipts.length);
        }
        (OrderId id,) = _identify(terms);
        Order memory held = _orders[id];
        if (held.status != Status.Open && held.status != Status.Refunded) {
            revert Errors.Market_WrongPhase(id, _phase(id, terms, held));
        }
        for (uint256 i = 0; i < receipts.length; ++i) {
            _acquit(id, _idleSession(id, held, receipts[i], signatures[i]));
        }
    }

    /// @inheritdoc IMarket
    function cancel(Terms calldata terms) external {
        (OrderId id,) = _identify(terms);
        if (msg.sender != terms.customer) revert Errors.Market_NotCustomer(msg.sender, terms.customer);
        _requirePhase(id, terms, Phase.Working);

        _orders[id].cancelledAt = uint40(block.timestamp);
        emit OrderCancelled(id, terms.customer);
    }

    /// @inheritdoc IMarket
    function claim(
        Terms calldata terms,
        Attestation calldata attestation,
        bytes calldata attestationSignature,
        KeyRequest calldata request,
        bytes calldata requestSignature
    ) external nonReentrant {
        (OrderId id,) = _identify(terms);
        Order memory held = _requirePhase(id, terms, Phase.Claiming);
        if (_acquitted[id][attestation.session]) revert Errors.Market_Acquitted(id, attestation.session);
        Compute calldata compute = _compute(terms, held);
        bytes32 attested = _checkAttestation(id, held, terms, compute, attestation, attestationSignature);
        _checkKeyRequest(id, held, attestation.session, attested, request, requestSignature);
        _payClaim(id, held, terms, compute.provider, request.part);
    }

    /// @inheritdoc IMarket
    function close(Terms calldata terms) external {
        (OrderId id, bytes32[] memory partIds) = _identify(terms);
        Order memory held = _requirePhase(id, terms, Phase.Closable);

        _orders[id].status = held.status == Status.Refunded ? Status.Settled : Status.Closed;
        uint256 lock = 0;
        for (uint256 i = 0; i < partIds.length; ++i) {
            if (_hasEnded(held, i)) continue;
            lock += Prices.exposed(terms.parts[i], terms.customer);
            _uncount(terms.parts[i], OfferId.wrap(partIds[i]));
        }
        _credit(_balances[terms.token], terms.customer, held.deposit);
        emit OrderClosed(id, terms.customer, held.deposit);
        _endLock(_compute(terms, held).provider, terms.token, lock, 0);
    }

    /// @inheritdoc IMarket
    function withdraw(address token, address account) external nonReentrant returns (uint256 amount) {
        amount = _balances[token][account];
        if (amount == 0) return 0;

        _balances[token][account] = 0;
        address receiver = registry.receiverOf(account);
        emit Withdrawn(account, token, receiver, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    // VIEWS

    /// @inheritdoc IMarket
    function orderId(Terms calldata terms) external view returns (OrderId id) {
        (id,) = _identify(terms);
    }

    /// @inheritdoc IMarket
    function partId(Part calldata part) public pure returns (OfferId) {
        return OfferId.wrap(Hashes.hash(part));
    }

    /// @inheritdoc IMarket
    function computeId(Compute calldata compute) public pure returns (OfferId) {
        return OfferId.wrap(Hashes.hash(compute));
    }

    /// @inheritdoc IMarket
    function required(Terms calldata terms) external pure returns (uint256) {
        return Prices.required(terms);
    }

    /// @inheritdoc IMarket
    function order(OrderId id) external view returns (Order memory) {
        return _orders[id];
    }

    /// @inheritdoc IMarket
    function phase(Terms calldata terms) external view returns (Phase) {
        (OrderId id,) = _identify(terms);
        return _phase(id, terms, _orders[id]);
    }

    /// @inheritdoc IMarket
    function isAcquitted(OrderId id, address session) external view returns (bool) {
        return _acquitted[id][session];
    }

    /// @inheritdoc IMarket
    function offer(OfferId id) external view returns (Offer memory) {
        return _offers[id];
    }

    /// @inheritdoc IMarket
    function balanceOf(address account, address token) external view returns (uint256) {
        return _balances[token][account];
    }

    // OFFERS, INTERNAL

    function _addOffer(OfferId id, address provider) private {
        _requireProvider(provider);
        if (_offers[id].provider != address(0)) revert Errors.Market_OfferExists(id);
        _offers[id] = Offer({provider: provider, enabled: true, orders: 0});
    }

    /// The caller must be one of the provider's two accounts that manage offers.
    function _requireProvider(address provider) private view {
        address action = registry.providerOf(provider).action;
        bool registered = action != address(0);
        if (!registered || (msg.sender != provider && msg.sender != action)) {
            revert Errors.Market_NotProvider(msg.sender, provider);
        }
    }

    function _requireOrderable(OfferId id) private view {
        Offer memory held = _offers[id];
        if (!held.enabled) revert Errors.Market_NotOrderable(id);
        if (!registry.isActive(held.provider, address(this))) revert Errors.Market_ProviderInactive(held.provider);
    }

    /// One order more that may use the part up.
    function _count(Part calldata part, OfferId id) private {
        if (part.maxOrders == 0) return;
        uint32 orders = _offers[id].orders;
        if (orders >= part.maxOrders) revert Errors.Market_OfferExhausted(id, part.maxOrders);
        _offers[id].orders = orders + 1;
    }

    /// The order has ended without paying the part.
    function _uncount(Part calldata part, OfferId id) private {
        if (part.maxOrders != 0) --_offers[id].orders;
    }

    // CREATE, INTERNAL

    function _create(Terms calldata terms, bytes calldata hints) private returns (OrderId id) {
        if (msg.sender != terms.customer) revert Errors.Market_NotCustomer(msg.sender, terms.customer);
        if (hints.length > Limits.HINTS_BYTES_MAX) revert Errors.Market_HintsTooLong(hints.length);
        Rules.checkTerms(terms);

        bytes32[] memory partIds;
        (id, partIds) = _identify(terms);
        if (_orders[id].status != Status.None) revert Errors.Market_OrderExists(id);
        _requireOrderable(computeId(terms.choices[0]));
        for (uint256 i = 0; i < partIds.length; ++i) {
            _takePart(terms.parts[i], OfferId.wrap(partIds[i]), terms.customer);
        }

        uint128 price = Prices.required(terms).toUint128();
        _orders[id] = Order({
            deposit: price,
            status: Status.Open,
            createdAt: uint40(block.timestamp),
            cancelledAt: 0,
            attempt: 0,
            ended: 0
        });
        _lock(terms);
        emit OrderCreated(id, terms.customer, terms.choices[0].provider, terms, hints);
        Tokens.pullExact(terms.token, terms.customer, price);
    }

    function _takePart(Part calldata part, OfferId id, address customer) private {
        bool isUpload = part.owner == customer && part.price == 0 && part.maxOrders == 0;
        if (isUpload && _offers[id].provider == address(0)) return;
        _requireOrderable(id);
        _count(part, id);
    }

    function _lock(Terms calldata terms) private {
        Compute calldata compute = terms.choices[0];
        uint256 exposure = Prices.exposure(terms);
        if (exposure > compute.maxExposure) revert Errors.Market_ExposureTooHigh(exposure, compute.maxExposure);
        if (exposure != 0) registry.lock(compute.provider, terms.token, uint128(exposure));
    }

    // PAYMENT, INTERNAL

    function _pay(
        OrderId id,
        Order memory held,
        Terms calldata terms,
        Compute calldata compute,
        bytes32[] memory partIds,
        address session,
        Receipt calldata receipt,
        uint256 billable
    ) private {
        bool fromLock = receipt.outcome == Outcome.Provider;
        (uint256[] memory partsPaid, uint256 partsTotal, uint256 lock, uint24 ended) =
            _payParts(terms, partIds, receipt, billable, fromLock);
        _end(id, session, ended, partIds.length);
        address provider = compute.provider;
        uint256 computePaid = Prices.computeEarns(compute, receipt.outcome, billable);
        uint256 refunded = fromLock ? held.deposit : held.deposit - computePaid - partsTotal;

        mapping(address => uint256) storage balances = _balances[terms.token];
        _credit(balances, provider, computePaid);
        _credit(balances, terms.customer, refunded);
        emit OrderSettled(
            id,
            terms.customer,
            provider,
            session,
            receipt.outcome,
            receipt.exitCode,
            receipt.result,
            receipt.commitment,
            computePaid,
            refunded,
            partsPaid
        );
        _endLock(provider, terms.token, lock, fromLock ? partsTotal : 0);
    }

    /// A settlement ends the order; where owners could still claim, only when they have had the time to.
    function _end(OrderId id, address session, uint24 ended, uint256 parts) private {
        if (ended == (1 << parts) - 1) {
            _orders[id].status = Status.Settled;
            return;
        }
        Order storage kept = _orders[id];
        kept.deposit = 0;
        kept.status = Status.Refunded;
        kept.ended = ended;
        _refundedAt[id] = block.timestamp;
        // What it had keys for, its receipt says; of other sessions that says nothing.
        _acquit(id, session);
    }

    function _acquit(OrderId id, address session) private {
        _acquitted[id][session] = true;
        emit SessionAcquitted(id, session);
    }

    /// @return paid What each part has earned.
    /// @return total Sum of it.
    /// @return lock What was locked for the parts that have ended.
    /// @return ended Bit i: part i is paid, or nobody can claim it.
    function _payParts(
        Terms calldata terms,
        bytes32[] memory partIds,
        Receipt calldata receipt,
        uint256 billable,
        bool fromLock
    ) private returns (uint256[] memory paid, uint256 total, uint256 lock, uint24 ended) {
        address customer = terms.customer;
        Part[] calldata parts = terms.parts;
        mapping(address => uint256) storage balances = _balances[terms.token];
        uint256 earning = receipt.started ? receipt.opened : 0;
        paid = new uint256[](parts.length);
        for (uint256 i = 0; i < paid.length; ++i) {
            Part calldata part = parts[i];
            uint256 exposed = Prices.exposed(part, customer);
            bool earns = (earning >> i) & 1 == 1 && !(fromLock && exposed == 0);
            if (!earns && Prices.claimable(part, customer) != 0) continue;
            lock += exposed;
            ended |= uint24(1 << i);
            if (!earns) {
                _uncount(part, OfferId.wrap(partIds[i]));
                continue;
            }
            uint256 amount = fromLock ? exposed : Prices.partEarns(part, billable);
            paid[i] = amount;
            total += amount;
            _credit(balances, part.owner, amount);
        }
    }

    function _payClaim(OrderId id, Order memory held, Terms calldata terms, address provider, uint256 index) private {
        uint256 price = index < terms.parts.length ? Prices.claimable(terms.parts[index], terms.customer) : 0;
        if (price == 0) revert Errors.Market_NothingToClaim(index);
        if (_hasEnded(held, index)) revert Errors.Market_AlreadyPaid(index);
        address owner = terms.parts[index].owner;

        _orders[id].ended = held.ended | uint24(1 << index);
        _credit(_balances[terms.token], owner, price);
        emit PartClaimed(id, owner, provider, index, price);
        _endLock(provider, terms.token, price, price);
    }

    function _credit(mapping(address => uint256) storage balances, address account, uint256 amount) private {
        if (amount != 0) balances[account] += amount;
    }

    /// Takes what is paid of the lock here, where it has been credited to owners, and gives back the rest.
    function _endLock(address provider, address token, uint256 lock, uint256 paid) private {
        if (paid != 0) registry.pay(provider, token, uint128(paid));
        if (lock != paid) registry.unlock(provider, token, uint128(lock - paid));
    }

    function _hasEnded(Order memory held, uint256 index) private pure returns (bool) {
        return (held.ended >> index) & 1 == 1;
    }

    // CLOCK AND IDENTITY, INTERNAL

    function _requirePhase(OrderId id, Terms calldata terms, Phase expected) private view returns (Order memory held) {
        held = _orders[id];
        Phase actual = _phase(id, terms, held);
        if (actual != expected) revert Errors.Market_WrongPhase(id, actual);
    }

    function _phase(OrderId id, Terms calldata terms, Order memory held) private view returns (Phase) {
        if (held.status == Status.None) return Phase.None;
        if (held.status == Status.Settled) return Phase.Settled;
        if (held.status == Status.Closed) return Phase.Closed;
        if (held.status == Status.Refunded) {
            uint256 told = _refundedAt[id] + terms.settleWindow;
            if (block.timestamp <= told) return Phase.Acquitting;
            return block.timestamp <= told + terms.claimWindow ? Phase.Claiming : Phase.Closable;
        }

        bool cancelled = held.cancelledAt != 0;
        uint256 end = cancelled ? held.cancelledAt : uint256(held.createdAt) + terms.settleBy;
        if (!cancelled && block.timestamp <= end) return Phase.Working;
        if (block.timestamp <= end + terms.settleWindow) return Phase.Settling;
        if (block.timestamp <= end + terms.settleWindow + terms.claimWindow) return Phase.Claiming;
        return Phase.Closable;
    }

    /// Block time until which an order is billed.
    function _chainTime(Order memory held) private view returns (uint256) {
        return held.cancelledAt != 0 ? held.cancelledAt : block.timestamp;
    }

    /// The compute offer that has the order now: with one replica, choices follow each other as attempts do.
    function _compute(Terms calldata terms, Order memory held) private pure returns (Compute calldata) {
        return terms.choices[held.attempt];
    }

    function _identify(Terms calldata terms) private view returns (OrderId id, bytes32[] memory partIds) {
        partIds = Hashes.hashAll(terms.parts);
        bytes32[] memory choiceIds = Hashes.hashAll(terms.choices);
        id = OrderId.wrap(_hashTypedDataV4(Hashes.hash(terms, choiceIds, partIds)));
    }
}
