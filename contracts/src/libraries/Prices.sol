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
        amount = compute.baseFee + hourlyUp(compute.pricePerHour, terms.orderedSeconds);
        for (uint256 i = 0; i < terms.parts.length; ++i) {
            Part calldata part = terms.parts[i];
            amount += part.priceType == PriceType.Fixed ? part.price : hourlyUp(part.price, terms.orderedSeconds);
        }
    }

    /// What the provider's deposit answers for: the fixed prices of the parts that others than the customer own.
    function exposure(Terms calldata terms) internal pure returns (uint256 amount) {
        for (uint256 i = 0; i < terms.parts.length; ++i) {
            Part calldata part = terms.parts[i];
            if (isExposed(part, terms.customer)) amount += part.price;
        }
    }

    /// Whether the provider's deposit answers for the part.
    function isExposed(Part calldata part, address customer) internal pure returns (bool) {
        return part.priceType == PriceType.Fixed && part.owner != customer;
    }

    /// Whether the owner can be paid by a key request instead of a receipt: nobody asks for a key of storage.
    function isClaimable(Part calldata part, address customer) internal pure returns (bool) {
        return isExposed(part, customer) && part.price != 0 && part.kind != PartKind.Storage;
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

    /// Whether a part has earned its price: it opened, the workload started, and there is someone who owes it.
    function hasEarned(Part calldata part, uint256 index, Receipt calldata receipt, address customer)
        internal
        pure
        returns (bool)
    {
        if (!receipt.started || (receipt.opened >> index) & 1 == 0) return false;
        return receipt.outcome != Outcome.Provider || isExposed(part, customer);
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
