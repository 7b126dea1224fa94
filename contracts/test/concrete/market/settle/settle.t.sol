// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Order, Phase, Status} from "../../../../src/types/Records.sol";
import {
    Attestation,
    EvidenceKind,
    OfferId,
    OrderId,
    Outcome,
    PartKind,
    PriceType,
    Receipt,
    Terms
} from "../../../../src/types/Types.sol";
import {HookToken} from "../../../mocks/HookToken.sol";
import {Base} from "../../../utils/Base.t.sol";

contract SettleTest is Base {
    uint256 private constant PRICE = 23.5 ether;
    uint256 private constant N = 115792089237316195423570985008687907852837564279074904382605163141518161494337;

    // Phase

    function test_RevertWhen_Unknown() external {
        OrderId id = market.orderId(defaultTerms());
        refuse(attest(id), receiptOf(id), wrongPhase(id, Phase.None));
    }

    function test_RevertWhen_Settled() external {
        OrderId id = createDefault();
        settle(defaultTerms(), attest(id), receiptOf(id));
        refuse(attest(id), receiptOf(id), wrongPhase(id, Phase.Settled));
    }

    function test_RevertWhen_Closed() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW);
        market.close(defaultTerms());
        refuse(attestation, receiptOf(id), wrongPhase(id, Phase.Closed));
    }

    function test_RevertWhen_SettleWindowIsOver() external {
        OrderId id = create(defaultTerms());
        Attestation memory attestation = attest(id);
        skip(SETTLE_BY + SETTLE_WINDOW + 1);
        refuse(attestation, receiptOf(id), wrongPhase(id, Phase.Claiming));
    }

    function test_WhenSettleWindowEndsNow() external {
        OrderId id = create(defaultTerms());
        Attestation memory attestation = attest(id);
        skip(SETTLE_BY + SETTLE_WINDOW);
        settle(defaultTerms(), attestation, receiptOf(id));
    }

    // Attestation

    function test_RevertWhen_AttestationIsForAnotherOrder() external {
        Terms memory other = defaultTerms();
        other.salt = "other";
        OrderId otherId = create(other);
        OrderId id = createDefault();
        refuse(attest(otherId), receiptOf(id), abi.encodeWithSelector(Errors.Market_WrongOrder.selector, otherId, id));
    }

    function test_RevertWhen_AttestationIsForAnotherAttempt() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        attestation.attempt = 1;
        refuse(attestation, receiptOf(id), abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 1, 0, 0));
        attestation = attest(id);
        attestation.replica = 1;
        refuse(attestation, receiptOf(id), abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 0, 1, 0));
    }

    function test_RevertWhen_EvidenceKindIsAnother() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        attestation.kind = EvidenceKind.SevSnp;
        refuse(
            attestation,
            receiptOf(id),
            abi.encodeWithSelector(Errors.Market_WrongEvidenceKind.selector, EvidenceKind.SevSnp, EvidenceKind.Dev)
        );
    }

    function test_RevertWhen_ChipIsAnother() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        attestation.chip = "other";
        refuse(
            attestation, receiptOf(id), abi.encodeWithSelector(Errors.Market_WrongChip.selector, bytes32("other"), CHIP)
        );
    }

    function test_RevertWhen_AttestedBeforeCreate() external {
        OrderId id = createDefault();
        uint256 createdAt = market.order(id).createdAt;
        refuseTime(
            id, createdAt - 1, abi.encodeWithSelector(Errors.Market_AttestedTooEarly.selector, createdAt - 1, createdAt)
        );
    }

    function test_RevertWhen_AttestedAfterWorkBy() external {
        OrderId id = createDefault();
        uint256 latest = market.order(id).createdAt + WORK_BY;
        skip(WORK_BY);
        refuseTime(id, latest + 1, abi.encodeWithSelector(Errors.Market_AttestedTooLate.selector, latest + 1, latest));
        Attestation memory attestation = attest(id);
        attestation.time = uint40(latest);
        settle(defaultTerms(), attestation, receiptOf(id));
    }

    function test_RevertWhen_AttestedInTheFuture() external {
        OrderId id = createDefault();
        refuseTime(
            id,
            block.timestamp + 1,
            abi.encodeWithSelector(Errors.Market_AttestedTooLate.selector, block.timestamp + 1, block.timestamp)
        );
    }

    function test_RevertWhen_AttestedAfterCancel() external {
        OrderId id = createDefault();
        cancel();
        uint256 cancelledAt = block.timestamp;
        skip(10);
        bytes4 reason = Errors.Market_AttestedTooLate.selector;
        refuseTime(id, cancelledAt + 1, abi.encodeWithSelector(reason, cancelledAt + 1, cancelledAt));
    }

    function test_RevertWhen_AttestorIsAnother() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        bytes memory signature = sign(stranger.key, digest(structHash(attestation)));
        Receipt memory receipt = receiptOf(id);
        bytes memory receiptSignature = signed(receipt);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, stranger.addr, attestor.addr));
        market.settle(defaultTerms(), attestation, signature, receipt, receiptSignature);
    }

    function test_RevertWhen_AttestationIsAltered() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        bytes memory signature = signed(attestation);
        attestation.measurement = "other";
        Receipt memory receipt = receiptOf(id);
        bytes memory receiptSignature = signed(receipt);
        vm.expectPartialRevert(Errors.Market_BadSignature.selector);
        market.settle(defaultTerms(), attestation, signature, receipt, receiptSignature);
    }

    function test_RevertWhen_AcceptanceDoesNotHold() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        attestation.acceptance = "";
        refuse(
            attestation,
            receiptOf(id),
            abi.encodeWithSelector(Errors.Market_NotAccepted.selector, address(0), provider.addr)
        );
        attestation.acceptance = acceptanceBy(stranger.key, id, session.addr);
        refuse(
            attestation,
            receiptOf(id),
            abi.encodeWithSelector(Errors.Market_NotAccepted.selector, stranger.addr, provider.addr)
        );
        attestation.acceptance = acceptanceBy(provider.key, id, session.addr);
        refuse(
            attestation,
            receiptOf(id),
            abi.encodeWithSelector(Errors.Market_NotAccepted.selector, provider.addr, provider.addr)
        );
        attestation.acceptance = acceptanceBy(action.key, id, stranger.addr);
        bytes memory attestationSignature = signed(attestation);
        Receipt memory receipt = receiptOf(id);
        bytes memory receiptSignature = signed(receipt);
        vm.expectPartialRevert(Errors.Market_NotAccepted.selector);
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, receiptSignature);
    }

    function test_WhenActionAccountIsReplacedSinceCreate() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        vm.prank(provider.addr);
        registry.setAction(makeAddr("new action"));
        skip(100);
        settle(defaultTerms(), attestation, receiptOf(id));
    }

    function test_RevertWhen_ActionAccountWasReplacedBeforeCreate() external {
        vm.prank(provider.addr);
        registry.setAction(makeAddr("new action"));
        skip(1);
        OrderId id = createDefault();
        refuse(
            attest(id),
            receiptOf(id),
            abi.encodeWithSelector(Errors.Market_NotAccepted.selector, action.addr, provider.addr)
        );
    }

    // Receipt

    function test_RevertWhen_ReceiptIsForAnotherOrder() external {
        Terms memory other = defaultTerms();
        other.salt = "other";
        OrderId otherId = create(other);
        OrderId id = createDefault();
        settle(other, attest(otherId), receiptOf(otherId));
        refuse(attest(id), receiptOf(otherId), abi.encodeWithSelector(Errors.Market_WrongOrder.selector, otherId, id));
    }

    function test_RevertWhen_ReceiptIsForAnotherAttempt() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.attempt = 1;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 1, 0, 0));
        receipt = receiptOf(id);
        receipt.replica = 1;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 0, 1, 0));
    }

    function test_RevertWhen_SessionIsAnother() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        bytes memory signature = sign(stranger.key, digest(structHash(receipt)));
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, stranger.addr, session.addr));
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, signature);
    }

    function test_RevertWhen_ReceiptIsAltered() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        bytes memory signature = signed(receipt);
        receipt.durationMs += 1;
        vm.expectPartialRevert(Errors.Market_BadSignature.selector);
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, signature);
    }

    function test_RevertWhen_OpenedPartsThereAreNot() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.opened = 31;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_BadOpened.selector, 31, 4));
    }

    function test_RevertWhen_StartContradictsOutcome() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        for (uint256 i = 0; i < 4; ++i) {
            receipt.outcome = Outcome(i);
            receipt.started = receipt.outcome == Outcome.Input;
            refuse(
                attest(id),
                receipt,
                abi.encodeWithSelector(Errors.Market_BadReceipt.selector, receipt.outcome, receipt.started)
            );
        }
    }

    function test_RevertWhen_SuccessWithoutResult() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.result = 0;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_NoResult.selector));
        receipt = receiptOf(id);
        receipt.opened = 7;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_NoResult.selector));
    }

    function test_RevertWhen_NobodyHasCancelled() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Cancelled;
        Attestation memory attestation = attest(id);
        skip(100);
        refuse(attestation, receipt, abi.encodeWithSelector(Errors.Market_NotCancelled.selector, id));
        cancel();
        settle(defaultTerms(), attestation, receipt);
        expectPaid(1.5 ether, SOLUTION_PRICE, DATA_PRICE, 0.1 ether);
    }

    function test_RevertWhen_FaultPartIsNone() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Input;
        receipt.started = false;
        receipt.faultPart = 4;
        refuse(attest(id), receipt, abi.encodeWithSelector(Errors.Market_BadFaultPart.selector, 4));
    }

    // Signatures

    function test_RevertWhen_SignatureIsMalformed() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Receipt memory receipt = receiptOf(id);
        bytes memory good = signed(receipt);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(session.key, digest(structHash(receipt)));

        bytes[6] memory bad;
        bad[0] = abi.encodePacked(r, N - uint256(s), v == 27 ? uint8(28) : uint8(27)); // high s
        bad[1] = abi.encodePacked(r, s, v - 27);
        bad[2] = abi.encodePacked(r, uint256(s) | (uint256(v - 27) << 255)); // EIP-2098
        bad[3] = abi.encodePacked(good, uint8(0));
        bad[4] = new bytes(65);
        bad[5] = "";
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory attestationSignature = signed(attestation);
            vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, address(0), session.addr));
            market.settle(defaultTerms(), attestation, attestationSignature, receipt, bad[i]);
        }
        market.settle(defaultTerms(), attestation, signed(attestation), receipt, good);
    }

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

    // Helpers

    function settleAfter(OrderId id, uint256 time, Receipt memory receipt) private {
        Attestation memory attestation = attest(id);
        skip(time);
        if (receipt.outcome == Outcome.Cancelled) cancel();
        settle(defaultTerms(), attestation, receipt);
    }

    function cancel() private {
        vm.prank(customer.addr);
        market.cancel(defaultTerms());
    }

    function expectPaid(uint256 compute, uint256 solution, uint256 data, uint256 storage_) private view {
        assertEq(balance(provider.addr), compute, "compute");
        assertEq(balance(solutionOwner), solution, "solution");
        assertEq(balance(dataOwner), data, "data");
        assertEq(balance(storageOwner), storage_, "storage");
        assertEq(balance(customer.addr), PRICE - compute - solution - data - storage_, "customer");
    }

    function expectEnded(uint256 deposit) private view {
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), deposit);
    }

    function expectClaimable(OrderId id, uint256 deposit, uint256 lock, uint256 ended) private view {
        assertEq(locked(provider.addr), lock);
        assertEq(deposited(provider.addr), deposit);
        Order memory order = market.order(id);
        assertTrue(order.status == Status.Refunded);
        assertEq(order.deposit, 0);
        assertEq(order.ended, ended);
        assertTrue(market.phase(defaultTerms()) == Phase.Acquitting);
        assertTrue(market.isAcquitted(id, session.addr));
    }

    function wrongPhase(OrderId id, Phase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, phase);
    }

    function refuseTime(OrderId id, uint256 time, bytes memory reason) private {
        Attestation memory attestation = attest(id);
        attestation.time = uint40(time);
        refuse(attestation, receiptOf(id), reason);
    }

    function refuse(Attestation memory attestation, Receipt memory receipt, bytes memory reason) private {
        bytes memory attestationSignature = signed(attestation);
        bytes memory receiptSignature = signed(receipt);
        uint256 earned = balance(provider.addr) + balance(dataOwner) + balance(customer.addr);
        vm.expectRevert(reason);
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, receiptSignature);
        assertEq(balance(provider.addr) + balance(dataOwner) + balance(customer.addr), earned);
    }
}
