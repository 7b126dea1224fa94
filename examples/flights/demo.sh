#!/usr/bin/env bash
# demo.sh OUTDIR: one confidential order between four parties, on three million real flight records. `make demo` runs it.
# Leaves in OUTDIR: result/, proof.spbundle, trust.json, timeline.json. Nothing is left running.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
bin=build/release/bin
source=node_modules/vega-datasets/data/flights-3m.parquet
rm -rf "${out:?}/home" "$out/result" "$out/data" "$out/image" "$out/scan" "$out/books"
mkdir -p "$out/books"
spctl() { "$bin/spctl" --home "$out/home" "$@"; }
field() { node -e 'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>console.log(JSON.parse(t)[process.argv[1]]))' "$1"; }
trap 'spctl down >/dev/null 2>&1 || true' EXIT

solution_price=2
data_price=5

# What must never leak: one unique text in each secret.
unique=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
data_canary=data-$unique
solution_canary=solution-$unique
argument_canary=argument-$unique

events=()
started=$(date +%s%3N)
step() { # step NAME: what began now
  events+=("$(($(date +%s%3N) - started)) $1")
  printf '\n== %s\n' "$1"
}

step "start chain, contracts, store, broker, provider"
spctl up
step "accounts of data owner and solution owner, with their security deposits"
for who in data solution; do
  spctl keys create "$who" >/dev/null
  spctl tokens faucet 1000 --key "$who" >/dev/null
  spctl providers register --key "$who" >/dev/null
done
step "data owner converts 3,000,000 records (hyparquet)"
node examples/flights/convert.mjs "$source" "$out/data" --canary "$data_canary"
step "solution owner builds an OCI image from Debian's packages"
examples/flights/build-image.sh "$out/image" --canary "$solution_canary"
step "solution owner seals, uploads and offers it"
solution=$(spctl files upload --image "$out/image" --key solution --json | field package)
solution_offer=$(spctl offers create solution --key solution --package "$solution" --price "$solution_price" --max-orders 1 --json | field offer)
step "data owner seals, uploads and offers it, for that solution alone"
data=$(spctl files upload "$out/data" --key data --json | field package)
data_offer=$(spctl offers create data --key data --package "$data" --price "$data_price" --max-orders 1 --allow-solution "$solution" --json | field offer)

spctl tokens balance --json >"$out/books/purse.json"
ordered=$(date +%s)
step "customer orders, pays, waits, opens and checks the result"
spctl run "$solution_offer" --data "$data_offer" --out "$out/result" --max-price 20 --memory 1G --disk 1G \
  -- --min-flights 200 --top 15 --title "Delays $argument_canary"
taken=$(($(date +%s) - ordered + 1)) # in whole seconds, as the chain counts them
step "independent computation, straight from the source, outside"
node examples/flights/check.mjs "$source" "$out/result/output" --min-flights 200 --top 15 --title "Delays $argument_canary"
step "proof bundle, checked offline"
order=$(spctl orders list --json | node -e 'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>console.log(JSON.parse(t).orders[0].order))')
spctl orders report "$order" -o "$out/proof.spbundle" --trust "$out/trust.json"
spctl verify --trust "$out/trust.json" "$out/proof.spbundle"

step "who paid and earned what"
spctl orders get "$order" --json >"$out/books/order.json"
spctl offers list --json >"$out/books/offers.json"
spctl tokens balance --json >"$out/books/customer.json"
for who in data solution provider; do spctl tokens balance --key "$who" --json >"$out/books/$who.json"; done
node examples/flights/money.mjs "$out/books" "$solution_price" "$data_price" "$taken"
step "everyone withdraws"
printf '\n%-10s %26s\n' WHO "WITHDREW (smallest units)"
for who in me data solution provider; do
  printf '%-10s %26s\n' "$who" "$(spctl tokens withdraw --key "$who" --json | field amount)"
done

step "stop"
spctl down

# Who could see what: a search of each role's files for each canary, after a check that the search finds one at all.
step "search for canaries in everything that provider, store and chain keep"
leaks=0
seen() { if grep -rqaF -- "$1" "$2" 2>/dev/null; then echo yes; else echo no; fi; }
mkdir -p "$out/scan"
echo "planted-$unique" >"$out/scan/planted"
[ "$(seen "planted-$unique" "$out/scan")" = yes ] || { echo "the search finds nothing"; exit 1; }
printf '\n%-22s %-10s %-10s %-10s\n' "COULD SEE" data solution arguments
row() { # row NAME FOLDER MAYSEE: a `no` in MAYSEE makes any yes a leak
  local d s a
  d=$(seen "$data_canary" "$2") s=$(seen "$solution_canary" "$2") a=$(seen "$argument_canary" "$2")
  printf '%-22s %-10s %-10s %-10s\n' "$1" "$d" "$s" "$a"
  if [ "$3" = no ] && [ "$d$s$a" != nonono ]; then leaks=1; fi
}
row "provider" "$out/home/provider" no
row "store" "$out/home/store" no
row "chain" "$out/home/chain" no
row "broker (sealed vault)" "$out/home/broker" no
row "customer's result" "$out/result" yes
[ "$leaks" = 0 ] || { echo "A SECRET LEAKED"; exit 1; }
[ "$(seen "$argument_canary" "$out/result")" = yes ] || { echo "the result lacks its title"; exit 1; }

step "end"
printf '\n%10s  %s\n' MS WHAT
printf '[' >"$out/timeline.json"
for i in "${!events[@]}"; do
  printf '%10s  %s\n' "${events[$i]%% *}" "${events[$i]#* }"
  [ "$i" = 0 ] || printf ',' >>"$out/timeline.json"
  printf '\n  {"atMs": %s, "what": "%s"}' "${events[$i]%% *}" "${events[$i]#* }" >>"$out/timeline.json"
done
printf '\n]\n' >>"$out/timeline.json"
echo
echo "WARNING: this machine has no TEE. With dev evidence, root of this machine could look at everything."
echo "The table and chart are in $out/result/output. Check the proof again with:"
echo "  $bin/spctl verify --trust $out/trust.json $out/proof.spbundle"
