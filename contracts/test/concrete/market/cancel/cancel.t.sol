// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {OrderId, Terms} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract CancelTest is Base {
    function test_RevertWhen_CallerIsNotCustomer() external {
        createDefault();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotCustomer.selector, provider.addr, customer.addr));
        vm.prank(provider.addr);
        market.cancel(defaultTerms());
    }

    function test_RevertWhen_Unknown() external {
        refuse(market.orderId(defaultTerms()), Phase.None);
    }

    function test_RevertWhen_Cancelled() external {
        OrderId id = createDefault();
        vm.prank(customer.addr);
        market.cancel(defaultTerms());
        refuse(id, Phase.Settling);
    }

    function test_RevertWhen_Settled() external {
        OrderId id = createDefault();
        settle(defaultTerms(), attest(id), receiptOf(id));
        refuse(id, Phase.Settled);
    }

    function test_RevertWhen_Expired() external {
        OrderId id = create(defaultTerms());
        skip(SETTLE_BY + 1);
        refuse(id, Phase.Settling);
    }

    function test_Cancel() external {
        Terms memory terms = defaultTerms();
        OrderId id = create(terms);
        skip(SETTLE_BY);
        vm.expectEmit(address(market));
        emit IMarket.OrderCancelled(id, customer.addr);
        vm.prank(customer.addr);
        market.cancel(terms);
        assertEq(market.order(id).cancelledAt, block.timestamp);
        assertTrue(market.phase(terms) == Phase.Settling);
    }

    function refuse(OrderId id, Phase actual) private {
        Terms memory terms = defaultTerms();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, actual));
        vm.prank(customer.addr);
        market.cancel(terms);
    }
}
