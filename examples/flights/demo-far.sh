#!/usr/bin/env bash
# demo-far.sh OUTDIR: the order of demo.sh between six machines (network namespaces) with a long way between them, while
# every daemon is killed once in its middle. `make demo-far` and the test "far" run it. Ends well only with the right result
# and the right money; with 77 where namespaces can't be made. Leaves in OUTDIR: result/, proof.spbundle, trust.json, events.
# Nothing is left running.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath -m "$1")
bin=$PWD/build/release/bin
tools=$PWD/node_modules
# shellcheck disable=SC2034  # world.sh reads it
source=node_modules/vega-datasets/data/flights-3m.parquet
work=$out/machines
for name in machines result proof.spbundle trust.json; do rm -rf "${out:?}/$name"; done
mkdir -p "$work"
# shellcheck source=tests/far/world.sh
. tests/far/world.sh
unfit=$(far_unfit)
if [ -n "$unfit" ]; then
  echo "SKIPPED: this demo can't run here: $unfit." >&2
  exit 77
fi
trap far_down EXIT
solution_price=2
data_price=5
unique=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
started=$(date +%s%3N)
step() { printf '\n== %s\n' "$1"; }

step "six machines, ${FAR_DELAY_MS:-50} ms apart, losing packets; daemons with keys and certificates of their own"
far_up
step "owners prepare and offer: 3,000,000 flight records, and a program made of Debian's packages"
for who in data solution; do
  far_new_key owner "$who" >/dev/null
  far_spctl owner tokens faucet 1000 --key "$who" >/dev/null
  far_spctl owner providers register --key "$who" >/dev/null
done
node examples/flights/convert.mjs "$source" "$work/owner/data" --canary "data-$unique"
rm -rf "$out/image" # built beside its packages, which are kept for the next time
examples/flights/build-image.sh "$out/image" --canary "solution-$unique"
mv "$out/image" "$work/owner/image"
solution=$(far_spctl owner files upload --image image --key solution --json | far_field package)
solution_offer=$(far_spctl owner offers create solution --key solution --package "$solution" --price "$solution_price" --max-orders 1 --json | far_field offer)
data=$(far_spctl owner files upload data --key data --json | far_field package)
data_offer=$(far_spctl owner offers create data --key data --package "$data" --price "$data_price" --max-orders 1 --allow-solution "$solution" --json | far_field offer)

books=$out/books
rm -rf "$books"
mkdir "$books"
far_spctl customer tokens balance --json >"$books/purse.json"
ordered=$(date +%s)
step "the customer orders; each daemon is killed (SIGKILL) once while the order is at work"
(far_exec customer "$bin/spctl" --home /mnt/home run "$solution_offer" --data "$data_offer" --out result --max-price 20 \
  --memory 1G --disk 1G -- --min-flights 200 --top 15 --title "Delays argument-$unique") 2>&1 | tee "$work/run.log" &
run=$!
far_while=$run
far_until 60 "no order was made" grep -q 'created: order 0x' "$work/run.log"
order=$(sed -n 's/.*created: order \(0x[0-9a-f]*\).*/\1/p' "$work/run.log")
# What the provider tells on its own machine: the customer, far away, asks too seldom for what is short.
provider_says() {
  far_in provider curl --silent --fail --max-time 5 --cacert home/ca.pem \
    "https://${far_address[provider]}:8303/v1/orders/$order" | grep -Eq "\"stage\": ?\"$1"
}
# The program's own process: on a fast machine it ends between two questions.
at_work() { pgrep -f "flights\\.py .*argument-$unique"; }
strike() { # strike STAGE DAEMON CONDITION...: kills it as soon as the condition holds, and starts it again a second later
  local stage=$1 daemon=$2
  shift 2
  far_until 300 "the order didn't come to $stage" "$@"
  far_kill "$daemon"
  echo "   --- $daemon is killed while the order is $stage"
  sleep 1
  far_restart "$daemon"
  echo "   --- $daemon starts again"
}
strike attesting broker provider_says attesting
strike fetching store provider_says fetching
strike running provider at_work
# The provider runs the order again: its new session is killed no more, but the chain is.
strike 'attesting again' chain provider_says attesting
far_while=
wait "$run" || { echo "the order failed" >&2; exit 1; }
taken=$(($(date +%s) - ordered + 1)) # in whole seconds, as the chain counts them

step "the right result: computed again, straight from the source, outside"
cp -r "$work/customer/result" "$out/result"
node examples/flights/check.mjs "$source" "$out/result/output" --min-flights 200 --top 15 --title "Delays argument-$unique"
step "the right money: who paid and earned what"
orders=$(far_spctl customer orders list --json | node -e 'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>console.log(JSON.parse(t).orders.map((o)=>o.order).join()))')
[ "$orders" = "$order" ] || { echo "the customer has orders $orders, not $order alone" >&2; exit 1; }
far_spctl customer orders get "$order" --json >"$books/order.json"
far_spctl customer offers list --json >"$books/offers.json"
far_spctl customer tokens balance --json >"$books/customer.json"
far_spctl provider tokens balance --key authority --json >"$books/provider.json"
for who in data solution; do far_spctl owner tokens balance --key "$who" --json >"$books/$who.json"; done
node examples/flights/money.mjs "$books" "$solution_price" "$data_price" "$taken"
far_spctl customer orders report "$order" -o proof.spbundle --trust trust.json
cp "$work/customer/proof.spbundle" "$work/customer/trust.json" "$out/"
"$bin/spctl" verify --trust "$out/trust.json" "$out/proof.spbundle"

step "no machine has what isn't its own: no other's files in its sight, no secret on its disk, nothing without TLS"
for role in provider store chain broker; do
  if [ -n "$(far_in "$role" find "$work" -mindepth 1)" ]; then
    echo "$role sees others' files" >&2
    exit 1
  fi
  for canary in data solution argument; do
    if grep -rqaF -- "$canary-$unique" "$work/$role"; then
      echo "A SECRET LEAKED: $canary on the disk of $role" >&2
      exit 1
    fi
  done
done
grep -rqaF -- "argument-$unique" "$out/result" || { echo "the search finds nothing at all" >&2; exit 1; }
for url in http https; do # the second without the certificate that the customer was given
  if far_in customer curl --silent --max-time 5 "$url://${far_address[store]}:8301/health" | grep -q ok; then
    echo "the store answers over $url to who doesn't know its certificate" >&2
    exit 1
  fi
done
far_answers store >/dev/null || { echo "the store answers to nobody" >&2; exit 1; }

step "the way was long, and lost packets"
far_long
far_lossy

step "what was killed when"
while read -r at what; do printf '%10s ms  %s\n' "$((at - started))" "$what"; done <"$far_events" | tee "$out/events"
echo
echo "Every daemon was killed once, and the order ended with the right result and the right money."
