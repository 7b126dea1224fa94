#!/usr/bin/env bash
# contracts.sh BIN: the contracts are deployed on a chain once, however often the deployment is killed; other code is told apart.
set -euo pipefail
bin=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
anvil=$root/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
if [ ! -x "$anvil" ]; then
  echo "SKIPPED: anvil isn't installed"
  exit 77
fi
work=$(mktemp -d)
chain=
finish() {
  if [ -n "$chain" ]; then
    kill "$chain" 2>/dev/null || true
    wait "$chain" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*"
  exit 1
}
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
# call METHOD PARAMS: the result, a JSON text or null.
call() {
  curl -sS -H 'content-type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "$rpc" |
    sed 's/.*"result":\("[^"]*"\|[a-z]*\).*/\1/; s/^"\(.*\)"$/\1/'
}
# value FILE KEY: the first text under a key of a JSON file.
value() { sed -n "s/.*\"$2\": \"\?\([^\",]*\)\"\?,\?\$/\1/p" "$1" | head -n 1; }

"$anvil" --host 127.0.0.1 --port 0 --chain-id 4242 --accounts 1 >"$work/chain.log" 2>&1 &
chain=$!
for _ in $(seq 200); do
  port=$(sed -n 's/^Listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$work/chain.log")
  [ -n "$port" ] && break
  sleep 0.1
done
[ -n "$port" ] || fail "the chain doesn't start: $(cat "$work/chain.log")"
rpc=http://127.0.0.1:$port
spctl keys create ops >/dev/null
account=$(spctl keys list --json | sed -n 's/.*"address": "\(0x[0-9a-f]*\)".*/\1/p')

# Without ether nothing is sent.
code=0
spctl contracts deploy --rpc "$rpc" --key ops --test-token --yes 2>"$work/poor" || code=$?
[ $code = 1 ] || fail "a deployment without ether ended with $code"
grep -q "Send ether to $account" "$work/poor" || fail "no word about the purse: $(cat "$work/poor")"
call anvil_setBalance "[\"$account\",\"0x8ac7230489e80000\"]" >/dev/null
# Who doesn't say yes sends nothing.
if echo no | spctl contracts deploy --rpc "$rpc" --key ops --test-token 2>/dev/null; then fail "no was taken for yes"; fi
[ "$(call eth_getTransactionCount "[\"$account\",\"latest\"]")" = 0x0 ] || fail "something was sent"
code=0
spctl contracts deploy --rpc "$rpc" --key ops 2>/dev/null || code=$?
[ $code = 2 ] || fail "a deployment without a token ended with $code"

# Killed while its first transaction waits, and again at odd moments: one deployment.
call evm_setAutomine '[false]' >/dev/null
spctl contracts deploy --rpc "$rpc" --key ops --test-token --yes >/dev/null 2>&1 &
deploying=$!
for _ in $(seq 200); do
  [ "$(call eth_getTransactionCount "[\"$account\",\"pending\"]")" = 0x1 ] && break
  sleep 0.1
done
kill -9 "$deploying"
wait "$deploying" 2>/dev/null || true
call evm_setIntervalMining '[1]' >/dev/null
for moment in 0.4 0.9 1.7; do
  timeout -s KILL "$moment" "$bin/spctl" --home "$work/home" contracts deploy --rpc "$rpc" --key ops --test-token --yes \
    >/dev/null 2>&1 || true
done
spctl contracts deploy --rpc "$rpc" --key ops --test-token --yes --confirmations 2 -o "$work/network.json" --json \
  >"$work/deployed" || fail "the deployment doesn't go on"
[ "$(call eth_getTransactionCount "[\"$account\",\"latest\"]")" = 0x3 ] || fail "more or less than three contracts were deployed"
# Once more: nothing is left to do.
spctl contracts deploy --rpc "$rpc" --key ops --test-token --yes --json >"$work/again"
[ "$(call eth_getTransactionCount "[\"$account\",\"latest\"]")" = 0x3 ] || fail "a contract was deployed twice"
market=$(value "$work/network.json" market)
token=$(value "$work/network.json" token)
[ "$(value "$work/network.json" chainId)" = 4242 ] || fail "another chain id"
[ "$(call eth_getCode "[\"$market\",\"latest\"]")" != 0x ] || fail "no market"

# Anyone compares it.
spctl contracts verify --rpc "$rpc" --market "$market" --json >"$work/verified" || fail "the market isn't recognised"
registry=$(value "$work/verified" registry)
[ "$(value "$work/verified" token)" = "$token" ] || fail "another token"
[ "$(value "$work/verified" minimumDeposit)" = 100000000000000000000 ] || fail "another least deposit"
# refuses WORDS: verifying fails, and says so.
refuses() {
  if spctl contracts verify --rpc "$rpc" --market "$market" >/dev/null 2>"$work/refused"; then fail "other code passes: $1"; fi
  grep -q "$1" "$work/refused" || fail "no word about it: $(cat "$work/refused")"
}
original=$(call eth_getCode "[\"$registry\",\"latest\"]")
# with HEX PLACE: the code with one byte changed.
with() { printf '%s%s%s' "${1:0:$((2 + 2 * $2))}" "$(printf '%02x' $((0x${1:$((2 + 2 * $2)):2} ^ 1)))" "${1:$((4 + 2 * $2))}"; }
call anvil_setCode "[\"$registry\",\"$(with "$original" 77)\"]" >/dev/null
refuses "it differs at byte 77"
call anvil_setCode "[\"$registry\",\"${original}00\"]" >/dev/null
refuses "its size is another"
# An immutable value changed at one of its two places (842 in this build's registry).
call anvil_setCode "[\"$registry\",\"$(with "$original" 873)\"]" >/dev/null
refuses "an immutable value has two values"
call anvil_setCode "[\"$registry\",\"$original\"]" >/dev/null
spctl contracts verify --rpc "$rpc" --market "$market" >/dev/null || fail "the original code doesn't pass again"
# The same code at another address was made for this one.
call anvil_setCode "[\"0x00000000000000000000000000000000000000aa\",\"$(call eth_getCode "[\"$market\",\"latest\"]")\"]" >/dev/null
market=0x00000000000000000000000000000000000000aa
refuses "its immutable values are of another chain or address"
market=$account
refuses "its size is another"
echo "contracts: all well"
