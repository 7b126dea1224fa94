// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OrderId} from "../../../src/types/Types.sol";

/// What the handler has done, to compare the contracts with.
contract OrderStore {
    struct Entry {
        OrderId id;
        bytes terms; // ABI-encoded
        bytes attestation; // ABI-encoded; empty = not attested
        uint256 deposit;
        uint256 exposure; // locked at create
        uint256 lock; // what is left of it
        uint256 paid; // from escrow
        uint256 refunded;
        uint256 fromLock;
        bool settled; // nothing is in escrow any more
        bool ended;
        bool keepsCount; // the limited offer was paid
        bytes32 final_; // hash of the order as it was when it ended
    }

    Entry[] private _entries;

    function add(OrderId id, bytes calldata terms, uint256 deposit, uint256 exposure) external {
        Entry storage entry = _entries.push();
        entry.id = id;
        entry.terms = terms;
        entry.deposit = deposit;
        entry.exposure = exposure;
        entry.lock = exposure;
    }

    function attest(uint256 index, bytes calldata attestation) external {
        _entries[index].attestation = attestation;
    }

    function pay(uint256 index, uint256 paid, uint256 refunded, uint256 fromLock) external {
        _entries[index].paid += paid;
        _entries[index].refunded += refunded;
        _entries[index].fromLock += fromLock;
    }

    function settle(uint256 index, uint256 lock) external {
        _entries[index].settled = true;
        _entries[index].lock = lock;
    }

    function unlock(uint256 index, uint256 amount) external {
        _entries[index].lock -= amount;
    }

    function keepCount(uint256 index) external {
        _entries[index].keepsCount = true;
    }

    function end(uint256 index, bytes32 final_) external {
        _entries[index].ended = true;
        _entries[index].lock = 0;
        _entries[index].final_ = final_;
    }

    function entryAt(uint256 index) external view returns (Entry memory) {
        return _entries[index];
    }

    function count() external view returns (uint256) {
        return _entries.length;
    }
}
