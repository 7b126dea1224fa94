// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {OfferId, OrderId, Terms} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract SetEnabledTest is Base {
    function test_RevertWhen_UnknownOffer() external {
        OfferId id = OfferId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownOffer.selector, id));
        vm.prank(provider.addr);
        market.setEnabled(id, true);
    }

    function test_RevertWhen_CallerIsStranger() external {
        OfferId id = market.computeId(defaultCompute());
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotProvider.selector, dataOwner, provider.addr));
        vm.prank(dataOwner);
        market.setEnabled(id, false);
    }

    function test_SetEnabled() external {
        OfferId id = market.computeId(defaultCompute());
        Terms memory terms = defaultTerms();
        OrderId order = create(terms);

        vm.expectEmit(address(market));
        emit IMarket.OfferEnabled(id, false);
        vm.prank(action.addr);
        market.setEnabled(id, false);

        terms.salt = keccak256("second");
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotOrderable.selector, id));
        vm.prank(customer.addr);
        market.create(terms, "");

        settle(defaultTerms(), attest(order), receiptOf(order));
        assertTrue(market.phase(defaultTerms()) == Phase.Settled);

        vm.prank(provider.addr);
        market.setEnabled(id, true);
        create(terms);
    }
}
