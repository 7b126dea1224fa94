#!/usr/bin/env bash
# bench/run.sh [NAME]: all benchmarks, or one. JSON lines on standard output.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null

order() {
  cmake --build --preset release --target spctl spnode sploader >/dev/null
  bench/order.sh
}

# How fast evidence is verified; needs the recorded evidence.
attest() {
  local evidence="${EVIDENCE_DIR:-../shared/evidence}"
  if [[ ! -d "$evidence" ]]; then
    echo "bench: attest skipped: no evidence in $evidence" >&2
    return
  fi
  cmake --build --preset release --target attest_bench >/dev/null
  build/release/bin/attest_bench "$evidence"
}

case "${1:-all}" in
  all)
    attest
    order
    ;;
  attest) attest ;;
  order) order ;;
  *)
    echo "bench: there is no benchmark \"$1\"; there are: attest, order" >&2
    exit 2
    ;;
esac
