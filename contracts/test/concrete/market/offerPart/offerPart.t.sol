// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Offer} from "../../../../src/types/Records.sol";
import {OfferId, Part, PartKind} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";
import {TypeStrings} from "../../../utils/TypeStrings.sol";

contract OfferPartTest is Base {
    function test_RevertWhen_CallerIsStranger() external {
        Part memory part = newPart(PartKind.Data);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotProvider.selector, stranger.addr, provider.addr));
        vm.prank(stranger.addr);
        market.offerPart(part);
    }

    function test_RevertWhen_OwnerNotRegistered() external {
        Part memory part = newPart(PartKind.Data);
        part.owner = customer.addr;
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotProvider.selector, customer.addr, customer.addr));
        vm.prank(customer.addr);
        market.offerPart(part);
    }

    function test_RevertWhen_KindCantBeOffered() external {
        refuse(newPart(PartKind.None), abi.encodeWithSelector(Errors.Market_NotOfferable.selector, PartKind.None));
        refuse(
            newPart(PartKind.Arguments), abi.encodeWithSelector(Errors.Market_NotOfferable.selector, PartKind.Arguments)
        );
    }

    function test_RevertWhen_ZeroToken() external {
        Part memory part = newPart(PartKind.Data);
        part.token = address(0);
        refuse(part, abi.encodeWithSelector(Errors.Market_ZeroToken.selector));
    }

    function test_RevertWhen_BrokerCountIsWrong() external {
        Part memory part = newPart(PartKind.Data);
        part.brokers = new address[](2);
        refuse(part, abi.encodeWithSelector(Errors.Market_BadBrokerCount.selector, 0, 2));
        part.brokers = new address[](0);
        refuse(part, abi.encodeWithSelector(Errors.Market_BadBrokerCount.selector, 0, 0));
        part = newPart(PartKind.Storage);
        part.brokers = new address[](1);
        refuse(part, abi.encodeWithSelector(Errors.Market_BadBrokerCount.selector, 0, 1));
    }

    function test_RevertWhen_DigestIsWrong() external {
        Part memory part = newPart(PartKind.Solution);
        part.digest = 0;
        refuse(part, abi.encodeWithSelector(Errors.Market_BadDigest.selector, 0, bytes32(0)));
        part = newPart(PartKind.Storage);
        part.digest = bytes32(uint256(1));
        refuse(part, abi.encodeWithSelector(Errors.Market_BadDigest.selector, 0, bytes32(uint256(1))));
    }

    function test_RevertWhen_OfferExists() external {
        Part memory part = newPart(PartKind.Data);
        OfferId id = offerPart(part);
        refuse(part, abi.encodeWithSelector(Errors.Market_OfferExists.selector, id));
    }

    function test_OfferPart() external {
        Part memory part = newPart(PartKind.Data);
        OfferId expected = OfferId.wrap(vm.eip712HashStruct(TypeStrings.PART, abi.encode(part)));
        vm.expectEmit(address(market));
        emit IMarket.PartOffered(expected, provider.addr, part);
        vm.prank(action.addr);
        OfferId id = market.offerPart(part);

        assertEq(OfferId.unwrap(id), OfferId.unwrap(expected));
        assertEq(OfferId.unwrap(market.partId(part)), OfferId.unwrap(expected));
        Offer memory stored = market.offer(id);
        assertEq(stored.provider, provider.addr);
        assertTrue(stored.enabled);
        assertEq(stored.orders, 0);
    }

    function newPart(PartKind kind) private view returns (Part memory) {
        return defaultPart(kind, 1 ether, provider.addr);
    }

    function refuse(Part memory part, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(part.owner);
        market.offerPart(part);
    }
}
