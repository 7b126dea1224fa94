#!/usr/bin/env bash
# make fuzz: every libFuzzer target for FUZZ_SECONDS, from its seeds, as many at once as there are cores; what it finds lies
# under build/fuzz/found. Then every byte of the recorded evidence, changed. tools/fuzz.sh TARGET... runs those targets alone.
# How long each target ran stands in tests/fuzz_targets.json by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZ_SECONDS=${FUZZ_SECONDS:-60}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz ${1:+--target "$@"}
mkdir -p build/fuzz/found build/fuzz/corpus

fuzz() { # fuzz TARGET: a target ROOM_NAME has its seeds in src/ROOM/testdata/NAME, apps_FOLDER_NAME in apps/FOLDER/testdata/NAME
  local name corpus seeds folder key
  name=$(basename "$1")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  seeds=$corpus
  while read -r folder; do
    key=${folder#src/}
    key=${key/\/testdata/}
    [ "${key//\//_}" = "$name" ] && seeds=$folder
  done < <(find src apps -type d -path '*/testdata/*_fuzz')
  if "$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/found/$name-" "$corpus" "$seeds" >"build/fuzz/$name.log" 2>&1; then
    echo "$name: $(tail -n 1 "build/fuzz/$name.log"), $(grep -o 'cov: [0-9]*' "build/fuzz/$name.log" | tail -n 1)"
  else
    echo "$name: FOUND SOMETHING, see build/fuzz/$name.log and build/fuzz/found"
    return 1
  fi
}
export -f fuzz
targets=("${@/#/build/fuzz/bin/}")
[ $# -gt 0 ] || targets=(build/fuzz/bin/*_fuzz)
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'

[ $# -eq 0 ] || exit 0

# What is still accepted is src/attest/testdata/accepted_flips.json.
cmake --preset release >/dev/null
cmake --build --preset release --target attest_test
SP_FLIPS=all build/release/bin/attest_test --gtest_filter='Flips*' --gtest_brief=1
echo "fuzz: nothing found"
