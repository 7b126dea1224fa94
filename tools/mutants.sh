#!/usr/bin/env bash
# make mutants: a build in which SP_MUTANT names one check of evidence that is left out. For each check of
# src/attest/checks_*.hpp some test of attest_test must then fail. Writes docs/MUTANTS.txt; fails where a mutant lives.
set -euo pipefail
cd "$(dirname "$0")/.."
report=docs/MUTANTS.txt
program=build/mutants/bin/attest_test

cmake --preset mutants >/dev/null
cmake --build build/mutants --target attest_test
"$program" --gtest_brief=1 >/dev/null || { echo "attest_test fails with every check in place"; exit 1; }

try() { # try ID: one line for the report
  # The flips and the memory bounds are slow and about no check of their own.
  local output failed
  if output=$(SP_MUTANT=$1 "$program" --gtest_filter=-Flips*:Memory* 2>/dev/null); then
    failed=LIVES
  else
    # The first test that fails, or the one in which a result that isn't there ends the program.
    failed=$(sed -n 's/^\[  FAILED  \] \([A-Za-z0-9_/.]*\).*/\1/p' <<<"$output" | head -n 1)
    [ -n "$failed" ] || failed=$(sed -n 's/^\[ RUN      \] //p' <<<"$output" | tail -n 1)
  fi
  printf '%-40s %s\n' "$1" "$failed"
}
export -f try
export program
{
  echo "# Written by make mutants: each check of evidence, and the first test that fails without it."
  "$program" --gtest_filter=Checks.HaveNamesOfTheirOwn | sed -n 's/^check \([A-Za-z0-9_.]*\)$/\1/p' |
    xargs -P "$(nproc)" -I{} bash -c 'try {}' | sort
} >"$report"
lives=$(grep -c 'LIVES$' "$report" || true)
echo "mutants: $(grep -vc '^#' "$report") checks, $lives live without being noticed"
[ "$lives" = 0 ] || { grep 'LIVES$' "$report"; exit 1; }
