#!/usr/bin/env bash
# command_line.sh BIN: what the programs say and end with where the command line or its output is at fault; no network is needed.
set -euo pipefail
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*"
  cat "$work/said"
  exit 1
}
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
spnode() { "$bin/spnode" "$@"; }
# ends CODE WORDS COMMAND...: the command ends with the code, and its standard error holds the words.
ends() {
  local want=$1 words=$2 code=0
  shift 2
  "$@" 2>"$work/said" || code=$?
  [ "$code" = "$want" ] || fail "$* ended with $code, not $want"
  grep -qF -- "$words" "$work/said" || fail "$*: no word of: $words"
}

# Output that is lost is no success; a reader who has seen enough is one.
lost="No space left on device. What was asked for is done"
for command in "keys list" "--json keys list" "completion bash" "man" "--help" "--version"; do
  # shellcheck disable=SC2086
  ends 1 "$lost" spctl $command >/dev/full
done
for command in "completion bash" "man" "--help" "init store --folder $work/store --host 127.0.0.1"; do
  # shellcheck disable=SC2086
  ends 1 "$lost" spnode $command >/dev/full
done
spctl man | head -n 1 >/dev/null || fail "a reader who leaves is an error"
# What no order and no offer can be made with, before anything is asked or paid.
ends 2 "--pids: Value 0 not in range" spctl run ./image --pids 0
ends 2 "--time: Value 0 not in range" spctl orders create ./image --time 0
for days in 0 -3; do
  ends 2 "--days: Value $days not in range" spctl offers create data --package 0x1 --days $days
  ends 2 "--days: Value $days not in range" spctl policy template --days $days
done
ends 2 "--pids: Value 0 not in range" spctl offers create compute --pids 0

echo "command line: all well"
