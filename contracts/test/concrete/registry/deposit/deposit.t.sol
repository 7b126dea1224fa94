// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IRegistry} from "../../../../src/interfaces/IRegistry.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";

import {FalseToken} from "../../../mocks/FalseToken.sol";
import {FeeToken} from "../../../mocks/FeeToken.sol";
import {HookToken} from "../../../mocks/HookToken.sol";
import {OpenToken} from "../../../mocks/OpenToken.sol";
import {Base} from "../../../utils/Base.t.sol";

contract DepositTest is Base {
    function test_RevertWhen_NotRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotRegistered.selector, customer.addr));
        vm.prank(customer.addr);
        registry.deposit(address(market), address(token), 1);
    }

    function test_RevertWhen_TokenTakesFee() external {
        OpenToken fee = approved(new FeeToken());
        vm.expectRevert(abi.encodeWithSelector(Errors.Tokens_InexactTransfer.selector, fee, 1000, 990));
        vm.prank(provider.addr);
        registry.deposit(address(market), address(fee), 1000);
    }

    function test_RevertWhen_TokenReturnsFalse() external {
        OpenToken liar = approved(new FalseToken());
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, liar));
        vm.prank(provider.addr);
        registry.deposit(address(market), address(liar), 1000);
    }

    function test_WhenTokenReenters() external {
        HookToken hook = new HookToken();
        approved(hook);
        hook.setHook(address(registry), abi.encodeCall(IRegistry.pay, (provider.addr, address(hook), 0)));
        vm.prank(provider.addr);
        registry.deposit(address(market), address(hook), 1000);
        assertEq(hook.revertData(), abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }

    function test_Deposit() external {
        address other = makeAddr("other market");
        token.mint(provider.addr, MINIMUM_DEPOSIT);

        vm.startPrank(provider.addr);
        registry.deposit(other, address(token), MINIMUM_DEPOSIT - 1);
        assertFalse(registry.isActive(provider.addr, other));
        vm.expectEmit(address(registry));
        emit IRegistry.Deposited(provider.addr, other, address(token), 1);
        registry.deposit(other, address(token), 1);
        assertTrue(registry.isActive(provider.addr, other));

        assertEq(registry.depositOf(provider.addr, other, address(token)).total, MINIMUM_DEPOSIT);
        assertEq(registry.depositOf(provider.addr, other, address(token)).locked, 0);
        assertEq(deposited(provider.addr), DEPOSIT);
    }

    function approved(OpenToken other) private returns (OpenToken) {
        other.mint(provider.addr, 1000);
        vm.prank(provider.addr);
        other.approve(address(registry), type(uint256).max);
        return other;
    }
}
