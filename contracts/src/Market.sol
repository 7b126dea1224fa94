// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

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

/// @inheritdoc IMarket
contract Market is IMarket, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    // IMMUTABLES

    /// @inheritdoc IMarket
    IRegistry public immutable registry;

    // STORAGE

    mapping(OfferId => Offer) private _offers;
    mapping(OrderId => Order) private _orders;
    mapping(address token => mapping(address account => uint256)) private _balances;

    constructor(IRegistry registry_) EIP712("Super Protocol", "1") {
        registry = registry_;
    }

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
            .permit(msg.sender, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) {} catch {}
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
        Phase now_ = _phase(terms, held);
        if (now_ != Phase.Working && now_ != Phase.Settling) revert Errors.Market_WrongPhase(id, now_);
        _checkAttestation(id, held, terms, attestation, attestationSignature);
        _checkReceipt(id, held, attestation.session, receipt, receiptSignature, terms.parts.length);

        _orders[id].status = Status.Settled;
        uint256 chainSeconds = _chainTime(held) - attestation.time;
        uint256 billable = Prices.billableSeconds(terms, receipt, chainSeconds);
        _pay(id, held, terms, partIds, attestation.session, receipt, billable);
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
        bytes32 attested = _checkAttestation(id, held, terms, attestation, attestationSignature);
        _checkKeyRequest(id, held, attestation.session, attested, request, requestSignature);
        _payClaim(id, held, terms, request.part);
    }

    /// @inheritdoc IMarket
    function close(Terms calldata terms) external {
        (OrderId id, bytes32[] memory partIds) = _identify(terms);
        Order memory held = _requirePhase(id, terms, Phase.Closable);

        _orders[id].status = Status.Closed;
        uint256 lock = Prices.exposure(terms);
        for (uint256 i = 0; i < partIds.length; ++i) {
            Part calldata part = terms.parts[i];
            if (_isClaimed(held, i)) lock -= part.price;
            else _uncount(part, OfferId.wrap(partIds[i]));
        }
        _credit(terms.token, terms.customer, held.deposit);
        emit OrderClosed(id, terms.customer, held.deposit);
        _release(terms.choices[held.attempt].provider, terms.token, lock, 0);
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
        return _phase(terms, _orders[id]);
    }

    /// @inheritdoc IMarket
    function offer(OfferId id) external view returns (Offer memory) {
        return _offers[id];
    }

    /// @inheritdoc IMarket
    function balanceOf(address account, address token) external view returns (uint256) {
        return _balances[token][account];
    }
}
