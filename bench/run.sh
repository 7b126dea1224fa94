#!/usr/bin/env bash
# bench/run.sh [NAME]: all benchmarks, or one. JSON lines on standard output.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null
cmake --build --preset release --target spctl spnode sploader >/dev/null
case "${1:-all}" in
  all | order) bench/order.sh ;;
  *)
    echo "bench: there is no benchmark \"$1\"; there is: order" >&2
    exit 2
    ;;
esac
