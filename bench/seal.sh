#!/usr/bin/env bash
# bench/seal.sh: sealing and unsealing from memory to nowhere, beside what AES-256-GCM and SHA-256 alone allow by
# `openssl speed`; and sealing and opening from a file to a file, beside `cp` and `age`, in turns: from the page cache to the page cache, and
# from the disk to the disk (nothing of the input cached, the output synced). JSON lines; wanted: 0.75 of the bound times the
# cores, 0.8 of cp, 1 of age, and less than 128 MiB of memory. ROUNDS (5) and MIB (2048) say how much.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in age openssl jq; do
  command -v "$program" >/dev/null || { echo "bench: seal skipped: no $program (tools/install.sh bench)" >&2; exit 0; }
done
rounds=${ROUNDS:-5} mib=${MIB:-2048} threads=${THREADS:-$(nproc)}
bin=$PWD/build/release/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Bytes per second of processor time; ours is measured by that as well, so that others' load falls out.
speed() { openssl speed -mr -seconds 1 -bytes 1048576 -evp "$1" 2>/dev/null | awk -F: '/^\+F/ { print $NF }'; }
for ((round = 1; round <= rounds; ++round)); do
  aes=$(speed aes-256-gcm) sha=$(speed sha256)
  "$bin/seal_bench" memory "$mib" "$threads" |
    jq -c --argjson aes "$aes" --argjson sha "$sha" '. + {aes: $aes, sha256: $sha,
      wallRatio: (.bytes / .seconds / (.threads / (1 / $aes + 1 / $sha))),
      ratio: (.bytes / .processorSeconds / (1 / (1 / $aes + 1 / $sha)))}'
done | tee "$work/memory"

head -c $((mib << 20)) /dev/urandom >"$work/in"
age-keygen -o "$work/age.key" 2>"$work/age.log"
recipient=$(sed -n 's/^# public key: //p' "$work/age.key")
sync "$work/in" # pages that aren't written yet can't be dropped
# What is opened: sealed by us, and by age.
"$bin/seal_bench" seal "$work/in" "$work/in.sealed" "$threads" >"$work/said"
age -e -r "$recipient" -o "$work/in.age" "$work/in"
sync "$work/in.sealed" "$work/in.age"
timed() { # file|disk FROM COMMAND...: prints nanoseconds; the command reads FROM and writes $work/out
  local where=$1 from=$2 before
  shift 2
  rm -f "$work/out"
  if [ "$where" = disk ]; then dd if="$from" iflag=nocache count=0 status=none; fi
  before=$(date +%s%N)
  "$@" >"$work/said"
  if [ "$where" = disk ]; then sync "$work/out"; fi
  echo $(($(date +%s%N) - before))
}
line() { # NAME CP OURS AGE, of which $work/rss has the memory of ours
  jq -cn --arg name "$1" --argjson cp "$2" --argjson ours "$3" --argjson age "$4" --argjson mib "$mib" --argjson rss "$(cat "$work/rss")" \
    '{bench: $name, bytes: ($mib * 1048576), seconds: ($ours / 1e9), cpSeconds: ($cp / 1e9), ageSeconds: ($age / 1e9),
      ratioToCp: ($cp / $ours), ratioToAge: ($age / $ours), maxRssKib: $rss}'
}
for where in file disk; do
  for ((round = 0; round <= rounds; ++round)); do
    cp=$(timed $where "$work/in" cp "$work/in" "$work/out")
    sealed=$(timed $where "$work/in" "$bin/seal_bench" seal "$work/in" "$work/out" "$threads") && jq .maxRssKib "$work/said" >"$work/rss"
    age=$(timed $where "$work/in" age -e -r "$recipient" -o "$work/out" "$work/in")
    # The first round fills the page cache.
    if [ "$round" != 0 ]; then line "seal.$where" "$cp" "$sealed" "$age"; fi
    opened=$(timed $where "$work/in.sealed" "$bin/seal_bench" open "$work/in.sealed" "$work" "$threads") && jq .maxRssKib "$work/said" >"$work/rss"
    if [ "$round" = 0 ]; then cmp "$work/in" "$work/out"; fi
    age=$(timed $where "$work/in.age" age -d -i "$work/age.key" -o "$work/out" "$work/in.age")
    if [ "$round" != 0 ]; then line "open.$where" "$cp" "$opened" "$age"; fi
  done
done | tee "$work/file"
median='def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;'
jq -cs "$median"' group_by(.bench)[] | {bench: .[0].bench, rounds: length, medianBytesPerSecond: (map(.bytes / .seconds) | median),
  medianRatioToBound: (map(.ratio) | median), medianWallRatio: (map(.wallRatio) | median), wantedRatio: 0.75, maxRssMib: (map(.maxRssKib) | max / 1024), wantedRssMib: 128}' <"$work/memory"
jq -cs "$median"' group_by(.bench)[] | {bench: .[0].bench, rounds: length, medianRatioToCp: (map(.ratioToCp) | median), wantedRatioToCp: 0.8,
  medianRatioToAge: (map(.ratioToAge) | median), wantedRatioToAge: 1, maxRssMib: (map(.maxRssKib) | max / 1024), wantedRssMib: 128}' <"$work/file"
