// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {Attestation, KeyRequest, OrderId, Outcome, Receipt} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract AcquitTest is Base {
    function test_RevertWhen_Over() external {
        OrderId id = market.orderId(defaultTerms());
        refuse(idleReceiptOf(id), wrongPhase(id, Phase.None));
        createDefault();
        uint256 snapshot = vm.snapshotState();
        settle(defaultTerms(), attest(id), receiptOf(id));
        refuse(idleReceiptOf(id), wrongPhase(id, Phase.Settled));
        vm.revertToState(snapshot);
        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW + 1);
        market.close(defaultTerms());
        refuse(idleReceiptOf(id), wrongPhase(id, Phase.Closed));
    }

    function test_RevertWhen_Started() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        for (uint256 i = 0; i < 5; ++i) {
            receipt.outcome = Outcome(i);
            refuse(receipt, abi.encodeWithSelector(Errors.Market_Started.selector, id));
        }
    }

    function test_RevertWhen_ReceiptIsForAnother() external {
        OrderId id = createDefault();
        Receipt memory receipt = idleReceiptOf(id);
        receipt.order = "other";
        refuse(receipt, abi.encodeWithSelector(Errors.Market_WrongOrder.selector, bytes32("other"), id));
        receipt = idleReceiptOf(id);
        receipt.attempt = 1;
        refuse(receipt, abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 1, 0, 0));
        receipt = idleReceiptOf(id);
        receipt.replica = 1;
        refuse(receipt, abi.encodeWithSelector(Errors.Market_WrongAttempt.selector, 0, 1, 0));
    }

    function test_RevertWhen_SignatureIsMalformed() external {
        OrderId id = createDefault();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignature.selector, address(0), address(0)));
        acquit(defaultTerms(), idleReceiptOf(id), new bytes(65));
    }

    function test_RevertWhen_ASignatureIsMissing() external {
        createDefault();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_BadSignatureCount.selector, 1, 2));
        market.acquit(defaultTerms(), new Receipt[](2), new bytes[](1));
    }

    function test_WhenReceiptIsAltered() external {
        OrderId id = createDefault();
        Receipt memory receipt = receiptOf(id);
        bytes memory signature = signed(receipt);
        receipt.started = false;
        acquit(defaultTerms(), receipt, signature);
        assertFalse(market.isAcquitted(id, session.addr));
    }

    function test_Acquit() external {
        OrderId id = createDefault();
        acquits(id);
        skip(SETTLE_BY); // settling
        acquits(id);
        skip(SETTLE_WINDOW); // claiming
        acquits(id);
        skip(CLAIM_WINDOW); // closable
        acquits(id);
    }

    function test_AcquitsSeveral() external {
        OrderId id = createDefault();
        Receipt[] memory receipts = new Receipt[](2);
        bytes[] memory signatures = new bytes[](2);
        receipts[0] = receipts[1] = idleReceiptOf(id);
        signatures[0] = signed(receipts[0]);
        signatures[1] = signed(receipts[1], stranger);
        market.acquit(defaultTerms(), receipts, signatures);
        assertTrue(market.isAcquitted(id, session.addr));
        assertTrue(market.isAcquitted(id, stranger.addr));
        receipts[1] = receiptOf(id);
        signatures[1] = signed(receipts[1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_Started.selector, id));
        market.acquit(defaultTerms(), receipts, signatures);
    }

    function test_WhenAnotherSessionHasSettled() external {
        OrderId id = createDefault();
        settleIdle(defaultTerms());
        assertFalse(market.isAcquitted(id, session.addr));
        acquits(id);
    }

    /// Who learns of a receipt by its acquittal and settles with it comes too early to claim by another.
    function test_HandsOutNothingThatCostsTheProvider() external {
        OrderId id = createDefault();
        Account memory other = makeAccount("other session");
        Attestation memory first = attest(id, other);
        Attestation memory attestation = attest(id);
        Receipt memory receipt = idleReceiptOf(id);
        acquit(defaultTerms(), receipt, signed(receipt, other));
        market.settle(defaultTerms(), first, signed(first), receipt, signed(receipt, other));
        KeyRequest memory request = requestOf(attestation, DATA);
        bytes memory attestationSignature = signed(attestation);
        bytes memory requestSignature = signed(request);
        vm.expectRevert(wrongPhase(id, Phase.Acquitting));
        market.claim(defaultTerms(), attestation, attestationSignature, request, requestSignature);
        acquit(defaultTerms(), receipt, signed(receipt));
        skipAcquitting();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_Acquitted.selector, id, session.addr));
        market.claim(defaultTerms(), attestation, attestationSignature, request, requestSignature);
    }

    function test_AcquitsNoOtherSession() external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Account memory other = makeAccount("other session");
        acquit(defaultTerms(), idleReceiptOf(id), signed(idleReceiptOf(id), other));
        settleIdle(defaultTerms());
        skipAcquitting();
        claim(defaultTerms(), attestation, requestOf(attestation, DATA));
        assertEq(balance(dataOwner), DATA_PRICE);
    }

    function acquits(OrderId id) private {
        uint256 snapshot = vm.snapshotState();
        bytes memory signature = signed(idleReceiptOf(id));
        vm.expectEmit(address(market));
        emit IMarket.SessionAcquitted(id, session.addr);
        vm.prank(stranger.addr);
        acquit(defaultTerms(), idleReceiptOf(id), signature);
        assertTrue(market.isAcquitted(id, session.addr));
        vm.revertToState(snapshot);
    }

    function wrongPhase(OrderId id, Phase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongPhase.selector, id, phase);
    }

    function refuse(Receipt memory receipt, bytes memory reason) private {
        bytes memory signature = signed(receipt);
        vm.expectRevert(reason);
        acquit(defaultTerms(), receipt, signature);
    }
}
