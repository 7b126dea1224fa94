#!/usr/bin/env bash
# make test: builds all, then runs the contracts' tests and every test program, and prints what each room took.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)

# Packages that bring services: left to whoever owns the machine where they would start at once.
[ -d /run/systemd/system ] || tools/install.sh s3

cmake --preset release >/dev/null
cmake --build --preset release -- -j"$jobs"

start=$(date +%s)
(cd contracts && ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge test --summary)
echo "contracts: $(($(date +%s) - start)) s"

# Many tests wait more than they compute, so there is one more than cores. Systems of real processes wait most: more of them
# at once, but not beside what fills the cores.
failed=0
ctest --test-dir build/release --output-on-failure --no-tests=error -LE system -j"$((jobs + 1))" || failed=1
ctest --test-dir build/release --output-on-failure --no-tests=error -L system -j"$((3 * jobs))" || failed=1
exit "$failed"
