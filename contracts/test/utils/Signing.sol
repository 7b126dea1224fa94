// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CommonBase} from "forge-std/Base.sol";

import {Acceptance, Attestation, KeyRequest, Receipt, Refusal, Terms} from "../../src/types/Types.sol";
import {TypeStrings} from "./TypeStrings.sol";

/// EIP-712 by forge's own implementation, so that every signature in the tests checks the market's hashing.
abstract contract Signing is CommonBase {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// The types that Terms refers to follow it, in the order of their names.
    string internal constant TERMS_DEFINITION = string.concat(TypeStrings.TERMS, TypeStrings.COMPUTE, TypeStrings.PART);

    function domainSeparator(uint256 chainId, address verifyingContract) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(DOMAIN_TYPEHASH, keccak256("Super Protocol"), keccak256("1"), chainId, verifyingContract)
            );
    }

    function typedDigest(bytes32 domain, bytes32 hash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, hash));
    }

    function structHash(Terms memory terms) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TERMS_DEFINITION, abi.encode(terms));
    }

    function structHash(Acceptance memory acceptance) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TypeStrings.ACCEPTANCE, abi.encode(acceptance));
    }

    function structHash(Attestation memory attestation) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TypeStrings.ATTESTATION, abi.encode(attestation));
    }

    function structHash(KeyRequest memory request) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TypeStrings.KEY_REQUEST, abi.encode(request));
    }

    function structHash(Refusal memory refusal) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TypeStrings.REFUSAL, abi.encode(refusal));
    }

    function structHash(Receipt memory receipt) internal pure returns (bytes32) {
        return vm.eip712HashStruct(TypeStrings.RECEIPT, abi.encode(receipt));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
