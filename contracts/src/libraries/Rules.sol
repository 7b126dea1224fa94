// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Compute, EvidenceKind, Outcome, Part, PartKind, Receipt, Terms} from "../types/Types.sol";
import {Errors} from "./Errors.sol";
import {Limits} from "./Limits.sol";

/// What offers, terms and receipts must be like, as far as it can be said without looking at the chain.
library Rules {
    function checkPartOffer(Part calldata part) internal pure {
        if (part.kind != PartKind.Solution && part.kind != PartKind.Data && part.kind != PartKind.Storage) {
            revert Errors.Market_NotOfferable(part.kind);
        }
        if (part.token == address(0)) revert Errors.Market_ZeroToken();
        _checkShape(part, 0);
    }

    function checkComputeOffer(Compute calldata compute) internal pure {
        EvidenceKind kind = compute.kind;
        if (kind != EvidenceKind.Dev && kind != EvidenceKind.SevSnp && kind != EvidenceKind.Tdx) {
            revert Errors.Market_EvidenceCantBack(kind);
        }
        if (compute.chip == 0) revert Errors.Market_NoChip();
        if (compute.token == address(0)) revert Errors.Market_ZeroToken();
        if (compute.minSeconds == 0 || compute.minSeconds > compute.maxSeconds) {
            revert Errors.Market_BadTimeRange(compute.minSeconds, compute.maxSeconds);
        }
        _checkLength(compute.minWorkBy, Limits.WINDOW_MAX);
        _checkLength(compute.minSettleBy, Limits.WINDOW_MAX);
        _checkLength(compute.minSettleWindow, Limits.ANSWER_MAX);
        _checkLength(compute.minClaimWindow, Limits.ANSWER_MAX);
        _checkAttestorCount(compute);
    }

    function checkTerms(Terms calldata terms) internal pure {
        _checkVersion(terms);
        _checkParts(terms);
        _checkChoices(terms);
        _checkFits(terms, terms.choices[0]);
    }

    function checkReceipt(Receipt calldata receipt, uint256 parts) internal pure {
        Outcome outcome = receipt.outcome;
        if (receipt.opened >> parts != 0) revert Errors.Market_BadOpened(receipt.opened, parts);
        if (outcome != Outcome.Provider && receipt.started != (outcome != Outcome.Input)) {
            revert Errors.Market_BadReceipt(outcome, receipt.started);
        }
        if (outcome == Outcome.Input && receipt.faultPart >= parts) {
            revert Errors.Market_BadFaultPart(receipt.faultPart);
        }
        bool stored = receipt.result != 0 && (receipt.opened >> (parts - 1)) & 1 == 1;
        if (outcome == Outcome.Success && !stored) revert Errors.Market_NoResult();
    }

    /// What version 1 of the protocol leaves out.
    function _checkVersion(Terms calldata terms) private pure {
        if (terms.mode != 0) revert Errors.Market_UnsupportedMode(terms.mode);
        if (terms.replicas != 1 || terms.quorum != 1) {
            revert Errors.Market_UnsupportedReplicas(terms.replicas, terms.quorum);
        }
        if (terms.egress.length != 0) revert Errors.Market_UnsupportedEgress(terms.egress.length);
        if (terms.options.length != 0) revert Errors.Market_UnsupportedOptions(terms.options.length);
        if (terms.extensions != 0) revert Errors.Market_UnsupportedExtensions(terms.extensions);
    }

    function _checkParts(Terms calldata terms) private pure {
        uint256 count = terms.parts.length;
        if (count < Limits.PARTS_MIN || count > Limits.PARTS_MAX) revert Errors.Market_BadPartCount(count);
        for (uint256 i = 0; i < count; ++i) {
            Part calldata part = terms.parts[i];
            if (part.kind != _kindAt(i, count)) revert Errors.Market_BadPartKind(i, part.kind);
            if (part.token != terms.token) revert Errors.Market_TokenDiffers(part.token, terms.token);
            _checkShape(part, i);
        }
    }

    function _kindAt(uint256 index, uint256 count) private pure returns (PartKind) {
        if (index == 0) return PartKind.Arguments;
        if (index == 1) return PartKind.Solution;
        return index == count - 1 ? PartKind.Storage : PartKind.Data;
    }

    /// Storage takes the result and has no content of its own; everything else has content, and one broker of its key.
    function _checkShape(Part calldata part, uint256 index) private pure {
        bool hasContent = part.kind != PartKind.Storage;
        if (part.brokers.length != (hasContent ? 1 : 0)) {
            revert Errors.Market_BadBrokerCount(index, part.brokers.length);
        }
        if ((part.digest != 0) != hasContent) revert Errors.Market_BadDigest(index, part.digest);
    }

    function _checkChoices(Terms calldata terms) private pure {
        uint256 count = terms.choices.length;
        if (count == 0 || count > Limits.CHOICES_MAX) revert Errors.Market_BadChoiceCount(count);
        for (uint256 i = 0; i < count; ++i) {
            _checkAttestorCount(terms.choices[i]);
        }
    }

    function _checkAttestorCount(Compute calldata compute) private pure {
        uint256 count = compute.attestors.length;
        if (count == 0 || count > Limits.ATTESTORS_MAX) revert Errors.Market_BadAttestorCount(count);
    }

    /// Whether the order is within the compute offer.
    function _checkFits(Terms calldata terms, Compute calldata compute) private pure {
        if (compute.token != terms.token) revert Errors.Market_TokenDiffers(compute.token, terms.token);
        if (terms.resultKey == 0) revert Errors.Market_NoResultKey();
        if (!_accepts(compute, terms.attestor)) revert Errors.Market_AttestorNotAccepted(terms.attestor);
        if (terms.orderedSeconds < compute.minSeconds || terms.orderedSeconds > compute.maxSeconds) {
            revert Errors.Market_SecondsOutOfRange(terms.orderedSeconds, compute.minSeconds, compute.maxSeconds);
        }
        _checkWindow(terms.workBy, compute.minWorkBy, Limits.WINDOW_MAX);
        _checkWindow(terms.settleBy, compute.minSettleBy, Limits.WINDOW_MAX);
        _checkWindow(terms.settleBy, uint256(terms.workBy) + terms.orderedSeconds, Limits.WINDOW_MAX);
        _checkWindow(terms.settleWindow, compute.minSettleWindow, Limits.ANSWER_MAX);
        _checkWindow(terms.claimWindow, compute.minClaimWindow, Limits.ANSWER_MAX);
        _checkResource(terms.cpuMilli, compute.cpuMilli);
        _checkResource(terms.memoryMiB, compute.memoryMiB);
        _checkResource(terms.diskMiB, compute.diskMiB);
        _checkResource(terms.pids, compute.pids);
    }

    function _accepts(Compute calldata compute, address attestor) private pure returns (bool) {
        for (uint256 i = 0; i < compute.attestors.length; ++i) {
            if (compute.attestors[i] == attestor) return true;
        }
        return false;
    }

    function _checkWindow(uint256 window, uint256 min, uint256 max) private pure {
        if (window < min) revert Errors.Market_WindowTooShort(window, min);
        _checkLength(window, max);
    }

    function _checkLength(uint256 window, uint256 max) private pure {
        if (window > max) revert Errors.Market_WindowTooLong(window, max);
    }

    /// Of nothing no loader runs a workload: such an order could only hold what it locks and counts.
    function _checkResource(uint256 wanted, uint256 offered) private pure {
        if (wanted == 0) revert Errors.Market_NoResource();
        if (wanted > offered) revert Errors.Market_ResourceAboveOffer(wanted, offered);
    }
}
