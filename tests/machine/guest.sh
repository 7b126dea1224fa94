#!/usr/bin/env bash
# guest.sh, in the machine that machine.sh boots: an operator's way through docs/OPERATIONS.md, with packages and systemd, then orders. Says how far it is in
# lines that begin with "MACHINE:", "MACHINE: ok" at the end. Everything is in this machine: chain, store, broker, provider, customer.
set -uo pipefail
export HOME=/root
state=/var/lib/superprotocol
fail() {
  echo "MACHINE: FAILED: $*"
  for unit in store broker provider; do journalctl -q --no-pager -n 20 -u "superprotocol-$unit"; done
  exit 1
}
step() { echo "MACHINE: $(cut -d ' ' -f 1 /proc/uptime) s: $*"; }
ether() { # ether ACCOUNT: for fees, as whoever has the development chain can give
  curl -sf -H 'content-type: application/json' -o /dev/null http://127.0.0.1:8545 \
    -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"anvil_setBalance\",\"params\":[\"$1\",\"0x21e19e0c9bab2400000\"]}"
}
new_key() { # new_key NAME: prints its account, which has ether then
  local account
  account=$(spctl keys create "$1" --json | jq -r .address)
  ether "$account" && echo "$account"
}
until_true() { # until_true SECONDS WHAT COMMAND...
  local left=$(($1 * 5)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "$what"
    sleep 0.2
  done
}
init() { # init ROLE OPTIONS...: as the unit's user
  local role=$1 user=superprotocol-$1
  shift
  [ "$role" = provider ] && user=root
  runuser -u "$user" -- spnode init "$role" --folder "$state/$role" --host 127.0.0.1 "$@" >/dev/null || fail "init $role"
}
main_pid() { systemctl show -p MainPID --value superprotocol-provider; }
# Control groups of orders, which lie below superprotocol/ACCOUNT/MARKET, in a file's own words.
order_groups() { find /sys/fs/cgroup/superprotocol -mindepth 3 -type d 2>/dev/null; }
bound() { cat /sys/fs/cgroup/superprotocol/*/*/*/workload/"$1"; }

step "$(uname -sr), systemd $(systemctl --version | awk 'NR==1 {print $2}'), control groups $(stat -fc %T /sys/fs/cgroup), $(runc --version | head -n 1)"
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || fail "no control groups of version 2"
spctl doctor --role provider
for role in store broker provider; do
  systemctl enable -q "superprotocol-$role" || fail "enable $role"
  [ "$(systemctl is-active "superprotocol-$role")" = inactive ] || fail "$role runs without settings"
done

systemd-run -q --unit anvil anvil --port 8545 --chain-id 31337 --accounts 1 --quiet || fail "anvil"
until_true 60 "the chain doesn't answer" ether 0x0000000000000000000000000000000000000001
new_key deployer >/dev/null
deployed=$(spctl contracts deploy --rpc http://127.0.0.1:8545 --key deployer --test-token --yes --json) || fail "deploy"
step "contracts deployed"

authority=$(new_key authority)
init store
init broker
init provider --authority "$authority"
spctl network create --rpc http://127.0.0.1:8545 --chain-id 31337 --market "$(jq -r .market <<<"$deployed")" --token "$(jq -r .token <<<"$deployed")" \
  --start-block "$(jq -r .startBlock <<<"$deployed")" --store "$state/store/card.json" --broker "$state/broker/card.json" \
  --provider "$state/provider/card.json" >/dev/null || fail "network create"
install -m 644 "$HOME/.superprotocol/network.json" "$HOME/.superprotocol/ca.pem" /srv
init broker --network /srv/network.json
init provider --authority "$authority" --network /srv/network.json
action=$(jq -r .action "$state/provider/card.json")
ether "$action"
systemctl start superprotocol-{store,broker,provider} || fail "start"
for port in 8301 8302 8303; do
  until_true 60 "port $port isn't healthy" curl -sf --cacert "$HOME/.superprotocol/ca.pem" "https://127.0.0.1:$port/health"
done
step "daemons answer; the provider is in $(cut -d : -f 3 "/proc/$(main_pid)/cgroup")"

spctl tokens faucet 2000 --key authority >/dev/null
spctl providers register --key authority --action-key "$action" --deposit 1000 >/dev/null || fail "register"
spctl offers create compute --key authority --platform "$state/provider/state/platform" --price 2 --memory 1G --disk 512M --cpus 2 --min-window 60 \
  >/dev/null || fail "offer compute"
spctl offers create storage --key authority --price 0.01 >/dev/null || fail "offer storage"
new_key me >/dev/null
spctl tokens faucet 1000 >/dev/null
spctl doctor --role provider || fail "doctor finds a problem"

run() { timeout 300 spctl run /opt/image --memory 256M --disk 64M --pids 64 --out "/srv/$1" -- "$@"; }
run hello || fail "an order ended with $?"
grep -qx hello /srv/hello/output/name.txt || fail "wrong result"
step "an order is done"
# What an order has is bounded, and what hits a bound says so.
run memory >/srv/memory.log 2>&1 && fail "memory without an end"
grep -i "memory" /srv/memory.log || fail "no word of the memory limit: $(cat /srv/memory.log)"
run forks || fail "forks: $?"
[ "$(cat /srv/forks/output/name.txt)" = 64 ] || fail "$(cat /srv/forks/output/name.txt) processes, 64 were ordered"
step "limits hold"
[ -z "$(order_groups)" ] || fail "control groups are left: $(order_groups)"

# Killed in mid-order, systemd starts the provider again, and the order goes on; nothing of the first life is left.
timeout 300 spctl run /opt/image --memory 256M --disk 64M --cpus 0.5 --out /srv/again -- slow >/srv/again.log 2>&1 &
order=$!
until_true 120 "the order doesn't run" bound cpu.max
first=$(main_pid)
step "its bounds: cpu $(bound cpu.max), memory $(bound memory.max), swap $(bound memory.swap.max), processes $(bound pids.max)"
[ "$(bound cpu.max) $(bound memory.swap.max) $(bound pids.max)" = "50000 100000 0 256" ] || fail "not what was ordered"
# Its memory and what of its disk, which is memory too, isn't used yet.
memory=$(bound memory.max)
if [ "$memory" -le $((256 << 20)) ] || [ "$memory" -gt $((320 << 20)) ]; then fail "not the memory that was ordered"; fi
kill -KILL "$first"
wait "$order" || fail "the order of a killed provider ended with $?: $(cat /srv/again.log)"
[ "$(main_pid)" != "$first" ] || fail "systemd didn't start it again"
grep -qx slow /srv/again/output/name.txt || fail "wrong result after a kill"
[ -z "$(order_groups)" ] || fail "control groups are left after a kill: $(order_groups)"
step "killed in mid-order, started again by systemd, done"

systemctl stop superprotocol-{provider,broker,store} || fail "stop"
for role in store broker provider; do
  [ "$(systemctl show -p Result --value "superprotocol-$role")" = success ] || fail "$role didn't stop well"
done
pgrep sploader && fail "a loader is left"
[ ! -e /sys/fs/cgroup/superprotocol ] || fail "control groups are left after the stop: $(find /sys/fs/cgroup/superprotocol)"
# The sandbox's own tests, where control groups are of the other version.
for test in /opt/tests/*_test; do
  "$test" >/srv/test.log 2>&1 || { cat /srv/test.log; fail "$(basename "$test")"; }
  step "$(basename "$test"): $(grep -a "PASSED" /srv/test.log)"
done
echo "MACHINE: ok"
