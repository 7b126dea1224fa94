// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acceptance, Attestation, Compute, KeyRequest, Part, Receipt, Refusal, Terms} from "../types/Types.sol";

/// EIP-712 struct hashes of the signed types. The type strings are those of docs/FORMATS.md section 2.
library Hashes {
    string internal constant PART_TYPE = "Part(uint8 kind,uint8 priceType,uint32 maxOrders,uint128 price,address owner,address token,address store,"
        "address[] brokers,bytes32 digest,bytes32 info)";

    string internal constant COMPUTE_TYPE = "Compute(uint8 kind,uint32 minSeconds,uint32 maxSeconds,uint32 minWorkBy,uint32 minSettleBy,"
        "uint32 minSettleWindow,uint32 minClaimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "uint128 pricePerHour,uint128 baseFee,uint128 maxExposure,address provider,address token,"
        "address[] attestors,bytes32 chip,bytes32 info)";

    string internal constant TERMS_TYPE = "Terms(uint8 mode,uint8 replicas,uint8 quorum,uint32 orderedSeconds,uint32 workBy,uint32 settleBy,"
        "uint32 settleWindow,uint32 claimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "address customer,address token,address attestor,bytes32 resultKey,bytes32 salt,bytes32 extensions,"
        "string[] egress,bytes32[] options,Compute[] choices,Part[] parts)";

    string internal constant ACCEPTANCE_TYPE = "Acceptance(bytes32 order,uint16 attempt,uint8 replica,address session)";

    string internal constant ATTESTATION_TYPE = "Attestation(uint8 kind,uint8 vendor,uint8 tcbStatus,bytes32 chip,bytes32 measurement,bytes32 order,"
        "uint16 attempt,uint8 replica,address session,uint40 time,bytes acceptance)";

    string internal constant KEY_REQUEST_TYPE =
        "KeyRequest(bytes32 order,uint16 attempt,uint8 replica,uint8 part,bytes32 attestation)";

    string internal constant REFUSAL_TYPE =
        "Refusal(bytes32 order,uint16 attempt,uint8 replica,uint8 part,uint8 reason)";

    string internal constant RECEIPT_TYPE = "Receipt(bytes32 order,uint16 attempt,uint8 replica,uint8 outcome,bool started,uint8 limit,uint8 faultPart,"
        "int32 exitCode,uint32 opened,uint64 durationMs,bytes32 result,bytes32 commitment)";

    bytes32 internal constant PART_TYPEHASH = keccak256(bytes(PART_TYPE));
    bytes32 internal constant COMPUTE_TYPEHASH = keccak256(bytes(COMPUTE_TYPE));
    /// The types that Terms refers to follow it in the order of their names.
    bytes32 internal constant TERMS_TYPEHASH = keccak256(abi.encodePacked(TERMS_TYPE, COMPUTE_TYPE, PART_TYPE));
    bytes32 internal constant ACCEPTANCE_TYPEHASH = keccak256(bytes(ACCEPTANCE_TYPE));
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256(bytes(ATTESTATION_TYPE));
    bytes32 internal constant KEY_REQUEST_TYPEHASH = keccak256(bytes(KEY_REQUEST_TYPE));
    bytes32 internal constant REFUSAL_TYPEHASH = keccak256(bytes(REFUSAL_TYPE));
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(bytes(RECEIPT_TYPE));

    function hash(Part calldata part) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                PART_TYPEHASH,
                part.kind,
                part.priceType,
                part.maxOrders,
                part.price,
                part.owner,
                part.token,
                part.store,
                hash(part.brokers),
                part.digest,
                part.info
            )
        );
    }

    function hash(Compute calldata compute) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                COMPUTE_TYPEHASH,
                compute.kind,
                compute.minSeconds,
                compute.maxSeconds,
                compute.minWorkBy,
                compute.minSettleBy,
                compute.minSettleWindow,
                compute.minClaimWindow,
                compute.cpuMilli,
                compute.memoryMiB,
                compute.diskMiB,
                compute.pids,
                compute.pricePerHour,
                compute.baseFee,
                compute.maxExposure,
                compute.provider,
                compute.token,
                hash(compute.attestors),
                compute.chip,
                compute.info
            )
        );
    }

    /// @param choices Hashes of terms.choices.
    /// @param parts Hashes of terms.parts.
    function hash(Terms calldata terms, bytes32[] memory choices, bytes32[] memory parts)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                TERMS_TYPEHASH,
                terms.mode,
                terms.replicas,
                terms.quorum,
                terms.orderedSeconds,
                terms.workBy,
                terms.settleBy,
                terms.settleWindow,
                terms.claimWindow,
                terms.cpuMilli,
                terms.memoryMiB,
                terms.diskMiB,
                terms.pids,
                terms.customer,
                terms.token,
                terms.attestor,
                terms.resultKey,
                terms.salt,
                terms.extensions,
                hash(terms.egress),
                keccak256(abi.encodePacked(terms.options)),
                keccak256(abi.encodePacked(choices)),
                keccak256(abi.encodePacked(parts))
            )
        );
    }

    function hashAll(Part[] calldata parts) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](parts.length);
        for (uint256 i = 0; i < parts.length; ++i) {
            hashes[i] = hash(parts[i]);
        }
    }

    function hashAll(Compute[] calldata choices) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](choices.length);
        for (uint256 i = 0; i < choices.length; ++i) {
            hashes[i] = hash(choices[i]);
        }
    }

    function hash(Acceptance memory acceptance) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ACCEPTANCE_TYPEHASH, acceptance.order, acceptance.attempt, acceptance.replica, acceptance.session
            )
        );
    }

    function hash(Attestation calldata attestation) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ATTESTATION_TYPEHASH,
                attestation.kind,
                attestation.vendor,
                attestation.tcbStatus,
                attestation.chip,
                attestation.measurement,
                attestation.order,
                attestation.attempt,
                attestation.replica,
                attestation.session,
                attestation.time,
                keccak256(attestation.acceptance)
            )
        );
    }

    function hash(KeyRequest calldata request) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                KEY_REQUEST_TYPEHASH, request.order, request.attempt, request.replica, request.part, request.attestation
            )
        );
    }

    /// The market never judges a refusal; the function is here so that every signed type is stated in one place.
    function hash(Refusal calldata refusal) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(REFUSAL_TYPEHASH, refusal.order, refusal.attempt, refusal.replica, refusal.part, refusal.reason)
        );
    }

    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                RECEIPT_TYPEHASH,
                receipt.order,
                receipt.attempt,
                receipt.replica,
                receipt.outcome,
                receipt.started,
                receipt.limit,
                receipt.faultPart,
                receipt.exitCode,
                receipt.opened,
                receipt.durationMs,
                receipt.result,
                receipt.commitment
            )
        );
    }

    function hash(address[] calldata accounts) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(accounts));
    }

    function hash(string[] calldata texts) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            hashes[i] = keccak256(bytes(texts[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
