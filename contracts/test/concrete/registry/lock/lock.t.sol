// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Base} from "../../../utils/Base.t.sol";

contract LockTest is Base {
    function test_RevertWhen_NoDepositForCaller() external {
        vm.expectRevert(short(0, 1));
        vm.prank(stranger.addr);
        registry.lock(provider.addr, address(token), 1);
    }

    function test_RevertWhen_NotFree() external {
        vm.startPrank(address(market));
        registry.lock(provider.addr, address(token), DEPOSIT - 5);
        vm.expectRevert(short(5, 6));
        registry.lock(provider.addr, address(token), 6);
    }

    function test_Lock() external {
        vm.prank(address(market));
        registry.lock(provider.addr, address(token), DEPOSIT);
        assertEq(locked(provider.addr), DEPOSIT);
        assertEq(deposited(provider.addr), DEPOSIT);
    }

    function short(uint256 free, uint256 needed) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                Errors.Registry_FreeDepositShort.selector, provider.addr, address(token), free, needed
            );
    }
}
