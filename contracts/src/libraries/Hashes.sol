// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acceptance, Attestation, Compute, KeyRequest, Part, Receipt, Terms} from "../types/Types.sol";

/// EIP-712 struct hashes of the signed types. The type strings are those of docs/FORMATS.md section 2.
library Hashes {
    bytes32 internal constant PART_TYPEHASH = keccak256(
        "Part(uint8 kind,uint8 priceType,uint32 maxOrders,uint128 price,address owner,address token,address store,"
        "address[] brokers,bytes32 digest,bytes32 info)"
    );

    bytes32 internal constant COMPUTE_TYPEHASH = keccak256(
        "Compute(uint8 kind,uint32 minSeconds,uint32 maxSeconds,uint32 minWorkBy,uint32 minSettleBy,"
        "uint32 minSettleWindow,uint32 minClaimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "uint128 pricePerHour,uint128 baseFee,uint128 maxExposure,address provider,address token,"
        "address[] attestors,bytes32 chip,bytes32 info)"
    );

    /// The types that Terms refers to follow it, in the order of their names.
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(uint8 mode,uint8 replicas,uint8 quorum,uint32 orderedSeconds,uint32 workBy,uint32 settleBy,"
        "uint32 settleWindow,uint32 claimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "address customer,address token,address attestor,bytes32 resultKey,bytes32 salt,bytes32 extensions,"
        "string[] egress,bytes32[] options,Compute[] choices,Part[] parts)"
        "Compute(uint8 kind,uint32 minSeconds,uint32 maxSeconds,uint32 minWorkBy,uint32 minSettleBy,"
        "uint32 minSettleWindow,uint32 minClaimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "uint128 pricePerHour,uint128 baseFee,uint128 maxExposure,address provider,address token,"
        "address[] attestors,bytes32 chip,bytes32 info)"
        "Part(uint8 kind,uint8 priceType,uint32 maxOrders,uint128 price,address owner,address token,address store,"
        "address[] brokers,bytes32 digest,bytes32 info)"
    );

    bytes32 internal constant ACCEPTANCE_TYPEHASH =
        keccak256("Acceptance(bytes32 order,uint16 attempt,uint8 replica,address session)");

    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(uint8 kind,uint8 vendor,uint8 tcbStatus,bytes32 chip,bytes32 measurement,bytes32 order,"
        "uint16 attempt,uint8 replica,address session,uint40 time,bytes acceptance)"
    );

    bytes32 internal constant KEY_REQUEST_TYPEHASH =
        keccak256("KeyRequest(bytes32 order,uint16 attempt,uint8 replica,uint8 part,bytes32 attestation)");

    bytes32 internal constant REFUSAL_TYPEHASH =
        keccak256("Refusal(bytes32 order,uint16 attempt,uint8 replica,uint8 part,uint8 reason)");

    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 order,uint16 attempt,uint8 replica,uint8 outcome,bool started,uint8 limit,uint8 faultPart,"
        "int32 exitCode,uint32 opened,uint64 durationMs,bytes32 result,bytes32 commitment)"
    );

    function hash(Part calldata part) internal pure returns (bytes32) {
        return _hash(PART_TYPEHASH, _position(part), 7, _hash(part.brokers), 2);
    }

    function hash(Compute calldata compute) internal pure returns (bytes32) {
        return _hash(COMPUTE_TYPEHASH, _position(compute), 16, _hash(compute.attestors), 2);
    }

    /// @param choices Hashes of terms.choices.
    /// @param parts Hashes of terms.parts.
    function hash(Terms calldata terms, bytes32[] memory choices, bytes32[] memory parts)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(
                TERMS_TYPEHASH,
                _words(_position(terms), 18),
                _hash(terms.egress),
                keccak256(abi.encodePacked(terms.options)),
                keccak256(abi.encodePacked(choices)),
                keccak256(abi.encodePacked(parts))
            )
        );
    }

    function hash(Acceptance memory acceptance) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE_TYPEHASH, acceptance));
    }

    function hash(Attestation calldata attestation) internal pure returns (bytes32) {
        return _hash(ATTESTATION_TYPEHASH, _position(attestation), 10, keccak256(attestation.acceptance), 0);
    }

    function hash(KeyRequest calldata request) internal pure returns (bytes32) {
        return keccak256(abi.encode(KEY_REQUEST_TYPEHASH, request));
    }

    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(RECEIPT_TYPEHASH, _words(_position(receipt), 12)));
    }

    function hashAll(Part[] calldata parts) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](parts.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = hash(parts[i]);
        }
    }

    function hashAll(Compute[] calldata choices) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](choices.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = hash(choices[i]);
        }
    }

    /// Hash of a struct of words in calldata, one of which is a reference, whose hash stands in its place.
    /// Words are taken as they lie there: unused bits that are set make another hash, and never that of clean words.
    function _hash(bytes32 typeHash, uint256 position, uint256 before, bytes32 referred, uint256 behind)
        private
        pure
        returns (bytes32 result)
    {
        assembly ("memory-safe") {
            let start := mload(0x40)
            let middle := add(start, mul(add(before, 1), 32))
            mstore(start, typeHash)
            calldatacopy(add(start, 32), position, mul(before, 32))
            mstore(middle, referred)
            calldatacopy(add(middle, 32), add(position, mul(add(before, 1), 32)), mul(behind, 32))
            result := keccak256(start, mul(add(add(before, behind), 2), 32))
        }
    }

    function _hash(address[] calldata accounts) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            let size := mul(accounts.length, 32)
            calldatacopy(start, accounts.offset, size)
            result := keccak256(start, size)
        }
    }

    function _hash(string[] calldata texts) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](texts.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(bytes(texts[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// The first words of a struct in calldata.
    function _words(uint256 position, uint256 count) private pure returns (bytes calldata words) {
        assembly ("memory-safe") {
            words.offset := position
            words.length := mul(count, 32)
        }
    }

    function _position(Part calldata value) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := value
        }
    }

    function _position(Compute calldata value) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := value
        }
    }

    function _position(Terms calldata value) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := value
        }
    }

    function _position(Attestation calldata value) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := value
        }
    }

    function _position(Receipt calldata value) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := value
        }
    }
}
