// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Limits} from "../../../../src/libraries/Limits.sol";
import {Compute, EvidenceKind, OfferId} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";
import {TypeStrings} from "../../../utils/TypeStrings.sol";

contract OfferComputeTest is Base {
    function test_RevertWhen_CallerIsStranger() external {
        Compute memory compute = newCompute();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotProvider.selector, dataOwner, provider.addr));
        vm.prank(dataOwner);
        market.offerCompute(compute);
    }

    function test_RevertWhen_EvidenceCantBack() external {
        EvidenceKind[3] memory kinds = [EvidenceKind.None, EvidenceKind.Sgx, EvidenceKind.Tpm];
        for (uint256 i = 0; i < kinds.length; ++i) {
            Compute memory compute = newCompute();
            compute.kind = kinds[i];
            refuse(compute, abi.encodeWithSelector(Errors.Market_EvidenceCantBack.selector, kinds[i]));
        }
    }

    function test_RevertWhen_NoChip() external {
        Compute memory compute = newCompute();
        compute.chip = 0;
        refuse(compute, abi.encodeWithSelector(Errors.Market_NoChip.selector));
    }

    function test_RevertWhen_ZeroToken() external {
        Compute memory compute = newCompute();
        compute.token = address(0);
        refuse(compute, abi.encodeWithSelector(Errors.Market_ZeroToken.selector));
    }

    function test_RevertWhen_TimeRangeIsEmpty() external {
        Compute memory compute = newCompute();
        compute.minSeconds = 11;
        compute.maxSeconds = 10;
        refuse(compute, abi.encodeWithSelector(Errors.Market_BadTimeRange.selector, 11, 10));
        compute.minSeconds = 0;
        refuse(compute, abi.encodeWithSelector(Errors.Market_BadTimeRange.selector, 0, 10));
    }

    function test_RevertWhen_WindowTooLong() external {
        uint32 tooLong = uint32(Limits.WINDOW_MAX + 1);
        bytes memory reason = abi.encodeWithSelector(Errors.Market_WindowTooLong.selector, tooLong, Limits.WINDOW_MAX);
        Compute memory compute = newCompute();
        compute.minWorkBy = tooLong;
        refuse(compute, reason);
        compute = newCompute();
        compute.minSettleBy = tooLong;
        refuse(compute, reason);
        tooLong = uint32(Limits.ANSWER_MAX + 1);
        reason = abi.encodeWithSelector(Errors.Market_WindowTooLong.selector, tooLong, Limits.ANSWER_MAX);
        compute = newCompute();
        compute.minSettleWindow = tooLong;
        refuse(compute, reason);
        compute = newCompute();
        compute.minClaimWindow = tooLong;
        refuse(compute, reason);
    }

    function test_RevertWhen_AttestorCountIsWrong() external {
        Compute memory compute = newCompute();
        compute.attestors = new address[](0);
        refuse(compute, abi.encodeWithSelector(Errors.Market_BadAttestorCount.selector, 0));
        compute.attestors = new address[](17);
        refuse(compute, abi.encodeWithSelector(Errors.Market_BadAttestorCount.selector, 17));
    }

    function test_RevertWhen_OfferExists() external {
        Compute memory compute = newCompute();
        OfferId id = offerCompute(compute);
        refuse(compute, abi.encodeWithSelector(Errors.Market_OfferExists.selector, id));
    }

    function test_OfferCompute() external {
        EvidenceKind[3] memory kinds = [EvidenceKind.Dev, EvidenceKind.SevSnp, EvidenceKind.Tdx];
        for (uint256 i = 0; i < kinds.length; ++i) {
            Compute memory compute = newCompute();
            compute.kind = kinds[i];
            OfferId expected = OfferId.wrap(vm.eip712HashStruct(TypeStrings.COMPUTE, abi.encode(compute)));
            vm.expectEmit(address(market));
            emit IMarket.ComputeOffered(expected, provider.addr, compute);
            vm.prank(action.addr);
            OfferId id = market.offerCompute(compute);

            assertEq(OfferId.unwrap(id), OfferId.unwrap(expected));
            assertEq(OfferId.unwrap(market.computeId(compute)), OfferId.unwrap(expected));
            assertEq(market.offer(id).provider, provider.addr);
            assertTrue(market.offer(id).enabled);
        }
    }

    function newCompute() private view returns (Compute memory compute) {
        compute = defaultCompute();
        compute.info = keccak256("another");
    }

    function refuse(Compute memory compute, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(compute.provider);
        market.offerCompute(compute);
    }
}
