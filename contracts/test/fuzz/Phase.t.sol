// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Limits} from "../../src/libraries/Limits.sol";
import {Phase} from "../../src/types/Records.sol";
import {Terms} from "../../src/types/Types.sol";
import {Base} from "../utils/Base.t.sol";

contract PhaseFuzzTest is Base {
    /// Whatever the windows and whenever the cancel: an order goes through its phases in order and can be closed.
    function testFuzz_Phase(uint32[4] memory windows, uint32 cancelAfter, bool cancels, uint40 later) external {
        Terms memory terms = defaultTerms();
        terms.workBy = uint32(bound(windows[0], 60, Limits.WINDOW_MAX - ORDERED));
        terms.settleBy = uint32(bound(windows[1], terms.workBy + ORDERED, Limits.WINDOW_MAX));
        terms.settleWindow = uint32(bound(windows[2], 30, Limits.ANSWER_MAX));
        terms.claimWindow = uint32(bound(windows[3], 40, Limits.ANSWER_MAX));
        create(terms);

        uint256 end = block.timestamp + terms.settleBy;
        if (cancels) {
            skip(bound(cancelAfter, 0, terms.settleBy));
            vm.prank(customer.addr);
            market.cancel(terms);
            end = block.timestamp;
        }
        vm.warp(block.timestamp + later);

        Phase expected = Phase.Closable;
        if (block.timestamp <= end + terms.settleWindow + terms.claimWindow) expected = Phase.Claiming;
        if (block.timestamp <= end + terms.settleWindow) expected = Phase.Settling;
        if (block.timestamp <= end && !cancels) expected = Phase.Working;
        assertTrue(market.phase(terms) == expected);

        vm.warp(end + terms.settleWindow + terms.claimWindow + 1);
        market.close(terms);
        assertEq(balance(customer.addr), market.required(terms));
        assertEq(locked(provider.addr), 0);
    }
}
