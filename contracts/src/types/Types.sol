// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// The values that the parties sign and that the market judges by. Every struct here is an EIP-712 type of the
// same name and field order; docs/FORMATS.md section 2 holds the type strings and test vectors.
// Integers are in the smallest unit of the token, times in seconds of Unix time, lengths of time in seconds.

type OrderId is bytes32; // EIP-712 digest of Terms under the market's domain
type OfferId is bytes32; // EIP-712 struct hash of Part or Compute

/// What a part of an order is.
enum PartKind {
    None, // never valid
    Arguments, // digest = argument commitment; exactly one, part 0, owner = customer
    Solution, // digest = package id of an OCI image; exactly one, part 1
    Data, // digest = package id; any number
    Storage // takes the result; exactly one, the last part; digest = 0, no broker
}

enum PriceType {
    Fixed,
    PerHour
}

/// Kind of evidence; the values are those of the evidence and attestation formats.
enum EvidenceKind {
    None,
    Dev,
    SevSnp,
    Tdx,
    Sgx, // verified for brokers, can't back a compute offer
    Tpm
}

/// How a receipt ends an order. Success, Workload and Cancelled are paid alike.
enum Outcome {
    Success,
    Workload, // the workload ended with a non-zero exit code or at a limit
    Cancelled, // stopped after the start at the customer's wish
    Input, // a broker refused a key, or a ciphertext matched its digest and didn't open
    Provider // everything else
}

/// A value offer, or the customer's own upload (never registered: price 0, owner = customer).
struct Part {
    PartKind kind;
    PriceType priceType;
    uint32 maxOrders; // orders that may be live with it or have paid it; 0 = any number
    uint128 price;
    address owner; // authority account
    address token;
    address store; // signing address of the store that holds the package (Storage: will hold the result)
    address[] brokers; // signing addresses of the key brokers; version 1: exactly one (Storage: none)
    bytes32 digest;
    bytes32 info; // SHA-256 of the public description (slots, options, restrictions); 0 = none
}

/// A compute offer: one TEE device.
struct Compute {
    EvidenceKind kind;
    uint32 minSeconds; // least and most time that can be ordered
    uint32 maxSeconds;
    uint32 minWorkBy; // the least values of the order's windows
    uint32 minSettleBy;
    uint32 minSettleWindow;
    uint32 minClaimWindow;
    uint32 cpuMilli; // the most that one order can have: thousandths of a core,
    uint32 memoryMiB; // memory,
    uint32 diskMiB; // writable space (held in memory),
    uint32 pids; // processes and threads
    uint128 pricePerHour;
    uint128 baseFee; // earned by every settled receipt but Outcome.Provider
    uint128 maxExposure; // most that one order may lock of the provider's deposit
    address provider; // authority account
    address token;
    address[] attestors; // signing addresses that it accepts
    bytes32 chip; // chip identity
    bytes32 info; // SHA-256 of the public description; 0 = none
}

/// All that the parties agree on. Its EIP-712 digest is the order id.
struct Terms {
    uint8 mode; // 0 one-shot, 1 service (version 1: 0)
    uint8 replicas; // version 1: 1
    uint8 quorum; // version 1: 1
    uint32 orderedSeconds; // run time at most
    uint32 workBy; // attestations dated later than createdAt + workBy don't count
    uint32 settleBy; // the order expires at createdAt + settleBy; at least workBy + orderedSeconds
    uint32 settleWindow; // after cancel or expiry, in which older attestations still settle
    uint32 claimWindow; // after the settle window, in which part owners claim
    uint32 cpuMilli;
    uint32 memoryMiB;
    uint32 diskMiB;
    uint32 pids;
    address customer;
    address token;
    address attestor;
    bytes32 resultKey; // X25519 public key of the result's recipient
    bytes32 salt;
    bytes32 extensions; // version 1: 0
    string[] egress; // "host:port" that the workload may reach (version 1: empty)
    bytes32[] options; // option offers (version 1: empty)
    Compute[] choices; // replicas of attempt 0, then those of attempt 1, ...
    Part[] parts;
}

/// The provider's action account takes the order for one session.
struct Acceptance {
    bytes32 order;
    uint16 attempt;
    uint8 replica;
    address session;
}

/// The attestor's word on a session, after it has verified the session's evidence.
struct Attestation {
    EvidenceKind kind;
    uint8 vendor; // 1 AMD, 2 Intel, 255 dev
    uint8 tcbStatus; // docs/FORMATS.md section 5
    bytes32 chip;
    bytes32 measurement; // SHA-256 over the loader's launch measurement (FORMATS section 5)
    bytes32 order;
    uint16 attempt;
    uint8 replica;
    address session;
    uint40 time; // the newest block time that the attestor believes
    bytes acceptance; // signature of the Acceptance by the provider's action account
}

/// A session asks a broker for the key of a part.
struct KeyRequest {
    bytes32 order;
    uint16 attempt;
    uint8 replica;
    uint8 part;
    bytes32 attestation; // EIP-712 digest of the Attestation
}

/// A broker refuses a key for good; a receipt of Outcome.Input rests on it.
struct Refusal {
    bytes32 order;
    uint16 attempt;
    uint8 replica;
    uint8 part;
    uint8 reason; // docs/FORMATS.md section 5
}

/// The session's word on what happened. Signed by the session key.
struct Receipt {
    bytes32 order;
    uint16 attempt;
    uint8 replica;
    Outcome outcome;
    bool started; // whether the workload has been started
    uint8 limit; // which limit ended the workload; 0 none (FORMATS section 5)
    uint8 faultPart; // Outcome.Input: the part at fault; else 0
    int32 exitCode; // the workload's; -1 where it has none
    uint32 opened; // bit i: part i opened with the right digest; the Storage part's bit: the result is stored
    uint64 durationMs; // the loader's monotonic time from before the start to after the end of the workload
    bytes32 result; // package id of the sealed result; 0 = none
    bytes32 commitment; // keccak256(order, attempt, replica, session, C); 0 = none
}
