// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, OrderId, Receipt, Terms} from "../../src/types/Types.sol";
import {Base} from "../utils/Base.t.sol";

/// What transactions cost as gasUsed of their receipts: each call runs as a transaction of its own, with the base
/// cost and the calldata (EIP-7623's floor included).
/// forge-config: default.isolate = true
contract GasTest is Base {
    function test_Deal() external {
        // the first order fills slots and balances
        deal_("create first", "settle first");
        deal_("create", "settle");
    }

    function deal_(string memory createName, string memory settleName) private {
        Terms memory terms = defaultTerms();
        terms.salt = keccak256(bytes(createName));
        vm.prank(customer.addr);
        OrderId id = market.create(terms, "");
        vm.snapshotGasLastCall("Market", createName);

        Attestation memory attestation = attest(id);
        skip(120);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        bytes memory receiptSignature = signed(receipt);
        vm.prank(action.addr);
        market.settle(terms, attestation, attestationSignature, receipt, receiptSignature);
        vm.snapshotGasLastCall("Market", settleName);
    }
}
