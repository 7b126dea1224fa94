// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {Attestation, EvidenceKind, OrderId, Outcome, Receipt, Terms} from "../../../../src/types/Types.sol";
import {SettleBase} from "./SettleBase.t.sol";

/// What settle refuses. What it pays is in settlePaid.t.sol; both follow settle.tree.
contract SettleTest is SettleBase {
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
}
