// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Permit, Phase} from "../../../../src/types/Records.sol";
import {PartKind, Terms} from "../../../../src/types/Types.sol";
import {OpenToken} from "../../../mocks/OpenToken.sol";
import {Base} from "../../../utils/Base.t.sol";

contract CreateWithPermitTest is Base {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    Permit private none;

    function setUp() public override {
        super.setUp();
        vm.prank(customer.addr);
        token.approve(address(market), 0);
    }

    function test_WhenPermitIsGood() external {
        Terms memory terms = defaultTerms();
        Permit memory permit = permitOf(market.required(terms));
        vm.prank(customer.addr);
        market.createWithPermit(terms, "", permit);
        assertTrue(market.phase(terms) == Phase.Working);
        assertEq(token.allowance(customer.addr, address(market)), 0);
    }

    function test_WhenPermitIsUsedAlready() external {
        Terms memory terms = defaultTerms();
        Permit memory permit = permitOf(market.required(terms));
        token.permit(customer.addr, address(market), permit.value, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(customer.addr);
        market.createWithPermit(terms, "", permit);
        assertTrue(market.phase(terms) == Phase.Working);
    }

    function test_WhenPermitIsBadAndAllowanceSuffices() external {
        vm.startPrank(customer.addr);
        token.approve(address(market), type(uint256).max);
        market.createWithPermit(defaultTerms(), "", none);
    }

    function test_WhenTokenHasNoPermitAndAllowanceSuffices() external {
        OpenToken plain = new OpenToken();
        Terms memory terms = defaultTerms();
        terms.token = address(plain);
        terms.choices[0].token = address(plain);
        for (uint256 i = 0; i < 4; ++i) {
            terms.parts[i] = ownUpload(PartKind(i + 1));
            terms.parts[i].token = address(plain);
        }
        offerCompute(terms.choices[0]);
        plain.mint(customer.addr, 1000 ether);
        vm.startPrank(customer.addr);
        plain.approve(address(market), type(uint256).max);
        market.createWithPermit(terms, "", none);
    }

    function test_RevertWhen_PermitIsBadAndAllowanceShort() external {
        Terms memory terms = defaultTerms();
        uint256 price = market.required(terms);
        Permit memory permit = permitOf(price);
        permit.s = bytes32(uint256(permit.s) ^ 1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, market, 0, price));
        vm.prank(customer.addr);
        market.createWithPermit(terms, "", permit);
    }

    function test_RevertWhen_CallerIsNotCustomer() external {
        Terms memory terms = defaultTerms();
        Permit memory permit = permitOf(market.required(terms));
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotCustomer.selector, stranger.addr, customer.addr));
        vm.prank(stranger.addr);
        market.createWithPermit(terms, "", permit);
    }

    function permitOf(uint256 value) private view returns (Permit memory permit) {
        permit.value = value;
        permit.deadline = block.timestamp + 60;
        bytes32 hash = keccak256(
            abi.encode(PERMIT_TYPEHASH, customer.addr, market, value, token.nonces(customer.addr), permit.deadline)
        );
        (permit.v, permit.r, permit.s) = vm.sign(customer.key, typedDigest(token.DOMAIN_SEPARATOR(), hash));
    }
}
