// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Limits} from "../../../../src/libraries/Limits.sol";
import {Order, Status} from "../../../../src/types/Records.sol";
import {Compute, OfferId, OrderId, Part, PartKind, PriceType, Terms} from "../../../../src/types/Types.sol";
import {FalseToken} from "../../../mocks/FalseToken.sol";
import {FeeToken} from "../../../mocks/FeeToken.sol";
import {HookToken} from "../../../mocks/HookToken.sol";
import {OpenToken} from "../../../mocks/OpenToken.sol";
import {Base} from "../../../utils/Base.t.sol";

contract CreateTest is Base {
    // Terms by themselves

    function test_RevertWhen_CallerIsNotCustomer() external {
        Terms memory terms = defaultTerms();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotCustomer.selector, stranger.addr, customer.addr));
        vm.prank(stranger.addr);
        market.create(terms, "");
    }

    function test_RevertWhen_BeyondVersion1() external {
        Terms memory terms = defaultTerms();
        terms.mode = 1;
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedMode.selector, 1));
        terms = defaultTerms();
        terms.replicas = 2;
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedReplicas.selector, 2, 1));
        terms = defaultTerms();
        terms.quorum = 0;
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedReplicas.selector, 1, 0));
        terms = defaultTerms();
        terms.egress = new string[](1);
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedEgress.selector, 1));
        terms = defaultTerms();
        terms.options = new bytes32[](3);
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedOptions.selector, 3));
        terms = defaultTerms();
        terms.extensions = "x";
        refuse(terms, abi.encodeWithSelector(Errors.Market_UnsupportedExtensions.selector, bytes32("x")));
    }

    function test_RevertWhen_NoResultKey() external {
        Terms memory terms = defaultTerms();
        terms.resultKey = 0;
        refuse(terms, abi.encodeWithSelector(Errors.Market_NoResultKey.selector));
    }

    function test_RevertWhen_HintsTooLong() external {
        Terms memory terms = defaultTerms();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_HintsTooLong.selector, 4097));
        vm.prank(customer.addr);
        market.create(terms, new bytes(4097));
    }

    function test_RevertWhen_ChoiceCountIsWrong() external {
        Terms memory terms = defaultTerms();
        terms.choices = new Compute[](0);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadChoiceCount.selector, 0));
        terms.choices = new Compute[](9);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadChoiceCount.selector, 9));
    }

    function test_RevertWhen_AttestorCountIsWrong() external {
        Terms memory terms = defaultTerms();
        terms.choices = new Compute[](2);
        terms.choices[0] = defaultCompute();
        terms.choices[1] = defaultCompute();
        terms.choices[1].attestors = new address[](17);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadAttestorCount.selector, 17));
        terms.choices[1].attestors = new address[](0);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadAttestorCount.selector, 0));
    }

    function test_RevertWhen_PartCountIsWrong() external {
        Terms memory terms = defaultTerms();
        terms.parts = new Part[](2);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadPartCount.selector, 2));
        terms.parts = new Part[](25);
        refuse(terms, abi.encodeWithSelector(Errors.Market_BadPartCount.selector, 25));
    }

    function test_RevertWhen_KindIsOutOfPlace() external {
        PartKind[4] memory wrong = [PartKind.Data, PartKind.Data, PartKind.Solution, PartKind.Arguments];
        for (uint256 i = 0; i < 4; ++i) {
            Terms memory terms = defaultTerms();
            terms.parts[i].kind = wrong[i];
            refuse(terms, abi.encodeWithSelector(Errors.Market_BadPartKind.selector, i, wrong[i]));
        }
    }

    function test_RevertWhen_BrokerCountIsWrong() external {
        for (uint256 i = 0; i < 4; ++i) {
            Terms memory terms = defaultTerms();
            uint256 count = i == STORAGE ? 1 : 2;
            terms.parts[i].brokers = new address[](count);
            refuse(terms, abi.encodeWithSelector(Errors.Market_BadBrokerCount.selector, i, count));
        }
    }

    function test_RevertWhen_DigestIsWrong() external {
        for (uint256 i = 0; i < 4; ++i) {
            Terms memory terms = defaultTerms();
            terms.parts[i].digest = i == STORAGE ? bytes32("content") : bytes32(0);
            refuse(terms, abi.encodeWithSelector(Errors.Market_BadDigest.selector, i, terms.parts[i].digest));
        }
    }

    function test_RevertWhen_TokenDiffers() external {
        for (uint256 i = 0; i < 4; ++i) {
            Terms memory terms = defaultTerms();
            terms.parts[i].token = address(1);
            refuse(terms, abi.encodeWithSelector(Errors.Market_TokenDiffers.selector, address(1), token));
        }
        Terms memory other = defaultTerms();
        other.choices[0].token = address(1);
        refuse(other, abi.encodeWithSelector(Errors.Market_TokenDiffers.selector, address(1), token));
    }

    function test_RevertWhen_AttestorNotAccepted() external {
        Terms memory terms = defaultTerms();
        terms.attestor = stranger.addr;
        refuse(terms, abi.encodeWithSelector(Errors.Market_AttestorNotAccepted.selector, stranger.addr));
    }

    function test_RevertWhen_SecondsOutOfRange() external {
        Terms memory terms = defaultTerms();
        terms.orderedSeconds = 0;
        refuse(terms, abi.encodeWithSelector(Errors.Market_SecondsOutOfRange.selector, 0, 1, 100_000));
        terms.orderedSeconds = 100_001;
        refuse(terms, abi.encodeWithSelector(Errors.Market_SecondsOutOfRange.selector, 100_001, 1, 100_000));
    }

    function test_RevertWhen_WindowTooShort() external {
        Terms memory terms = defaultTerms();
        terms.workBy = 59;
        refuse(terms, abi.encodeWithSelector(Errors.Market_WindowTooShort.selector, 59, 60));
        terms = defaultTerms();
        terms.settleBy = 119;
        refuse(terms, abi.encodeWithSelector(Errors.Market_WindowTooShort.selector, 119, 120));
        terms.settleBy = WORK_BY + ORDERED - 1;
        refuse(
            terms,
            abi.encodeWithSelector(Errors.Market_WindowTooShort.selector, WORK_BY + ORDERED - 1, WORK_BY + ORDERED)
        );
        terms = defaultTerms();
        terms.settleWindow = 29;
        refuse(terms, abi.encodeWithSelector(Errors.Market_WindowTooShort.selector, 29, 30));
        terms = defaultTerms();
        terms.claimWindow = 39;
        refuse(terms, abi.encodeWithSelector(Errors.Market_WindowTooShort.selector, 39, 40));
    }

    function test_RevertWhen_WindowTooLong() external {
        uint256 tooLong = Limits.WINDOW_MAX + 1;
        bytes memory reason = abi.encodeWithSelector(Errors.Market_WindowTooLong.selector, tooLong, Limits.WINDOW_MAX);
        Terms memory terms = defaultTerms();
        terms.settleBy = uint32(tooLong);
        refuse(terms, reason);
        terms.workBy = uint32(tooLong);
        refuse(terms, reason);
        tooLong = Limits.ANSWER_MAX + 1;
        reason = abi.encodeWithSelector(Errors.Market_WindowTooLong.selector, tooLong, Limits.ANSWER_MAX);
        terms = defaultTerms();
        terms.settleWindow = uint32(tooLong);
        refuse(terms, reason);
        terms = defaultTerms();
        terms.claimWindow = uint32(tooLong);
        refuse(terms, reason);
    }

    function test_RevertWhen_ResourceIsNone() external {
        bytes memory reason = abi.encodeWithSelector(Errors.Market_NoResource.selector);
        Terms memory terms = defaultTerms();
        terms.cpuMilli = 0;
        refuse(terms, reason);
        terms = defaultTerms();
        terms.memoryMiB = 0;
        refuse(terms, reason);
        terms = defaultTerms();
        terms.diskMiB = 0;
        refuse(terms, reason);
        terms = defaultTerms();
        terms.pids = 0;
        refuse(terms, reason);
    }

    function test_RevertWhen_ResourceAboveOffer() external {
        Terms memory terms = defaultTerms();
        terms.cpuMilli = 2001;
        refuse(terms, abi.encodeWithSelector(Errors.Market_ResourceAboveOffer.selector, 2001, 2000));
        terms = defaultTerms();
        terms.memoryMiB = 1025;
        refuse(terms, abi.encodeWithSelector(Errors.Market_ResourceAboveOffer.selector, 1025, 1024));
        terms = defaultTerms();
        terms.diskMiB = 513;
        refuse(terms, abi.encodeWithSelector(Errors.Market_ResourceAboveOffer.selector, 513, 512));
        terms = defaultTerms();
        terms.pids = 129;
        refuse(terms, abi.encodeWithSelector(Errors.Market_ResourceAboveOffer.selector, 129, 128));
    }

    // Offers

    function test_RevertWhen_PartIsNoOffer() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].price = 1; // cheaper than offered
        refuse(terms, notOrderable(market.partId(terms.parts[DATA])));

        terms = defaultTerms();
        terms.parts[SOLUTION] = ownUpload(PartKind.Solution);
        terms.parts[SOLUTION].price = 1;
        refuse(terms, notOrderable(market.partId(terms.parts[SOLUTION])));
        terms.parts[SOLUTION].price = 0;
        terms.parts[SOLUTION].maxOrders = 1;
        refuse(terms, notOrderable(market.partId(terms.parts[SOLUTION])));

        terms = defaultTerms();
        terms.parts[ARGUMENTS].owner = dataOwner;
        refuse(terms, notOrderable(market.partId(terms.parts[ARGUMENTS])));
    }

    function test_RevertWhen_OfferIsDisabled() external {
        Terms memory terms = defaultTerms();
        OfferId id = market.partId(terms.parts[DATA]);
        vm.prank(dataOwner);
        market.setEnabled(id, false);
        refuse(terms, notOrderable(id));
    }

    function test_RevertWhen_FirstChoiceIsNoOffer() external {
        Terms memory terms = defaultTerms();
        terms.choices[0].pricePerHour = 1;
        refuse(terms, notOrderable(market.computeId(terms.choices[0])));
    }

    function test_RevertWhen_ProviderIsInactive() external {
        Terms memory terms = defaultTerms();
        vm.prank(storageOwner);
        registry.withdraw(address(market), address(token), DEPOSIT - MINIMUM_DEPOSIT + 1);
        refuse(terms, abi.encodeWithSelector(Errors.Market_ProviderInactive.selector, storageOwner));
        vm.prank(provider.addr);
        registry.withdraw(address(market), address(token), DEPOSIT - MINIMUM_DEPOSIT + 1);
        refuse(terms, abi.encodeWithSelector(Errors.Market_ProviderInactive.selector, provider.addr));
    }

    function test_RevertWhen_OfferIsExhausted() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 2;
        OfferId id = offerPart(terms.parts[DATA]);
        for (uint256 i = 0; i < 2; ++i) {
            terms.salt = bytes32(i);
            create(terms);
        }
        assertEq(market.offer(id).orders, 2);

        terms.salt = "third";
        refuse(terms, abi.encodeWithSelector(Errors.Market_OfferExhausted.selector, id, 2));

        // an order that ends without paying the part makes room
        terms.salt = bytes32(0);
        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW + 1);
        market.close(terms);
        assertEq(market.offer(id).orders, 1);

        // one that pays it doesn't
        terms.salt = "third";
        OrderId order = create(terms);
        settle(terms, attest(order), receiptOf(order));
        assertEq(market.offer(id).orders, 2);
        terms.salt = "fourth";
        refuse(terms, abi.encodeWithSelector(Errors.Market_OfferExhausted.selector, id, 2));
    }

    /// A stranger who orders from a device of its own holds the count of another's offer for no longer than this.
    function test_WhenAnExhaustedOfferWasOrderedForLongest() external {
        Terms memory terms = defaultTerms();
        terms.parts[DATA].maxOrders = 1;
        offerPart(terms.parts[DATA]);
        terms.settleBy = uint32(Limits.WINDOW_MAX);
        terms.settleWindow = terms.claimWindow = uint32(Limits.ANSWER_MAX);
        create(terms);
        skip(Limits.WINDOW_MAX + 2 * Limits.ANSWER_MAX + 1);
        market.close(terms);
        terms.salt = "second";
        create(terms);
    }

    // Money

    function test_RevertWhen_ExposureAboveMaximum() external {
        Terms memory terms = defaultTerms();
        terms.choices[0].maxExposure = EXPOSURE - 1;
        offerCompute(terms.choices[0]);
        refuse(terms, abi.encodeWithSelector(Errors.Market_ExposureTooHigh.selector, EXPOSURE, EXPOSURE - 1));
    }

    function test_RevertWhen_FreeDepositShort() external {
        vm.prank(address(market));
        registry.lock(provider.addr, address(token), DEPOSIT - EXPOSURE + 1);
        refuse(
            defaultTerms(),
            abi.encodeWithSelector(
                Errors.Registry_FreeDepositShort.selector, provider.addr, token, EXPOSURE - 1, EXPOSURE
            )
        );
    }

    function test_RevertWhen_PriceDoesNotFit() external {
        Terms memory terms = defaultTerms();
        terms.choices[0].baseFee = type(uint128).max;
        offerCompute(terms.choices[0]);
        uint256 price = market.required(terms);
        refuse(terms, abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, price));
    }

    function test_RevertWhen_OrderExists() external {
        Terms memory terms = defaultTerms();
        OrderId id = create(terms);
        refuse(terms, abi.encodeWithSelector(Errors.Market_OrderExists.selector, id));
        settle(terms, attest(id), receiptOf(id));
        refuse(terms, abi.encodeWithSelector(Errors.Market_OrderExists.selector, id));
    }

    function test_RevertWhen_AllowanceShort() external {
        Terms memory terms = defaultTerms();
        uint256 price = market.required(terms);
        vm.prank(customer.addr);
        token.approve(address(market), price - 1);
        refuse(
            terms, abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, market, price - 1, price)
        );
    }

    function test_RevertWhen_TokenTakesFee() external {
        OpenToken fee = new FeeToken();
        Terms memory terms = termsIn(fee);
        uint256 price = market.required(terms);
        refuse(terms, abi.encodeWithSelector(Errors.Tokens_InexactTransfer.selector, fee, price, price - price / 100));
    }

    function test_RevertWhen_TokenReturnsFalse() external {
        OpenToken liar = new FalseToken();
        refuse(termsIn(liar), abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, liar));
    }

    function test_WhenTokenReenters() external {
        HookToken hook = new HookToken();
        Terms memory terms = termsIn(hook);
        hook.setHook(address(market), abi.encodeCall(IMarket.withdraw, (address(hook), customer.addr)));
        create(terms);
        assertEq(hook.revertData(), abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }

    function test_Create() external {
        Terms memory terms = defaultTerms();
        // 0.5 + 1000 s at 0.01 + 5 + 7 + 1000 s at 0.001
        uint256 price = 23.5 ether;
        assertEq(market.required(terms), price);

        OrderId expected = OrderId.wrap(digest(structHash(terms)));
        uint256 before = token.balanceOf(customer.addr);
        vm.expectEmit(address(market));
        emit IMarket.OrderCreated(expected, customer.addr, provider.addr, terms, "hints");
        vm.prank(customer.addr);
        OrderId id = market.create(terms, "hints");

        assertEq(OrderId.unwrap(id), OrderId.unwrap(expected));
        assertEq(OrderId.unwrap(market.orderId(terms)), OrderId.unwrap(expected));
        assertEq(before - token.balanceOf(customer.addr), price);
        assertEq(token.balanceOf(address(market)), price);
        assertEq(locked(provider.addr), EXPOSURE);
        Order memory stored = market.order(id);
        assertEq(stored.deposit, price);
        assertTrue(stored.status == Status.Open);
        assertEq(stored.createdAt, block.timestamp);
        assertEq(stored.cancelledAt, 0);
        assertEq(stored.attempt, 0);
        assertEq(stored.ended, 0);
    }

    function test_Create_RoundsUp() external view {
        Terms memory terms = defaultTerms();
        terms.orderedSeconds = 1;
        terms.choices[0].baseFee = 0;
        terms.choices[0].pricePerHour = 3601; // 1.0003 per second
        terms.parts[DATA].priceType = PriceType.PerHour;
        terms.parts[DATA].price = 1;
        terms.parts[STORAGE].price = 3600;
        assertEq(market.required(terms), 2 + SOLUTION_PRICE + 1 + 1);
    }

    function test_Create_WithAsManyPartsAndChoicesAsThereMayBe() external {
        Terms memory terms = defaultTerms();
        terms.choices = new Compute[](8);
        for (uint256 i = 0; i < 8; ++i) {
            terms.choices[i] = defaultCompute();
            terms.choices[i].chip = keccak256(abi.encode(i));
        }
        offerCompute(terms.choices[0]);
        Part[] memory four = terms.parts;
        terms.parts = new Part[](24);
        terms.parts[0] = four[ARGUMENTS];
        terms.parts[1] = four[SOLUTION];
        for (uint256 i = 2; i < 23; ++i) {
            terms.parts[i] = four[DATA];
        }
        terms.parts[23] = four[STORAGE];
        terms.choices[0].maxExposure = 1000 ether;
        offerCompute(terms.choices[0]);
        create(terms);
        assertEq(locked(provider.addr), SOLUTION_PRICE + 21 * DATA_PRICE);
    }

    function test_Create_WhenCustomerOwnsAllParts() external {
        Terms memory terms = defaultTerms();
        terms.parts[SOLUTION] = ownUpload(PartKind.Solution);
        terms.parts[DATA] = ownUpload(PartKind.Data);
        terms.parts[STORAGE] = ownUpload(PartKind.Storage);
        create(terms);
        assertEq(locked(provider.addr), 0);
        assertEq(token.balanceOf(address(market)), 10.5 ether);
    }

    /// Default terms with all prices in another token, which customer and provider have plenty of.
    function termsIn(OpenToken other) private returns (Terms memory terms) {
        terms = defaultTerms();
        terms.token = address(other);
        terms.choices[0].token = address(other);
        terms.parts[ARGUMENTS].token = address(other);
        terms.parts[SOLUTION] = ownUpload(PartKind.Solution);
        terms.parts[SOLUTION].token = address(other);
        terms.parts[DATA] = ownUpload(PartKind.Data);
        terms.parts[DATA].token = address(other);
        terms.parts[STORAGE] = ownUpload(PartKind.Storage);
        terms.parts[STORAGE].token = address(other);
        offerCompute(terms.choices[0]);
        other.mint(customer.addr, 1000 ether);
        vm.prank(customer.addr);
        other.approve(address(market), type(uint256).max);
    }

    function notOrderable(OfferId id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NotOrderable.selector, id);
    }

    function refuse(Terms memory terms, bytes memory reason) private {
        uint256 before = token.balanceOf(customer.addr);
        vm.expectRevert(reason);
        vm.prank(customer.addr);
        market.create(terms, "");
        assertEq(token.balanceOf(customer.addr), before);
    }
}
