// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRegistry} from "../../../../src/interfaces/IRegistry.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Base} from "../../../utils/Base.t.sol";

contract WithdrawDepositTest is Base {
    function test_RevertWhen_NotRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotRegistered.selector, action.addr));
        vm.prank(action.addr);
        registry.withdraw(address(market), address(token), 1);
    }

    function test_RevertWhen_NotFree() external {
        createDefault();
        uint128 free = DEPOSIT - EXPOSURE;
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Registry_FreeDepositShort.selector, provider.addr, address(token), free, free + 1
            )
        );
        vm.prank(provider.addr);
        registry.withdraw(address(market), address(token), free + 1);
    }

    function test_RevertWhen_ForAnotherMarket() external {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Registry_FreeDepositShort.selector, provider.addr, address(token), 0, 1)
        );
        vm.prank(provider.addr);
        registry.withdraw(makeAddr("other market"), address(token), 1);
    }

    function test_Withdraw() external {
        createDefault();
        uint128 free = DEPOSIT - EXPOSURE;
        vm.expectEmit(address(registry));
        emit IRegistry.Withdrawn(provider.addr, address(market), address(token), receiver, free);
        vm.prank(provider.addr);
        registry.withdraw(address(market), address(token), free);

        assertEq(token.balanceOf(receiver), free);
        assertEq(deposited(provider.addr), EXPOSURE);
        assertEq(locked(provider.addr), EXPOSURE);
        assertFalse(registry.isActive(provider.addr, address(market)));
    }
}
