// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {
    Attestation,
    KeyRequest,
    OfferId,
    OrderId,
    Outcome,
    PriceType,
    Receipt,
    Terms
} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract ClaimTest is Base {
    OrderId private id;

    /// A provider that gets the keys and falls silent.
    function setUp() public override {
        super.setUp();
        id = createDefault();
    }

    function test_RevertWhen_WindowIsNotOpen() external {
        Attestation memory attestation = attest(id);
        KeyRequest memory request = requestOf(attestation, DATA);
        refuse(attestation, request, wrongPhase(Phase.Working));
        skipToEnd();
        skip(SETTLE_WINDOW);
        refuse(attestation, request, wrongPhase(Phase.Settling));
        skip(1 + CLAIM_WINDOW);
        refuse(attestation, request, wrongPhase(Phase.Closable));
    }

    function test_RevertWhen_Settled() external {
        Attestation memory attestation = attest(id);
        settle(defaultTerms(), attestation, receiptOf(id));
        openClaimWindow();
        refuse(attestation, requestOf(attestation, DATA), wrongPhase(Phase.Settled));
    }

    function test_RevertWhen_AttestationDoesNotHold() external {
        Attestation memory attestation = attest(id);
        Attestation memory late = attest(id);
        late.time = uint40(market.order(id).createdAt + WORK_BY + 1);
        openClaimWindow();
        refuse(
            late,
            requestOf(late, DATA),
            abi.encodeWithSelector(Errors.Market_AttestedTooLate.selector, late.time, late.time - 1)
        );

        KeyRequest memory request = requestOf(attestation, DATA);
        bytes memory signature = sign(session.key, digest(structHash(attestation)));
        bytes memory requestSignature = signed(request);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, session.addr, attestor.addr));
        market.claim(defaultTerms(), attestation, signature, request, requestSignature);
    }

    function test_RevertWhen_AttestedAfterCancel() external {
        vm.prank(customer.addr);
        market.cancel(defaultTerms());
        uint256 cancelledAt = block.timestamp;
        skip(1);
        Attestation memory attestation = attest(id);
        skip(SETTLE_WINDOW + 1);
        refuse(
            attestation,
            requestOf(attestation, DATA),
            abi.encodeWithSelector(Errors.Market_AttestedTooLate.selector, attestation.time, cancelledAt)
        );
    }

    function test_RevertWhen_NoAcceptance() external {
        Attestation memory attestation = attest(id);
        attestation.acceptance = acceptanceBy(stranger.key, id, session.addr);
        openClaimWindow();
        refuse(
            attestation,
            requestOf(attestation, DATA),
            abi.encodeWithSelector(Errors.Market_NotAccepted.selector, stranger.addr, provider.addr)
        );
    }

    function test_RevertWhen_RequestIsForAnother() external {
        Attestation memory attestation = attest(id);
        openClaimWindow();
        KeyRequest memory request = requestOf(attestation, DATA);
        request.order = "other";
        refuse(attestation, request, abi.encodeWithSelector(Errors.Market_WrongOrder.selector, bytes32("other"), id));
        request = requestOf(attestation, DATA);
        request.attempt = 1;
        refuse(attestation, request, abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 1, 0, 0));
        request = requestOf(attestation, DATA);
        request.attestation = "other";
        refuse(
            attestation,
            request,
            abi.encodeWithSelector(
                Errors.Market_WrongAttestation.selector, bytes32("other"), digest(structHash(attestation))
            )
        );
    }

    function test_RevertWhen_RequestIsNotSignedBySession() external {
        Attestation memory attestation = attest(id);
        openClaimWindow();
        KeyRequest memory request = requestOf(attestation, DATA);
        bytes memory attestationSignature = signed(attestation);
        bytes memory forged = sign(stranger.key, digest(structHash(request)));
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, stranger.addr, session.addr));
        market.claim(defaultTerms(), attestation, attestationSignature, request, forged);

        // a request for one part doesn't serve for another
        bytes memory signature = signed(request);
        request.part = uint8(SOLUTION);
        vm.expectPartialRevert(Errors.Market_BadSignature.selector);
        market.claim(defaultTerms(), attestation, attestationSignature, request, signature);
    }

    function test_RevertWhen_PartCannotBeClaimed() external {
        enroll(customer.addr, customer.addr, customer.addr);
        Terms memory terms = defaultTerms();
        terms.parts[SOLUTION].owner = customer.addr;
        terms.parts[DATA].priceType = PriceType.PerHour;
        terms.parts[STORAGE].priceType = PriceType.Fixed;
        offerAllAgain(terms);
        refuseParts(terms, 5);

        terms = defaultTerms();
        terms.parts[DATA].price = 0;
        offerPart(terms.parts[DATA]);
        OrderId free = create(terms);
        Attestation memory attestation = attest(free);
        openClaimWindow();
        KeyRequest memory request = requestOf(attestation, DATA);
        refuse(terms, attestation, request, abi.encodeWithSelector(Errors.Market_NothingToClaim.selector, DATA));
    }

    function test_RevertWhen_ClaimedAlready() external {
        Attestation memory attestation = attest(id);
        openClaimWindow();
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        refuse(
            attestation, requestOf(attestation, DATA), abi.encodeWithSelector(Errors.Market_AlreadyPaid.selector, DATA)
        );
    }

    function test_RevertWhen_SessionIsAcquitted() external {
        Attestation memory attestation = attest(id);
        acquit(defaultTerms(), idleReceiptOf(id), signed(idleReceiptOf(id)));
        bytes memory reason = abi.encodeWithSelector(Errors.Market_Acquitted.selector, id, session.addr);
        uint256 snapshot = vm.snapshotState();
        openClaimWindow();
        refuse(attestation, requestOf(attestation, DATA), reason);

        vm.revertToState(snapshot);
        settleIdle(defaultTerms());
        skipAcquitting();
        refuse(attestation, requestOf(attestation, DATA), reason);
    }

    function test_RevertWhen_ItsProviderMayStillAcquit() external {
        Attestation memory attestation = attest(id);
        settleIdle(defaultTerms());
        refuse(attestation, requestOf(attestation, DATA), wrongPhase(Phase.Acquitting));
        skip(SETTLE_WINDOW);
        refuse(attestation, requestOf(attestation, DATA), wrongPhase(Phase.Acquitting));
        acquit(defaultTerms(), idleReceiptOf(id), signed(idleReceiptOf(id)));
        skip(1);
        refuse(
            attestation,
            requestOf(attestation, DATA),
            abi.encodeWithSelector(Errors.Market_Acquitted.selector, id, session.addr)
        );
    }

    function test_RevertWhen_SettledByTheSameSession() external {
        Attestation memory attestation = attest(id);
        settle(defaultTerms(), attestation, idleReceiptOf(id));
        skipAcquitting();
        refuse(
            attestation,
            requestOf(attestation, DATA),
            abi.encodeWithSelector(Errors.Market_Acquitted.selector, id, session.addr)
        );
    }

    function test_RevertWhen_SettlementPaidThePart() external {
        Attestation memory attestation = attest(id);
        Account memory other = makeAccount("other session");
        Attestation memory started = attest(id, other);
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome.Provider;
        receipt.opened = uint32(1 << DATA);
        market.settle(defaultTerms(), started, signed(started), receipt, signed(receipt, other));
        assertEq(balance(dataOwner), DATA_PRICE);
        skipAcquitting();
        refuse(
            attestation, requestOf(attestation, DATA), abi.encodeWithSelector(Errors.Market_AlreadyPaid.selector, DATA)
        );
        claim(defaultTerms(), attestation, requestOf(attestation, SOLUTION));
        assertEq(balance(solutionOwner), SOLUTION_PRICE);
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), DEPOSIT - EXPOSURE);
    }

    function test_WhenAnIdleSessionSettled() external {
        Attestation memory attestation = attest(id);
        settleIdle(defaultTerms());
        assertEq(balance(customer.addr), 23.5 ether);
        assertEq(locked(provider.addr), EXPOSURE);

        skip(SETTLE_WINDOW + CLAIM_WINDOW); // its last second
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        assertEq(balance(dataOwner), DATA_PRICE);
        skip(1);
        refuse(attestation, requestOf(attestation, SOLUTION), wrongPhase(Phase.Closable));
    }

    function test_WhenAttestedAfterTheIdleSettlement() external {
        settleIdle(defaultTerms());
        skip(1); // a broker that doesn't know of it yet may release
        Attestation memory attestation = attest(id);
        skipAcquitting();
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        assertEq(balance(dataOwner), DATA_PRICE);
    }

    function test_WhenProviderChangesItsActionAccount() external {
        Attestation memory attestation = attest(id);
        vm.prank(provider.addr);
        registry.setAction(makeAddr("new action"));
        openClaimWindow();
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        assertEq(balance(dataOwner), DATA_PRICE);
    }

    function test_Claim() external {
        Attestation memory attestation = attest(id);
        openClaimWindow();

        vm.expectEmit(address(market));
        emit IMarket.PartClaimed(id, dataOwner, provider.addr, DATA, DATA_PRICE);
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        assertEq(balance(dataOwner), DATA_PRICE);
        assertEq(market.order(id).ended, 1 << DATA);
        assertEq(locked(provider.addr), SOLUTION_PRICE);
        assertEq(deposited(provider.addr), DEPOSIT - DATA_PRICE);

        // nobody can close while others may still claim
        vm.expectRevert(wrongPhase(Phase.Claiming));
        market.close(defaultTerms());
        skip(CLAIM_WINDOW - 11);
        claim(defaultTerms(), attestation, requestOf(attestation, SOLUTION));
        assertEq(balance(solutionOwner), SOLUTION_PRICE);

        skip(1);
        market.close(defaultTerms());
        assertEq(balance(customer.addr), 23.5 ether);
        assertEq(balance(provider.addr), 0);
        assertEq(locked(provider.addr), 0);
        assertEq(deposited(provider.addr), DEPOSIT - DATA_PRICE - SOLUTION_PRICE);
        assertEq(token.balanceOf(address(market)), 23.5 ether + DATA_PRICE + SOLUTION_PRICE);
    }

    function test_Claim_KeepsTheCount() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 1;
        terms.parts[SOLUTION].maxOrders = 1;
        OfferId data = offerPart(terms.parts[DATA]);
        OfferId solution = offerPart(terms.parts[SOLUTION]);
        OrderId limited = create(terms);
        Attestation memory attestation = attest(limited);
        openClaimWindow();
        claim(terms, attestation, requestOf(attestation, DATA));
        skip(CLAIM_WINDOW);
        market.close(terms);
        assertEq(market.offer(data).orders, 1);
        assertEq(market.offer(solution).orders, 0);
    }

    function offerAllAgain(Terms memory terms) private {
        for (uint256 i = SOLUTION; i < terms.parts.length; ++i) {
            offerPart(terms.parts[i]);
        }
    }

    function refuseParts(Terms memory terms, uint256 count) private {
        OrderId order = create(terms);
        Attestation memory attestation = attest(order);
        openClaimWindow();
        for (uint256 i = 0; i < count; ++i) {
            KeyRequest memory request = requestOf(attestation, i);
            refuse(terms, attestation, request, abi.encodeWithSelector(Errors.Market_NothingToClaim.selector, i));
        }
    }

    /// To the last moment of the order of setUp, which was created ten seconds ago.
    function skipToEnd() private {
        skip(SETTLE_BY - 10);
    }

    /// Into the claim window of that order and of any created since.
    function openClaimWindow() private {
        skipToEnd();
        skip(SETTLE_WINDOW + 11);
    }

    function wrongPhase(Phase phase) private view returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, phase);
    }

    function refuse(Attestation memory attestation, KeyRequest memory request, bytes memory reason) private {
        refuse(defaultTerms(), attestation, request, reason);
    }

    function refuse(Terms memory terms, Attestation memory attestation, KeyRequest memory request, bytes memory reason)
        private
    {
        bytes memory attestationSignature = signed(attestation);
        bytes memory requestSignature = signed(request);
        uint256 deposit = deposited(provider.addr);
        vm.expectRevert(reason);
        market.claim(terms, attestation, attestationSignature, request, requestSignature);
        assertEq(deposited(provider.addr), deposit);
    }
}
