# shellcheck shell=bash
# guest-lib.sh, sourced in a machine that machine.sh or power.sh boots: an operator's way through docs/OPERATIONS.md. Store, broker, provider and customer are
# all in this machine; $CHAIN is the chain's URL. Lines that begin with "MACHINE:" are for whoever booted it.
export HOME=/root
state=/var/lib/superprotocol
fail() {
  echo "MACHINE: FAILED: $*"
  for unit in store broker provider; do journalctl -q --no-pager -n 20 -u "superprotocol-$unit"; done
  exit 1
}
step() { echo "MACHINE: $(cut -d ' ' -f 1 /proc/uptime) s: $*"; }
ether() { # ether ACCOUNT: for fees, as whoever has the development chain can give
  curl -sf -H 'content-type: application/json' -o /dev/null "$CHAIN" \
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
until_healthy() {
  local port
  for port in 8301 8302 8303; do
    until_true 60 "port $port isn't healthy" curl -sf --cacert "$HOME/.superprotocol/ca.pem" "https://127.0.0.1:$port/health"
  done
}
main_pid() { systemctl show -p MainPID --value superprotocol-provider; }
# From a chain that answers and installed packages to daemons that serve and a customer with money.
set_up() {
  local role deployed authority action
  for role in store broker provider; do
    systemctl enable -q "superprotocol-$role" || fail "enable $role"
    [ "$(systemctl is-active "superprotocol-$role")" = inactive ] || fail "$role runs without settings"
  done
  new_key deployer >/dev/null
  deployed=$(spctl contracts deploy --rpc "$CHAIN" --key deployer --test-token --yes --json) || fail "deploy"
  step "contracts deployed"

  authority=$(new_key authority)
  init store
  init broker
  init provider --authority "$authority"
  spctl network create --rpc "$CHAIN" --chain-id 31337 --market "$(jq -r .market <<<"$deployed")" --token "$(jq -r .token <<<"$deployed")" \
    --start-block "$(jq -r .startBlock <<<"$deployed")" --store "$state/store/card.json" --broker "$state/broker/card.json" \
    --provider "$state/provider/card.json" >/dev/null || fail "network create"
  install -m 644 "$HOME/.superprotocol/network.json" "$HOME/.superprotocol/ca.pem" /srv
  init broker --network /srv/network.json
  init provider --authority "$authority" --network /srv/network.json
  action=$(jq -r .action "$state/provider/card.json")
  ether "$action"
  systemctl start superprotocol-{store,broker,provider} || fail "start"
  until_healthy
  step "daemons answer; the provider is in $(cut -d : -f 3 "/proc/$(main_pid)/cgroup")"

  spctl tokens faucet 2000 --key authority >/dev/null
  spctl providers register --key authority --action-key "$action" --deposit 1000 >/dev/null || fail "register"
  spctl offers create compute --key authority --platform "$state/provider/state/platform" --price 2 --memory 1G --disk 512M --cpus 2 --min-window 60 \
    >/dev/null || fail "offer compute"
  spctl offers create storage --key authority --price 0.01 >/dev/null || fail "offer storage"
  new_key me >/dev/null
  spctl tokens faucet 1000 >/dev/null
  spctl doctor --role provider || fail "doctor finds a problem"
}
