// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Prices} from "../../src/libraries/Prices.sol";
import {Compute, Outcome, Part, PartKind, PriceType, Receipt, Terms} from "../../src/types/Types.sol";
import {Bare} from "../utils/Bare.sol";

/// Writes prices.json, or asserts that it is current: what the market takes and pays in cases of every outcome, for
/// the client's own pricing to agree with.
contract PricesVectorsTest is Bare {
    string private constant PATH = "test/vectors/prices.json";
    uint256 private constant CASES = 60;
    uint256 private constant PARTS = 4;
    address private constant CUSTOMER = address(1);

    function test_PricesFileIsCurrent() external {
        string memory current = "[";
        for (uint256 seed = 0; seed < CASES; ++seed) {
            current = string.concat(current, seed == 0 ? "\n" : ",\n", caseJson(seed));
        }
        current = string.concat(current, "\n]\n");
        if (vm.envOr("UPDATE_VECTORS", false)) vm.writeFile(PATH, current);
        assertEq(vm.readFile(PATH), current, "run with UPDATE_VECTORS=true");
    }

    // What Market.sol asks of Prices; external, because Prices reads calldata.

    function required(Terms calldata terms) external pure returns (uint256) {
        return Prices.required(terms);
    }

    function exposure(Terms calldata terms) external pure returns (uint256) {
        return Prices.exposure(terms);
    }

    function billable(Terms calldata terms, Receipt calldata receipt, uint256 time) external pure returns (uint256) {
        return Prices.billableSeconds(terms, receipt, time);
    }

    function computeEarns(Terms calldata terms, Outcome outcome, uint256 time) external pure returns (uint256) {
        return Prices.computeEarns(terms.choices[0], outcome, time);
    }

    function partEarns(Terms calldata terms, uint256 index, uint256 time) external pure returns (uint256) {
        return Prices.partEarns(terms.parts[index], time);
    }

    // CASES

    function random(uint256 seed, string memory what, uint256 below) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what))) % below;
    }

    /// A price of any size: of few units up to many whole tokens.
    function price(uint256 seed, string memory what) private pure returns (uint128) {
        uint256 digits = random(seed, string.concat(what, " digits"), 24);
        return uint128(random(seed, what, 10 ** digits + 1));
    }

    function someTerms(uint256 seed) private pure returns (Terms memory terms) {
        terms.customer = CUSTOMER;
        terms.orderedSeconds = uint32(1 + random(seed, "ordered", 100_000));
        terms.choices = new Compute[](1);
        terms.choices[0].pricePerHour = price(seed, "hour");
        terms.choices[0].baseFee = price(seed, "base");
        terms.parts = new Part[](PARTS);
        for (uint256 i = 0; i < PARTS; ++i) {
            Part memory part = terms.parts[i];
            string memory name = vm.toString(i);
            part.kind = PartKind(i);
            part.priceType = PriceType(random(seed, string.concat("type", name), 2));
            part.price = price(seed, string.concat("price", name));
            part.owner = random(seed, string.concat("owner", name), 3) == 0 ? CUSTOMER : address(uint160(2 + i));
        }
    }

    function caseJson(uint256 seed) private view returns (string memory) {
        Terms memory terms = someTerms(seed);
        Receipt memory receipt;
        receipt.outcome = Outcome(seed % 5);
        receipt.durationMs = uint64(random(seed, "duration", 200_000_000));
        uint256 chainSeconds = random(seed, "chain", 200_000);
        uint256 time = this.billable(terms, receipt, chainSeconds);
        return string.concat(
            '{"orderedSeconds": ',
            vm.toString(uint256(terms.orderedSeconds)),
            ', "pricePerHour": ',
            quoted(terms.choices[0].pricePerHour),
            ', "baseFee": ',
            quoted(terms.choices[0].baseFee),
            ', "outcome": ',
            vm.toString(uint256(receipt.outcome)),
            ', "durationMs": ',
            vm.toString(uint256(receipt.durationMs)),
            ', "chainSeconds": ',
            vm.toString(chainSeconds),
            answersJson(terms, receipt.outcome, time)
        );
    }

    function answersJson(Terms memory terms, Outcome outcome, uint256 time) private view returns (string memory) {
        return string.concat(
            ', "required": ',
            quoted(this.required(terms)),
            ', "exposure": ',
            quoted(this.exposure(terms)),
            ', "compute": ',
            quoted(this.computeEarns(terms, outcome, time)),
            ', "parts": [',
            partsJson(terms, time),
            "]}"
        );
    }

    function partsJson(Terms memory terms, uint256 time) private view returns (string memory parts) {
        for (uint256 i = 0; i < PARTS; ++i) {
            Part memory part = terms.parts[i];
            parts = string.concat(
                parts,
                i == 0 ? "" : ", ",
                '{"fixed": ',
                part.priceType == PriceType.Fixed ? "true" : "false",
                ', "own": ',
                part.owner == CUSTOMER ? "true" : "false",
                ', "price": ',
                quoted(part.price),
                ', "earns": ',
                quoted(this.partEarns(terms, i, time)),
                "}"
            );
        }
    }

    function quoted(uint256 amount) private pure returns (string memory) {
        return string.concat('"', vm.toString(amount), '"');
    }
}
