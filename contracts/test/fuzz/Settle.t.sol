// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, OrderId, Outcome, PriceType, Receipt, Terms} from "../../src/types/Types.sol";
import {Phase} from "../../src/types/Records.sol";
import {Base} from "../utils/Base.t.sol";

contract SettleFuzzTest is Base {
    struct Case {
        uint128 baseFee;
        uint128 pricePerHour;
        uint128[4] prices; // of the parts
        bool[4] perHour;
        uint32 ordered;
        uint64 durationMs;
        uint32 elapsed; // from attestation to settle
        uint8 outcome;
        bool started;
        uint8 opened;
    }

    /// Every outcome pays by its rule, and what comes in goes out to the unit.
    function testFuzz_Settle(Case memory c) external {
        limit(c);
        Terms memory terms = termsOf(c);
        offerAll(terms);
        OrderId id = create(terms);
        Attestation memory attestation = attest(id);
        skip(c.elapsed);
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome(c.outcome);
        receipt.started = c.started;
        receipt.opened = c.opened;
        receipt.durationMs = c.durationMs;
        if (receipt.outcome == Outcome.Cancelled) {
            vm.prank(customer.addr);
            market.cancel(terms);
        }
        settle(terms, attestation, receipt);

        checkPayment(c, terms);
        checkLock(c, terms);
        assertEq(
            token.balanceOf(address(market)),
            balance(customer.addr) + balance(provider.addr) + balance(solutionOwner) + balance(dataOwner)
                + balance(storageOwner)
        );
    }

    /// No bit of a settlement's calldata changes what is paid: it reverts, or the bit had no meaning.
    function testFuzz_FlippedBit(uint256 bit) external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        skip(200);
        Receipt memory receipt = receiptOf(id);
        bytes memory data =
            abi.encodeCall(market.settle, (defaultTerms(), attestation, signed(attestation), receipt, signed(receipt)));
        bit = bound(bit, 32, data.length * 8 - 1); // behind the selector
        data[bit / 8] = bytes1(uint8(data[bit / 8]) ^ uint8(1 << (bit % 8)));

        (bool done,) = address(market).call(data);
        assertEq(balance(provider.addr), done ? 1.5 ether : 0);
        assertEq(balance(solutionOwner), done ? SOLUTION_PRICE : 0);
        assertEq(balance(dataOwner), done ? DATA_PRICE : 0);
        assertEq(balance(storageOwner), done ? 0.1 ether : 0);
        assertEq(balance(customer.addr), done ? 9.9 ether : 0);
    }

    function testFuzz_RevertWhen_SignatureIsNoise(bytes32 r, bytes32 s, uint8 v) external {
        OrderId id = createDefault();
        Attestation memory attestation = attest(id);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        vm.expectRevert();
        market.settle(defaultTerms(), attestation, attestationSignature, receipt, abi.encodePacked(r, s, v));
    }

    /// What owners of solution and data haven't earned stays locked for their claims, then nothing.
    function checkLock(Case memory c, Terms memory terms) private {
        uint256 kept;
        for (uint256 i = SOLUTION; i <= DATA; ++i) {
            if (!c.perHour[i] && !(c.started && (c.opened >> i) & 1 == 1)) kept += c.prices[i];
        }
        assertEq(locked(provider.addr), kept, "kept");
        if (kept != 0) {
            skip(SETTLE_WINDOW + CLAIM_WINDOW + 1);
            market.close(terms);
        }
        assertEq(locked(provider.addr), 0);
        assertTrue(market.phase(terms) == Phase.Settled);
    }

    function limit(Case memory c) private pure {
        c.baseFee %= 1 ether;
        c.pricePerHour %= 100 ether;
        c.perHour[ARGUMENTS] = false;
        c.prices[ARGUMENTS] = 0;
        for (uint256 i = SOLUTION; i < 4; ++i) {
            c.prices[i] %= 30 ether;
        }
        c.ordered = uint32(bound(c.ordered, 1, 100_000));
        c.elapsed = uint32(bound(c.elapsed, 0, WORK_BY + c.ordered));
        c.durationMs %= 200_000_000;
        c.outcome %= 5;
        c.opened %= 16;
        if (c.outcome <= uint8(Outcome.Cancelled)) c.started = true;
        if (c.outcome == uint8(Outcome.Input)) c.started = false;
        if (c.outcome == uint8(Outcome.Success)) c.opened |= 8;
    }

    function termsOf(Case memory c) private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.orderedSeconds = c.ordered;
        terms.settleBy = WORK_BY + c.ordered;
        terms.choices[0].baseFee = c.baseFee;
        terms.choices[0].pricePerHour = c.pricePerHour;
        terms.choices[0].info = "fuzzed";
        for (uint256 i = SOLUTION; i < 4; ++i) {
            terms.parts[i].price = c.prices[i];
            terms.parts[i].priceType = c.perHour[i] ? PriceType.PerHour : PriceType.Fixed;
            terms.parts[i].info = "fuzzed";
        }
    }

    /// The rules of the design, said once more.
    function checkPayment(Case memory c, Terms memory terms) private view {
        uint256 time = c.durationMs / 1000;
        if (c.elapsed < time) time = c.elapsed;
        if (c.ordered < time) time = c.ordered;
        bool asSuccess = c.outcome <= uint8(Outcome.Cancelled);
        bool fromLock = c.outcome == uint8(Outcome.Provider);

        uint256 compute = asSuccess ? c.baseFee + c.pricePerHour * time / 3600 : fromLock ? 0 : c.baseFee;
        uint256 fromEscrow = compute;
        uint256 slashed;
        for (uint256 i = SOLUTION; i < 4; ++i) {
            uint256 price = c.perHour[i] ? c.prices[i] * time / 3600 : c.prices[i];
            bool earned = c.started && (c.opened >> i) & 1 == 1 && (asSuccess || (fromLock && !c.perHour[i]));
            if (!earned) price = 0;
            assertEq(balance(terms.parts[i].owner), price, "part");
            if (fromLock) slashed += price;
            else fromEscrow += price;
        }
        assertEq(balance(provider.addr), compute, "compute");
        assertEq(balance(customer.addr), market.required(terms) - fromEscrow, "customer");
        assertEq(deposited(provider.addr), DEPOSIT - slashed, "deposit");
    }
}
