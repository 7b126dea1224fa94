#!/usr/bin/env bash
# power.sh BIN [CONSOLE]: losses of power. A machine with store, broker, provider and customer loses it POWER_LOSSES (6) times, each time at another moment after an
# order was placed, and is started again: every order ends well and once, by what had been synced. The chain is outside. Four minutes on 2 cores.
set -euo pipefail
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
finish() {
  [ -z "${machine:-}" ] || pkill -KILL -P "$machine" || true
  [ -z "${chain:-}" ] || { kill "$chain" && wait "$chain"; } 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
console=${2:-$work/console} losses=${POWER_LOSSES:-6}
span=5000  # milliseconds, somewhat more than an order takes there
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"
unfit=$(machine_unfit)
if [ -n "$unfit" ]; then
  echo "SKIPPED: $unfit"
  exit 77
fi
fail() {
  tail -n 60 "$console"
  echo "FAILED: $*"
  exit 1
}

"$machine_root/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" --port 0 --chain-id 31337 --accounts 1 >"$work/chain.log" 2>&1 &
chain=$!
echo "Debian and its kernel ..."
machine_make guest-power.sh
machine_seal
port=$(sed -n 's/^Listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$work/chain.log")
[ -n "$port" ] || fail "no chain: $(cat "$work/chain.log")"

: >"$console"
boot() { # boot WORDS: in the background, as $machine
  (machine_boot "sp.chain=http://10.0.2.2:$port $1") >>"$console" &
  machine=$!
}
lines() { grep -ac "$1" "$console" || true; }
for ((i = 0; i < losses; ++i)); do
  before=$(lines "^MACHINE: placed")
  boot ""
  until [ "$(lines "^MACHINE: placed")" -gt "$before" ]; do
    kill -0 "$machine" 2>/dev/null || fail "the machine ended before its order"
    grep -aq "^MACHINE: FAILED" "$console" && fail "after $i losses"
    sleep 0.05
  done
  moment=$((i * span / losses + RANDOM % (span / losses)))
  sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
  pkill -KILL -P "$machine" || true
  kill -KILL "$machine" 2>/dev/null || true
  wait "$machine" 2>/dev/null || true
  echo "Power lost $moment ms after order $((i + 1))."
done
boot sp.last
wait "$machine" || true
grep -aq "^MACHINE: ok" "$console" || fail "the machine isn't well"
grep -a -e "orders are done" -e "cut off" "$console" | tail -n 2
