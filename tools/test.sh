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
run() { # run ARGUMENTS...: ctest, and what was left out and why, which it keeps to itself of programs that end well
  ctest --test-dir build/release --output-on-failure --no-tests=error "$@" || failed=1
  sed -n '/: Skipped$/{n;s/^/SKIPPED: /;p;b};/^SKIPPED: /p' build/release/Testing/Temporary/LastTest.log | sort | uniq -c
}
run -LE system -j"$((jobs + 1))"
run -L system -j"$((3 * jobs))"
exit "$failed"
