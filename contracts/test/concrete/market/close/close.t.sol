// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase, Status} from "../../../../src/types/Records.sol";
import {Attestation, OfferId, OrderId, Terms} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract CloseTest is Base {
    function test_RevertWhen_NotClosable() external {
        OrderId id = market.orderId(defaultTerms());
        refuse(id, Phase.None);
        create(defaultTerms());
        refuse(id, Phase.Working);
        skip(SETTLE_BY);
        refuse(id, Phase.Working);
        skip(1);
        refuse(id, Phase.Settling);
        skip(SETTLE_WINDOW);
        refuse(id, Phase.Claiming);
        skip(CLAIM_WINDOW - 1);
        refuse(id, Phase.Claiming);
        skip(1);
        market.close(defaultTerms());
        refuse(id, Phase.Closed);
    }

    function test_RevertWhen_Settled() external {
        OrderId id = createDefault();
        settle(defaultTerms(), attest(id), receiptOf(id));
        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW + 1);
        refuse(id, Phase.Settled);
    }

    function test_CountsWindowsFromCancel() external {
        OrderId id = createDefault();
        vm.prank(customer.addr);
        market.cancel(defaultTerms());
        skip(SETTLE_WINDOW + CLAIM_WINDOW);
        refuse(id, Phase.Claiming);
        skip(1);
        market.close(defaultTerms());
        assertEq(balance(customer.addr), 23.5 ether);
    }

    function test_Close() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 3;
        OfferId offer = offerPart(terms.parts[DATA]);
        OrderId id = create(terms);
        assertEq(market.offer(offer).orders, 1);
        assertEq(locked(provider.addr), EXPOSURE);

        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW + 1);
        vm.expectEmit(address(market));
        emit IMarket.OrderClosed(id, customer.addr, 23.5 ether);
        vm.prank(stranger.addr);
        market.close(terms);

        assertEq(balance(customer.addr), 23.5 ether);
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), DEPOSIT);
        assertEq(market.offer(offer).orders, 0);
    }

    function test_WhenASettlementLeftOwnersUnpaid() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 3;
        terms.parts[SOLUTION].maxOrders = 3;
        OfferId data = offerPart(terms.parts[DATA]);
        OfferId solution = offerPart(terms.parts[SOLUTION]);
        OrderId id = create(terms);
        skip(10);
        Attestation memory attestation = attest(id);
        settleIdle(terms);
        skipAcquitting();
        claim(terms, attestation, requestOf(attestation, DATA));
        assertTrue(market.order(id).status == Status.Refunded);
        skip(CLAIM_WINDOW - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, Phase.Claiming));
        market.close(terms);

        skip(1);
        vm.expectEmit(address(market));
        emit IMarket.OrderClosed(id, customer.addr, 0);
        vm.prank(stranger.addr);
        market.close(terms);
        assertEq(balance(customer.addr), market.required(terms));
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), DEPOSIT - DATA_PRICE);
        assertEq(market.offer(data).orders, 1);
        assertEq(market.offer(solution).orders, 0);
        assertTrue(market.order(id).status == Status.Settled);
        assertTrue(market.phase(terms) == Phase.Settled);
    }

    function refuse(OrderId id, Phase actual) private {
        Terms memory terms = defaultTerms();
        assertTrue(market.phase(terms) == actual);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, actual));
        market.close(terms);
    }
}
