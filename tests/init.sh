#!/usr/bin/env bash
# init.sh BIN: `spnode init` run again, as for a new certificate or a provider more: settings keep what an operator wrote into
# them, and get what is new. No daemon runs.
set -euo pipefail
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*"
  exit 1
}
init() { "$bin/spnode" init "$1" --folder "$work/$1" "${@:2}" >"$work/card" 2>"$work/said" || fail "init $1: $(cat "$work/said")"; }
# edit ROLE CODE: changes the role's settings as an operator would; CODE is JavaScript that changes `s`.
edit() {
  node -e 'const fs = require("fs"), [file, code] = process.argv.slice(1), s = JSON.parse(fs.readFileSync(file));
    eval(code); fs.writeFileSync(file, JSON.stringify(s));' "$work/$1/$1.json" "$2"
  cp "$work/$1/$1.json" "$work/written"
}
# holds ROLE CODE...: each is true of the role's settings `s`; `written` is as they were after edit().
holds() {
  local role=$1 code
  for code in "${@:2}"; do
    node -e 'const fs = require("fs"), [file, before, code] = process.argv.slice(1), s = JSON.parse(fs.readFileSync(file));
      const written = JSON.parse(fs.readFileSync(before)), same = (a, b) => text(a) === text(b);
      const text = (value) => JSON.stringify(value, (_, v) => // fields in any order
        v && v.constructor === Object ? Object.fromEntries(Object.entries(v).sort()) : v);
      process.exit(eval(code) ? 0 : 1);' "$work/$role/$role.json" "$work/written" "$code" ||
      fail "not so of $role.json: $code: $(cat "$work/$role/$role.json")"
  done
}

# A store: a renewed certificate changes no byte of its settings, an option what it names.
init store --host old.example
edit store 's.accounts = {}; s.backend = {s3: {url: "s3://bucket/here"}}; s.listen.address = "127.0.0.1"'
rm -r "$work/store/tls"
init store --host new.example
grep -q "store.json was there: it keeps what it says" "$work/said" || fail "no word of kept settings: $(cat "$work/said")"
cmp "$work/written" "$work/store/store.json" || fail "a renewal wrote settings anew"
grep -q '"url": "https://new.example:8301"' "$work/card" || fail "the card has another URL: $(cat "$work/card")"
init store --host new.example --port 18301 --quota 5
grep -q '"url": "https://new.example:18301"' "$work/card" || fail "an option isn't in the card"
holds store 's.listen.port === 18301' 's.quotaBytes === 5' 'same(s.accounts, {})' 's.backend.s3.url.startsWith("s3://bucket/here")' \
  's.listen.address === "127.0.0.1"'
init store --host new.example --no-tls
grep -q '"url": "http://new.example:18301"' "$work/card" || fail "the card has TLS"
holds store '!s.listen.certificate'

# A key that the settings name and that is away is no reason for another: its store would be somebody else.
mv "$work/store/state/signing.key" "$work/signing.key"
if "$bin/spnode" init store --folder "$work/store" --host new.example >/dev/null 2>"$work/said"; then fail "a store got another key"; fi
grep -q "signing.key isn't there, which .*store.json names" "$work/said" || fail "no word of the key: $(cat "$work/said")"
[ ! -e "$work/store/state/signing.key" ] || fail "a key was made in another's place"
mv "$work/signing.key" "$work/store/state/signing.key"

# A network of one provider; then each operator makes his settings his own, and a second provider comes.
account=0x00000000000000000000000000000000000000a7
second=0x00000000000000000000000000000000000000a8
init broker --host broker.example
init provider --host one.example --authority "$account" --loader "$bin/sploader"
cp "$work/provider/card.json" "$work/one.json"
"$bin/spnode" init provider --folder "$work/second" --host two.example --authority "$second" --loader "$bin/sploader" >/dev/null
network() {
  "$bin/spctl" --home "$work/home" network create --rpc http://127.0.0.1:1 --chain-id 31337 --market "$1" --token "$account" \
    --store "$work/store/card.json" --broker "$work/broker/card.json" --provider "$work/one.json" "${@:2}" >/dev/null
}
network "$account"
join() {
  init broker --host broker.example --network "$work/home/network.json"
  init provider --host one.example --authority "$account" --network "$work/home/network.json" "$@"
}
join --loader "$bin/sploader"
quorum='s.markets[0].rpc = {urls: ["https://a.example", "https://b.example", "https://c.example"], agree: 2};
  s.metrics = {address: "127.0.0.1", port: 9302}'
network "$account" --provider "$work/second/card.json"
edit broker "$quorum; s.collateral = {folder: 'state/collateral', offline: true}"
cp "$work/written" "$work/broker.before"
edit provider "$quorum; s.markets[0].confirmations = 12; s.stopGraceSeconds = 60; s.services['0x00000000000000000000000000000000000000b1'] = 'https://own.example'"
cp "$work/written" "$work/provider.before"
join
cp "$work/broker.before" "$work/written"
holds broker 'same(s.markets, written.markets)' 'same(s.metrics, written.metrics)' 's.collateral.offline === true' \
  's.attests.devKeys.length === written.attests.devKeys.length + 1'
cp "$work/provider.before" "$work/written"
holds provider 'same(s.markets, written.markets)' 'same(s.metrics, written.metrics)' 's.stopGraceSeconds === 60' \
  "s.services['$second'] === 'https://two.example:8303'" 's.loader === written.loader' \
  'Object.entries(written.services).every(([who, url]) => s.services[who] === url)'

# Another market is one more.
other=0xb800000000000000000000000000000000000000
network "$other"
join
cp "$work/broker.before" "$work/written"
holds broker 's.markets.length === 2' 'same(s.markets[0], written.markets[0])' "s.markets[1].market === '$other'"
cp "$work/provider.before" "$work/written"
holds provider 's.markets.length === 2' 'same(s.markets[0], written.markets[0])' "s.markets[1].market === '$other'"
init provider --host one.example --authority "$account" --network "$work/home/network.json" --capacity 3
holds provider 's.markets[0].capacity === 1' 's.markets[1].capacity === 3'
echo "init: all well"
