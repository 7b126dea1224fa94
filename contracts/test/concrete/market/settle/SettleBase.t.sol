// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Order, Phase, Status} from "../../../../src/types/Records.sol";
import {Attestation, OrderId, Outcome, Receipt} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

/// What both tests of settle look at: who has what, and that a refusal moves nothing.
abstract contract SettleBase is Base {
    uint256 internal constant PRICE = 23.5 ether;

    function settleAfter(OrderId id, uint256 time, Receipt memory receipt) internal {
        Attestation memory attestation = attest(id);
        skip(time);
        if (receipt.outcome == Outcome.Cancelled) cancel();
        settle(defaultTerms(), attestation, receipt);
    }

    function cancel() internal {
        vm.prank(customer.addr);
        market.cancel(defaultTerms());
    }

    function expectPaid(uint256 compute, uint256 solution, uint256 data, uint256 storage_) internal view {
        assertEq(balance(provider.addr), compute, "compute");
        assertEq(balance(solutionOwner), solution, "solution");
        assertEq(balance(dataOwner), data, "data");
        assertEq(balance(storageOwner), storage_, "storage");
        assertEq(balance(customer.addr), PRICE - compute - solution - data - storage_, "customer");
    }

    function expectEnded(uint256 deposit) internal view {
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), deposit);
    }

    function expectClaimable(OrderId id, uint256 deposit, uint256 lock, uint256 ended) internal view {
        assertEq(locked(provider.addr), lock);
        assertEq(deposited(provider.addr), deposit);
        Order memory order = market.order(id);
        assertTrue(order.status == Status.Refunded);
        assertEq(order.deposit, 0);
        assertEq(order.ended, ended);
        assertTrue(market.phase(defaultTerms()) == Phase.Acquitting);
        assertTrue(market.isAcquitted(id, session.addr));
    }

    function wrongPhase(OrderId id, Phase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, phase);
    }

    function refuseTime(OrderId id, uint256 time, bytes memory reason) internal {
        Attestation memory attestation = attest(id);
        attestation.time = uint40(time);
        refuse(attestation, receiptOf(id), reason);
    }

    function refuse(Attestation memory attestation, Receipt memory receipt, bytes memory reason) internal {
        bytes memory attestationSignature = signed(attestation);
        bytes memory receiptSignature = signed(receipt);
        uint256 earned = balance(provider.addr) + balance(dataOwner) + balance(customer.addr);
        vm.expectRevert(reason);
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, receiptSignature);
        assertEq(balance(provider.addr) + balance(dataOwner) + balance(customer.addr), earned);
    }
}
