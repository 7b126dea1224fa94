#!/usr/bin/env bash
# The time of a no-op order on a warm local system, whole processes from the start of `spctl run` to the opened result, beside
# `runc run` alone on the same program; and the gas of a deal as the chain charged it. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-20}
work=$(mktemp -d)
bin=$PWD/build/release/bin
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
trap 'spctl down >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

printf 'int main(void) { return 0; }\n' >"$work/noop.c"
cc -static -O2 -o "$work/noop" "$work/noop.c"
tests/make-image.sh "$work/noop" "$work/image"
spctl up >/dev/null 2>&1

# run's own timeline, stage by stage; the whole by the clock around the process.
for ((i = 0; i <= runs; i++)); do
  before=$(date +%s%N)
  spctl run "$work/image" --out "$work/result-$i" --json >"$work/run-$i.json" 2>/dev/null
  echo $((($(date +%s%N) - before) / 1000)) >>"$work/order-us"
done

mkdir -p "$work/bundle/rootfs"
cp "$work/noop" "$work/bundle/rootfs/noop"
(cd "$work/bundle" && runc spec && sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"\/noop"/' config.json)
for ((i = 0; i <= runs; i++)); do
  before=$(date +%s%N)
  runc --root "$work/runc" run --bundle "$work/bundle" "bench-$$-$i"
  echo $((($(date +%s%N) - before) / 1000)) >>"$work/runc-us"
done

# The first of each is a warm-up and doesn't count.
WORK=$work node -e '
  const fs = require("fs"), w = process.env.WORK;
  const times = (f) => fs.readFileSync(w + "/" + f, "utf8").trim().split("\n").slice(1).map((x) => x / 1000).sort((a, b) => a - b);
  const median = (t) => (t[(t.length - 1) >> 1] + t[t.length >> 1]) / 2;
  const order = times("order-us"), runc = times("runc-us");
  const line = (o) => console.log(JSON.stringify(o));
  line({bench: "order", runs: order.length, medianMs: median(order), leastMs: order[0], mostMs: order[order.length - 1],
        runcMedianMs: median(runc), ratioToRunc: median(order) / median(runc), limitMs: 300});
  line({bench: "order.stages", timeline: JSON.parse(fs.readFileSync(w + "/run-" + order.length + ".json", "utf8")).timeline});
'
WORK=$work node -e 'const g=require("./contracts/snapshots/Market.json");console.log(JSON.stringify({bench:"gas",...g}))'
