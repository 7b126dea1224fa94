// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {Attestation, OfferId, OrderId, Outcome, PriceType, Receipt, Terms} from "../../../../src/types/Types.sol";
import {HookToken} from "../../../mocks/HookToken.sol";
import {SettleBase} from "./SettleBase.t.sol";

/// What settle pays, to whom, and what it keeps locked. What it refuses is in settle.t.sol; both follow settle.tree.
contract SettlePaidTest is SettleBase {
    // Outcomes

    function test_WhenPaidAsSuccess() external {
        for (uint256 i = 0; i <= uint256(Outcome.Cancelled); ++i) {
            uint256 snapshot = vm.snapshotState();
            OrderId id = createDefault();
            Receipt memory receipt = receiptOf(id);
            receipt.outcome = Outcome(i);
            settleAfter(id, 200, receipt); // 100 s measured
            // 0.5 + 100 s at 0.01; 5; 7; 100 s at 0.001
            expectPaid(1.5 ether, SOLUTION_PRICE, DATA_PRICE, 0.1 ether);
            expectEnded(DEPOSIT);
            vm.revertToState(snapshot);
        }
    }

    function test_WhenSomePartsDidNotOpen() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Workload;
        receipt.opened = 3; // neither data nor a stored result
        settleAfter(id, 200, receipt);
        expectPaid(1.5 ether, SOLUTION_PRICE, 0, 0);
        expectClaimable(id, DEPOSIT, DATA_PRICE, 15 - (1 << DATA));
    }

    function test_BillsChainTimeWhereItIsLeast() external {
        OrderId id = createDefault();
        settleAfter(id, 50, receiptOf(id));
        expectPaid(1 ether, SOLUTION_PRICE, DATA_PRICE, 0.05 ether);
    }

    function test_BillsOrderedTimeWhereItIsLeast() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.durationMs = type(uint64).max;
        settleAfter(id, SETTLE_BY, receipt);
        expectPaid(10.5 ether, SOLUTION_PRICE, DATA_PRICE, 1 ether);
        assertEq(balance(customer.addr), 0);
    }

    function test_BillsWholeSecondsRoundedDown() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.durationMs = 1999;
        settleAfter(id, 200, receipt);
        expectPaid(0.51 ether, SOLUTION_PRICE, DATA_PRICE, 0.001 ether);
    }

    function test_BillsUpToCancel() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        skip(20);
        cancel();
        skip(SETTLE_WINDOW);
        settle(defaultTerms(), attestation, receiptOf(id));
        expectPaid(0.7 ether, SOLUTION_PRICE, DATA_PRICE, 0.02 ether);
    }

    function test_WhenInputIsAtFault() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Input;
        receipt.started = false;
        receipt.faultPart = uint8(DATA);
        receipt.opened = 3;
        settleAfter(id, 200, receipt);
        expectPaid(BASE_FEE, 0, 0, 0);
        expectClaimable(id, DEPOSIT, EXPOSURE, 15 - (1 << SOLUTION) - (1 << DATA));
    }

    function test_WhenProviderIsAtFaultBeforeStart() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Provider;
        receipt.started = false;
        settleAfter(id, 200, receipt);
        expectPaid(0, 0, 0, 0);
        assertEq(balance(customer.addr), PRICE);
        expectClaimable(id, DEPOSIT, EXPOSURE, 15 - (1 << SOLUTION) - (1 << DATA));
        refuse(attest(id), receiptOf(id), wrongPhase(id, Phase.Acquitting));
    }

    function test_WhenProviderIsAtFaultAfterStart() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Provider;
        receipt.opened = 5; // arguments and data
        settleAfter(id, 200, receipt);
        assertEq(balance(dataOwner), DATA_PRICE);
        assertEq(balance(solutionOwner), 0);
        assertEq(balance(storageOwner), 0);
        assertEq(balance(provider.addr), 0);
        assertEq(balance(customer.addr), PRICE);
        assertEq(token.balanceOf(address(market)), PRICE + DATA_PRICE);
        expectClaimable(id, DEPOSIT - DATA_PRICE, SOLUTION_PRICE, 15 - (1 << SOLUTION));
    }

    function test_WhenProviderIsAtFaultAndCustomerOwnsAnOffer() external {
        enroll(customer.addr, customer.addr, customer.addr);
        Terms memory terms = defaultTerms();
        terms.parts[DATA].owner = customer.addr;
        terms.parts[STORAGE].priceType = PriceType.Fixed;
        offerPart(terms.parts[DATA]);
        offerPart(terms.parts[STORAGE]);
        OrderId id = create(terms);
        uint256 exposure = SOLUTION_PRICE + STORAGE_PRICE_PER_HOUR;
        assertEq(locked(provider.addr), exposure);

        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Provider;
        settle(terms, attest(id), receipt);
        assertEq(balance(customer.addr), market.required(terms));
        assertEq(balance(solutionOwner), SOLUTION_PRICE);
        assertEq(balance(storageOwner), STORAGE_PRICE_PER_HOUR);
        expectEnded(DEPOSIT - exposure);
    }

    function test_CountsPartsThatArePaid() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 5;
        terms.parts[SOLUTION].maxOrders = 5;
        OfferId dataId = offerPart(terms.parts[DATA]);
        OfferId solutionId = offerPart(terms.parts[SOLUTION]);
        OrderId id = create(terms);
        assertEq(market.offer(dataId).orders, 1);

        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Workload;
        receipt.opened = 3;
        settle(terms, attest(id), receipt);
        assertEq(market.offer(solutionId).orders, 1);
        assertEq(market.offer(dataId).orders, 1); // as long as it can be claimed
        skip(SETTLE_WINDOW + CLAIM_WINDOW + 1);
        market.close(terms);
        assertEq(market.offer(solutionId).orders, 1);
        assertEq(market.offer(dataId).orders, 0);
    }

    // Races and callers

    function test_WhenCustomerCancelsFirst() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Receipt memory receipt = receiptOf(id);
        skip(100);
        cancel(); // in the block of the settlement, before it
        settle(defaultTerms(), attestation, receipt);
        expectPaid(1.5 ether, SOLUTION_PRICE, DATA_PRICE, 0.1 ether);
    }

    function test_WhenNothingIsEarned() external {
        Terms memory terms = defaultTerms();
        for (uint256 i = SOLUTION; i < 4; ++i) {
            terms.parts[i].price = 0;
        }
        terms.choices[0].baseFee = 0;
        offerAll(terms);
        OrderId id = create(terms);
        settle(terms, attest(id), receiptOf(id)); // no time has passed
        assertEq(balance(customer.addr), 10 ether);
        assertEq(balance(provider.addr), 0);
        assertEq(balance(dataOwner), 0);
    }

    function test_WhenTokenReenters() external {
        HookToken hook = new HookToken();
        address[2] memory funded = [provider.addr, customer.addr];
        for (uint256 i = 0; i < 2; ++i) {
            hook.mint(funded[i], 1000 ether);
            vm.startPrank(funded[i]);
            hook.approve(address(registry), type(uint256).max);
            hook.approve(address(market), type(uint256).max);
            vm.stopPrank();
        }
        vm.prank(provider.addr);
        registry.deposit(address(market), address(hook), 1000 ether);

        Terms memory terms = defaultTerms();
        terms.token = address(hook);
        terms.choices[0].token = address(hook);
        for (uint256 i = 0; i < 4; ++i) {
            terms.parts[i].token = address(hook);
        }
        offerAll(terms);
        OrderId id = create(terms);
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Provider;
        hook.setHook(address(market), abi.encodeCall(IMarket.withdraw, (address(hook), customer.addr)));
        settle(terms, attest(id), receipt);
        assertEq(hook.revertData(), abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        assertEq(market.balanceOf(solutionOwner, address(hook)), SOLUTION_PRICE);
    }

    function test_WhenAnyoneSends() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        skip(200);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        bytes memory receiptSignature = signed(receipt);
        uint256[] memory partsPaid = new uint256[](4);
        partsPaid[SOLUTION] = SOLUTION_PRICE;
        partsPaid[DATA] = DATA_PRICE;
        partsPaid[STORAGE] = 0.1 ether;

        vm.expectEmit(address(market));
        emit IMarket.OrderSettled(
            id,
            customer.addr,
            provider.addr,
            session.addr,
            Outcome.Success,
            0,
            receipt.result,
            receipt.commitment,
            1.5 ether,
            9.9 ether,
            partsPaid
        );
        vm.prank(stranger.addr);
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, receiptSignature);
        expectPaid(1.5 ether, SOLUTION_PRICE, DATA_PRICE, 0.1 ether);
        assertTrue(market.phase(defaultTerms()) == Phase.Settled);
    }
}
