// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EvidenceKind, OfferId, OrderId, Outcome, PartKind} from "../types/Types.sol";
import {Phase} from "../types/Records.sol";

/// Every revert of our own, prefixed by the contract it comes from, with the values that offend.
library Errors {
    // Registry

    error Registry_ZeroAccount();
    error Registry_AlreadyRegistered(address provider);
    error Registry_NotRegistered(address provider);
    error Registry_NotPendingReceiver(address caller, address pending);
    error Registry_FreeDepositShort(address provider, address token, uint256 free, uint256 needed);
    error Registry_LockShort(address provider, address token, uint256 locked, uint256 needed);

    // Tokens

    error Tokens_InexactTransfer(address token, uint256 expected, uint256 received);

    // TestToken

    error TestToken_TooMuch(uint256 amount, uint256 max);

    // Market: offers

    error Market_NotProvider(address caller, address provider);
    error Market_OfferExists(OfferId offer);
    error Market_UnknownOffer(OfferId offer);
    error Market_NotOfferable(PartKind kind);
    error Market_EvidenceCantBack(EvidenceKind kind);
    error Market_NoChip();
    error Market_BadAttestorCount(uint256 count);
    error Market_BadTimeRange(uint256 minSeconds, uint256 maxSeconds);
    error Market_ZeroToken();

    // Market: terms

    error Market_NotCustomer(address caller, address customer);
    error Market_UnsupportedMode(uint256 mode);
    error Market_UnsupportedReplicas(uint256 replicas, uint256 quorum);
    error Market_UnsupportedEgress(uint256 count);
    error Market_UnsupportedOptions(uint256 count);
    error Market_UnsupportedExtensions(bytes32 extensions);
    error Market_NoResultKey();
    error Market_HintsTooLong(uint256 length);
    error Market_BadChoiceCount(uint256 count);
    error Market_BadPartCount(uint256 count);
    error Market_BadPartKind(uint256 index, PartKind kind);
    error Market_BadBrokerCount(uint256 index, uint256 count);
    error Market_BadDigest(uint256 index, bytes32 digest);
    error Market_ArgumentsNotOwn(address owner);
    error Market_TokenDiffers(address token, address expected);
    error Market_NotOrderable(OfferId offer);
    error Market_ProviderInactive(address provider);
    error Market_OfferExhausted(OfferId offer, uint256 maxOrders);
    error Market_AttestorNotAccepted(address attestor);
    error Market_SecondsOutOfRange(uint256 ordered, uint256 min, uint256 max);
    error Market_WindowTooShort(uint256 window, uint256 min);
    error Market_WindowTooLong(uint256 window, uint256 max);
    error Market_NoResource();
    error Market_ResourceAboveOffer(uint256 wanted, uint256 offered);
    error Market_ExposureTooHigh(uint256 exposure, uint256 max);
    error Market_OrderExists(OrderId order);

    // Market: orders

    error Market_WrongPhase(OrderId order, Phase phase);
    error Market_WrongOrder(bytes32 order, OrderId expected);
    error Market_WrongAttempt(uint256 attempt, uint256 replica, uint256 expectedAttempt);
    error Market_WrongEvidenceKind(EvidenceKind kind, EvidenceKind expected);
    error Market_WrongChip(bytes32 chip, bytes32 expected);
    error Market_AttestedTooEarly(uint256 time, uint256 createdAt);
    error Market_AttestedTooLate(uint256 time, uint256 latest);
    error Market_BadSignature(address signer, address expected);
    error Market_NotAccepted(address signer, address provider);
    error Market_BadOpened(uint256 opened, uint256 parts);
    error Market_BadReceipt(Outcome outcome, bool started);
    error Market_NotCancelled(OrderId order);
    error Market_NoResult();
    error Market_BadFaultPart(uint256 part);
    error Market_WrongAttestation(bytes32 attestation, bytes32 expected);
    error Market_NothingToClaim(uint256 part);
    error Market_AlreadyPaid(uint256 part);
    error Market_BadSignatureCount(uint256 signatures, uint256 receipts);
    error Market_Started(OrderId order);
    error Market_Acquitted(OrderId order, address session);
}
