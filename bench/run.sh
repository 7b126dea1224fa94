#!/usr/bin/env bash
# bench/run.sh [NAME]: all benchmarks, or one. JSON lines on standard output.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null

order() {
  cmake --build --preset release --target spctl spnode sploader >/dev/null
  bench/order.sh
}

# How fast the log follower catches up with 100,000 blocks, beside the bare calls.
follower() {
  cmake --build --preset release --target follower_bench >/dev/null
  build/release/bin/follower_bench
}

# How fast evidence is verified; needs the recorded evidence.
attest() {
  local evidence="${EVIDENCE_DIR:-../shared/evidence}"
  if [[ ! -d "$evidence" ]]; then
    echo "bench: attest skipped: no evidence in $evidence" >&2
    return
  fi
  cmake --build --preset release --target attest_bench >/dev/null
  local ours peer
  ours=$(mktemp) peer=$(mktemp)
  build/release/bin/attest_bench "$evidence" | tee "$ours"
  node bench/attest_peer.mjs "$evidence" 3 | tee "$peer"
  # Both in one run, on one thread's processor time.
  node -e '
    const fs = require("fs"), lines = (f) => fs.readFileSync(f, "utf8").trim().split("\n").map((x) => JSON.parse(x));
    const ours = lines(process.argv[1]), peer = lines(process.argv[2])[0];
    for (const name of ["tdx_v4_cold", "tdx_v4_warm"]) {
      const rate = ours.find((line) => line.bench === name).per_second;
      console.log(JSON.stringify({bench: name + "_to_peer", peer: peer.peer, ratio: rate / peer.perSecond}));
    }' "$ours" "$peer"
  rm -f "$ours" "$peer"
}

# Many orders at once, CUSTOMERSxPROVIDERS[xSYSTEMS] each; LOAD="1000x50" for others than these. The lines are what bench/plot_scale.mjs
# draws docs/scale.svg from.
load() {
  cmake --build --preset release --target load_bench spnode sploader >/dev/null
  local crowd
  for crowd in ${LOAD:-1x1 10x1 10x5 100x1 100x5 100x50 1000x50 1000x50x2}; do
    # shellcheck disable=SC2086 # two or three numbers
    build/release/bin/load_bench ${crowd//x/ }
  done
}

# Releases per second, and the share of cryptography in them.
broker() {
  cmake --build --preset release --target broker_bench >/dev/null
  build/release/bin/broker_bench
}

# Sealing from memory and from files, beside openssl, cp and age.
seal() {
  cmake --build --preset release --target seal_bench >/dev/null
  bench/seal.sh
}

# Blobs through a store over TLS, beside nginx.
store() {
  cmake --build --preset release --target spnode store_bench >/dev/null
  bench/store.sh
}

case "${1:-all}" in
  all)
    attest
    follower
    seal
    store
    order
    broker
    load
    ;;
  attest) attest ;;
  follower) follower ;;
  order) order ;;
  broker) broker ;;
  load) load ;;
  seal) seal ;;
  store) store ;;
  *)
    echo "bench: there is no benchmark \"$1\"; there are: attest, broker, follower, load, order, seal, store" >&2
    exit 2
    ;;
esac
