// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IMarket} from "./interfaces/IMarket.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";
import {Errors} from "./libraries/Errors.sol";
import {Hashes} from "./libraries/Hashes.sol";
import {Rules} from "./libraries/Rules.sol";
import {Order} from "./types/Records.sol";
import {Acceptance, Attestation, Compute, KeyRequest, OrderId, Outcome, Receipt, Terms} from "./types/Types.sol";

/// @title What the market believes of an order's sessions: what an attestor, a provider and they themselves have signed.
abstract contract Evidence is IMarket, EIP712 {
    /// @inheritdoc IMarket
    IRegistry public immutable registry;

    constructor(IRegistry registry_) EIP712("Super Protocol", "1") {
        registry = registry_;
    }

    /// The attested session runs this order on the device of the current choice, at the provider's wish.
    /// @return digest EIP-712 digest of the attestation.
    function _checkAttestation(
        OrderId id,
        Order memory held,
        Terms calldata terms,
        Compute calldata compute,
        Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (bytes32 digest) {
        _requireSubject(id, held, attestation.order, attestation.attempt, attestation.replica);
        if (attestation.kind != compute.kind) {
            revert Errors.Market_WrongEvidenceKind(attestation.kind, compute.kind);
        }
        if (attestation.chip != compute.chip) revert Errors.Market_WrongChip(attestation.chip, compute.chip);
        _checkAttestedTime(held, terms, attestation.time);

        digest = _hashTypedDataV4(Hashes.hash(attestation));
        _requireSigner(digest, signature, terms.attestor);
        _checkAcceptance(held, attestation, compute.provider);
    }

    function _checkAttestedTime(Order memory held, Terms calldata terms, uint256 time) private view {
        if (time < held.createdAt) revert Errors.Market_AttestedTooEarly(time, held.createdAt);
        uint256 latest = Math.min(block.timestamp, uint256(held.createdAt) + terms.workBy);
        // Of one second the order isn't known on chains with several blocks in it: that doubt is the provider's.
        if (held.cancelledAt != 0) latest = Math.min(latest, held.cancelledAt);
        if (time > latest) revert Errors.Market_AttestedTooLate(time, latest);
    }

    function _checkAcceptance(Order memory held, Attestation calldata attestation, address provider) private view {
        Acceptance memory acceptance =
            Acceptance(attestation.order, attestation.attempt, attestation.replica, attestation.session);
        address signer = _signer(_hashTypedDataV4(Hashes.hash(acceptance)), attestation.acceptance);
        if (!registry.isAction(provider, signer, held.createdAt)) {
            revert Errors.Market_NotAccepted(signer, provider);
        }
    }

    function _checkReceipt(
        OrderId id,
        Order memory held,
        address session,
        Receipt calldata receipt,
        bytes calldata signature,
        uint256 parts
    ) internal view {
        _requireSubject(id, held, receipt.order, receipt.attempt, receipt.replica);
        Rules.checkReceipt(receipt, parts);
        // What a session knows of a cancel is its host's word alone.
        if (receipt.outcome == Outcome.Cancelled && held.cancelledAt == 0) revert Errors.Market_NotCancelled(id);
        _requireSigner(_hashTypedDataV4(Hashes.hash(receipt)), signature, session);
    }

    /// The session that says by its receipt that it began nothing.
    function _idleSession(OrderId id, Order memory held, Receipt calldata receipt, bytes calldata signature)
        internal
        view
        returns (address session)
    {
        _requireSubject(id, held, receipt.order, receipt.attempt, receipt.replica);
        if (receipt.started) revert Errors.Market_Started(id);
        session = _signer(_hashTypedDataV4(Hashes.hash(receipt)), signature);
        if (session == address(0)) revert Errors.Market_BadSignature(session, session);
    }

    function _checkKeyRequest(
        OrderId id,
        Order memory held,
        address session,
        bytes32 attested,
        KeyRequest calldata request,
        bytes calldata signature
    ) internal view {
        _requireSubject(id, held, request.order, request.attempt, request.replica);
        if (request.attestation != attested) revert Errors.Market_WrongAttestation(request.attestation, attested);
        _requireSigner(_hashTypedDataV4(Hashes.hash(request)), signature, session);
    }

    /// What is signed must speak of this order and its current attempt.
    function _requireSubject(OrderId id, Order memory held, bytes32 subject, uint256 attempt, uint256 replica)
        private
        pure
    {
        if (subject != OrderId.unwrap(id)) revert Errors.Market_WrongOrder(subject, id);
        if (attempt != held.attempt || replica != 0) {
            revert Errors.Market_WrongAttempt(attempt, replica, held.attempt);
        }
    }

    function _requireSigner(bytes32 digest, bytes calldata signature, address expected) private pure {
        address signer = _signer(digest, signature);
        if (signer == address(0) || signer != expected) revert Errors.Market_BadSignature(signer, expected);
    }

    /// @return signer Zero where the signature isn't 65 bytes, v isn't 27 or 28, or s is high.
    function _signer(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        (signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
    }
}
