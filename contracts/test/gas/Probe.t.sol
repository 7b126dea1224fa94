// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;
import {Attestation, OrderId, Receipt, Terms} from "../../src/types/Types.sol";
import {Base} from "../utils/Base.t.sol";

contract ProbeTest is Base {
    function test_Probe() external {
        Terms memory terms = defaultTerms();
        market.orderId(terms);
        market.required(terms);
        market.partId(terms.parts[1]);
        market.computeId(terms.choices[0]);
        market.phase(terms);
    }

    function test_Settle() external {
        Terms memory terms = defaultTerms();
        OrderId id = create(terms);
        skip(10);
        Attestation memory attestation = attest(id);
        skip(120);
        Receipt memory receipt = receiptOf(id);
        settle(terms, attestation, receipt);
    }
}
