#!/usr/bin/env bash
# guest-power.sh, in the machine that power.sh boots again and again. The first time it sets up; each later time it takes up every order that a loss of power has
# cut off, and sees it end well. Then it places one, for the next loss; where the kernel's command line says sp.last, it compares its orders with the chain's.
set -uo pipefail
# shellcheck source=tests/machine/guest-lib.sh
. /opt/guest-lib.sh
CHAIN=$(sed 's/.*sp.chain=\([^ ]*\).*/\1/' /proc/cmdline)
orders=$HOME/.superprotocol/orders

# Orders of our customer that the market knows, by id.
chain_orders() {
  local market customer
  market=$(jq -r .market "$HOME/.superprotocol/network.json")
  customer=$(spctl keys list --json | jq -r '.keys[] | select(.name == "me") | .address')
  curl -sf -H 'content-type: application/json' "$CHAIN" -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getLogs\",\"params\":[{\"fromBlock\":\"0x0\",
    \"address\":\"$market\",\"topics\":[null,null,\"0x000000000000000000000000${customer#0x}\"]}]}" | jq -r '.result[].topics[1]' | sort -u
}

until_true 60 "the chain doesn't answer" ether 0x0000000000000000000000000000000000000001
if [ ! -e /srv/ready ]; then
  (set_up) >/srv/set-up.log 2>&1 || fail "setting up: $(cat /srv/set-up.log)"
  touch /srv/ready
  sync
else
  until_healthy
  # What the provider had begun, or taken, when the power went.
  journalctl -q --no-pager -b -u superprotocol-provider -o cat | grep -c '"order_resumed"' >>/srv/cut
  sync
  for order in "$orders"/0x*; do
    [ -e "$order" ] || continue
    rm -rf /srv/result
    timeout 300 spctl orders resume "$(basename "$order")" --out /srv/result >/srv/resume.log 2>&1 || fail "an order after a loss of power: $(cat /srv/resume.log)"
    grep -qx brief /srv/result/output/name.txt || fail "wrong result"
  done
  step "all $(find "$orders" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l) orders are done"
fi
if grep -q sp.last /proc/cmdline; then
  settled=$(spctl orders list --json | jq -r '.orders[] | select(.status == "settled") | .order' | sort)
  [ "$settled" = "$(chain_orders)" ] || fail "settled: $settled; on the chain: $(chain_orders)"
  cut=$(awk '{n += $1} END {print n}' /srv/cut)
  step "$cut orders were cut off while the provider was at them"
  [ "$cut" -ge 2 ] || fail "too few were cut off to say anything"
  echo "MACHINE: ok"
  exit 0
fi
spctl run /opt/image --memory 128M --disk 32M -- brief >/srv/run.log 2>&1 &
echo "MACHINE: placed"
sleep 60
fail "the power stayed"
