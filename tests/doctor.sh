#!/usr/bin/env bash
# doctor.sh BIN: `spctl doctor` of each daemon's role, whole: before `spnode init`, and after it with chain and services away; no
# network is needed. tests/system.sh has it find all well in a system that works.
set -euo pipefail
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*"
  cat "$work/said"
  exit 1
}
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
init() { "$bin/spnode" init "$1" --folder "$work/$1" --host 127.0.0.1 "${@:2}" >/dev/null; }
# doctor ROLE CODE LAST: the visit ends with the code, and says LAST at last. What it says is in $work/said.
doctor() {
  local code=0
  spctl doctor --role "$1" --folder "$work/$1" >"$work/said" || code=$?
  [ "$code" = "$2" ] || fail "doctor of the $1 ended with $code, not $2"
  [ "$(tail -n 1 "$work/said")" = "$3" ] || fail "doctor of the $1 doesn't end with: $3"
}
# says LINE...: each begins a line of what the doctor said.
says() {
  local line
  for line in "$@"; do
    awk -v line="$line" 'index($0, line) == 1 { found = 1 } END { exit !found }' "$work/said" || fail "no line: $line"
  done
}
# problems N: it finds so many, and no more, besides what this machine may lack.
problems() {
  local found
  found=$(grep '^problem ' "$work/said" | grep -cvE '^problem  (user|namespaces|control groups|runc): ') || true
  [ "$found" = "$1" ] || fail "$found problems, not $1"
}

# Nothing is there yet: each says which command makes what is missing.
for role in store broker provider; do
  doctor "$role" 1 "A $role can't work here yet."
  says "ok       spnode: $bin/spnode." \
    "problem  settings: $work/$role/$role.json isn't there. spnode init $role --folder $work/$role --host ... writes it." \
    "ok       state: $work/$role/state isn't there yet." "ok       tls: $work/$role/tls/key.pem isn't there."
done
says "ok       sploader: $bin/sploader." "problem  network: $work/home/network.json isn't there."
problems 2

# Made as docs/OPERATIONS.md has it. A store needs no chain.
account=0x00000000000000000000000000000000000000a7
runc=$(command -v runc || echo /usr/sbin/runc)
provider=(--authority "$account" --loader "$bin/sploader" --runc "$runc")
init store --port 1
init broker --port 2
init provider --port 3 "${provider[@]}"
doctor store 0 "A store can work here."
says "ok       settings: $work/store/store.json." "ok       state: only their owner reads what is in $work/store/state." \
  "ok       tls: only its owner reads $work/store/tls/key.pem." "ok       certificate: 1 in $work/store/tls/certificate.pem, "
problems 0
cards=(--store "$work/store/card.json" --broker "$work/broker/card.json" --provider "$work/provider/card.json")
spctl network create --rpc http://127.0.0.1:1 --chain-id 31337 --market "$account" --token "$account" "${cards[@]}" >/dev/null
init broker --network "$work/home/network.json"
init provider --network "$work/home/network.json" "${provider[@]}"

# Chain and services are away. A broker can do without itself, a provider can't.
doctor broker 1 "A broker can't work here yet."
says "ok       settings: $work/broker/broker.json." "ok       network: $work/home/network.json." "ok       ca.pem: 3 in $work/home/ca.pem, " \
  "problem  chain: http://127.0.0.1:1: " "problem  store: https://127.0.0.1:1: " "warning  broker: https://127.0.0.1:2: " \
  "warning  provider $account: https://127.0.0.1:3: "
problems 2
doctor provider 1 "A provider can't work here yet."
says "ok       settings: $work/provider/provider.json." "ok       network: $work/home/network.json." \
  "problem  chain: http://127.0.0.1:1: " "problem  store: https://127.0.0.1:1: " "problem  broker: https://127.0.0.1:2: " \
  "warning  provider $account: https://127.0.0.1:3: "
problems 3

# Secrets that others may read, settings of another time, and the same in JSON.
chmod 640 "$work/store/state/"*
chmod 644 "$work/store/tls/key.pem"
sed -i 's/"bytesMax"/"disk"/' "$work/store/store.json"
doctor store 1 "A store can't work here yet."
says "problem  settings: $work/store/store.json: " "problem  state: others may read $work/store/state/" \
  "problem  tls: others may read or write $work/store/tls/key.pem."
problems 3
spctl --json doctor --role store --folder "$work/store" >"$work/said" && fail "JSON of a sick store ends with 0"
grep -q '"ready": false' "$work/said" || fail "no JSON of a store that can't work"

echo "doctor: all well"
