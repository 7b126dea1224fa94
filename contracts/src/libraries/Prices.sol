// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Compute, Outcome, Part, PartKind, PriceType, Receipt, Terms} from "../types/Types.sol";
import {Limits} from "./Limits.sol";

/// Who owes and earns how much. What the customer puts in is rounded up, what others earn is rounded down; so an
/// order never pays out more than it holds.
library Prices {
    /// Price of the whole ordered time with all parts.
    function required(Terms calldata terms) internal pure returns (uint256 amount) {
        Compute calldata compute = terms.choices[0];
        Part[] calldata parts = terms.parts;
        uint256 time = terms.orderedSeconds;
        amount = compute.baseFee + hourlyUp(compute.pricePerHour, time);
        for (uint256 i = 0; i < parts.length; ++i) {
            Part calldata part = parts[i];
            amount += part.priceType == PriceType.Fixed ? part.price : hourlyUp(part.price, time);
        }
    }

    /// What the provider's deposit answers for in all.
    function exposure(Terms calldata terms) internal pure returns (uint256 amount) {
        address customer = terms.customer;
        Part[] calldata parts = terms.parts;
        for (uint256 i = 0; i < parts.length; ++i) {
            amount += exposed(parts[i], customer);
        }
    }

    /// What the provider's deposit answers for: the fixed price of a part that someone else than the customer owns.
    function exposed(Part calldata part, address customer) internal pure returns (uint256) {
        return part.priceType == PriceType.Fixed && part.owner != customer ? part.price : 0;
    }

    /// What the owner of a part can be paid by a key request instead of a receipt: nobody asks for a key of storage.
    function claimable(Part calldata part, address customer) internal pure returns (uint256) {
        return part.kind == PartKind.Storage ? 0 : exposed(part, customer);
    }

    /// Least of the session's own duration, the block time since its attestation, and the ordered time.
    function billableSeconds(Terms calldata terms, Receipt calldata receipt, uint256 chainSeconds)
        internal
        pure
        returns (uint256)
    {
        uint256 measured = Math.min(receipt.durationMs / Limits.MILLISECONDS, chainSeconds);
        return Math.min(measured, terms.orderedSeconds);
    }

    /// What the compute provider earns.
    function computeEarns(Compute calldata compute, Outcome outcome, uint256 billable) internal pure returns (uint256) {
        if (outcome == Outcome.Provider) return 0;
        if (outcome == Outcome.Input) return compute.baseFee;
        return compute.baseFee + hourlyDown(compute.pricePerHour, billable);
    }

    /// What a part earns that has earned its price.
    function partEarns(Part calldata part, uint256 billable) internal pure returns (uint256) {
        return part.priceType == PriceType.Fixed ? part.price : hourlyDown(part.price, billable);
    }

    function hourlyUp(uint256 pricePerHour, uint256 time) internal pure returns (uint256) {
        return Math.ceilDiv(pricePerHour * time, Limits.HOUR);
    }

    function hourlyDown(uint256 pricePerHour, uint256 time) internal pure returns (uint256) {
        return pricePerHour * time / Limits.HOUR;
    }
}
