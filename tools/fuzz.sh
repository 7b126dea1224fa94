#!/usr/bin/env bash
# make fuzz: every libFuzzer target for FUZZ_SECONDS, from its seeds; what it finds lies under build/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p build/fuzz/found build/fuzz/corpus
for target in build/fuzz/bin/*_fuzz; do
  name=$(basename "$target")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  room=${name%%_*}
  seeds=src/$room/testdata/${name#*_}
  [ -d "$seeds" ] || seeds=$corpus
  echo "$name: $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/found/$name-" "$corpus" "$seeds" 2>&1 | tail -n 1
done
# Every byte of the recorded evidence, under every mask: what is still accepted is src/attest/testdata/accepted_flips.json.
cmake --preset release >/dev/null
cmake --build --preset release --target attest_test
SP_FLIPS=all build/release/bin/attest_test --gtest_filter='Flips*' --gtest_brief=1
echo "fuzz: nothing found"
