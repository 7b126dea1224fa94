#!/usr/bin/env bash
# transfers.sh BIN: uploads and downloads through a real store over TLS that are killed at random moments, as is the
# store; they go on where they were, end with the very bytes, leave nothing behind and stay in bounded memory.
set -euo pipefail
bin=$1
size_mib=${SIZE_MIB:-384}
rss_max_kib=$((160 * 1024)) # of spctl, whatever the size
work=$(mktemp -d)
store_pid=
liar_pid=
holder=
finish() {
  local pid
  for pid in $store_pid $liar_pid $holder; do kill -KILL "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*"
  tail -n 20 "$work"/*.log || true
  exit 1
}

"$bin/spnode" init store --folder "$work/store" --host 127.0.0.1 --listen 127.0.0.1 --port 0 >"$work/card.json"
export SSL_CERT_FILE=$work/store/tls/certificate.pem
[ -f "$SSL_CERT_FILE" ] || fail "no certificate: $(ls -R "$work/store")"
# A free port, that stays the same over the store's restarts.
listens_on_free() { # FOLDER: prints the URL
  local port
  port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
  sed -i "s/\"port\": [0-9]*/\"port\": $port/" "$1/store.json"
  echo "https://127.0.0.1:$port"
}
answers() { # URL
  local i
  for ((i = 0; i < 200; ++i)); do
    if curl -sf --cacert "$SSL_CERT_FILE" "$1/health" >/dev/null; then return; fi
    sleep 0.05
  done
  fail "the store at $1 doesn't answer"
}
url=$(listens_on_free "$work/store")
start_store() {
  (cd "$work/store" && exec "$bin/spnode" store --config store.json) >>"$work/store.log" 2>&1 &
  store_pid=$!
  answers "$url"
}
start_store
# shellcheck source=tests/within.sh
. "$(dirname "$0")/within.sh"
# shellcheck source=tests/killed.sh
. "$(dirname "$0")/killed.sh"

spctl() { "$bin/spctl" --home "$work/home" "$@"; }
spctl keys create me >/dev/null
mkdir "$work/data"
head -c $((size_mib << 20)) /dev/urandom >"$work/data/random"

declare -A moved_before=([sent]=0 [received]=0)
# moved WAY: bytes of blobs that the store sent or received, over its restarts.
moved() {
  local now
  now=$(curl -sf --cacert "$SSL_CERT_FILE" "$url/metrics" |
    sed -n "s/^superprotocol_store_http_${1}_bytes_total{route=\"\/v1\/blobs\"} //p")
  echo $((moved_before[$1] + ${now:-0}))
}
midway() { # the store is killed as well
  local way
  for way in sent received; do moved_before[$way]=$(moved "$way"); done
  kill -KILL "$store_pid"
  { wait "$store_pid" || true; } 2>/dev/null
  start_store
}

repeat files upload "$work/data" --store "$url"
id=$(head -n 1 "$work/out")
[ ${#id} = 64 ] || fail "no package id: $(cat "$work/out")"
blobs=$(find "$work/store/state/blobs" -type f -name '????????????????????????????????????????????????????????????????' | wc -l)
# Every chunk lies there once, and the manifest: what was sealed before a kill was not sealed otherwise after it.
[ "$blobs" = $((size_mib + 2)) ] || fail "the store has $blobs blobs, not $((size_mib + 2))"
grep -q '^Going on with data' "$work/spctl.log" || fail "no upload went on"
sealed=$(find "$work/store/state/blobs" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
moved_once "$(moved received)" "$sealed"

repeat files download "$id" --store "$url" --out "$work/got"
moved_once "$(moved sent)" "$sealed"
cmp "$work/data/random" "$work/got/random" || fail "other bytes came back"
# A run that was killed when all was done and nothing told: the same command ends what it left, and only that one.
mkdir "$work/home/transfers/$id"
ln -s "$work/got" "$work/home/transfers/$id/opened"
spctl files download "$id" --store "$url" --out "$work/got" >/dev/null || fail "a download that is done isn't ended"
code=0
spctl files download "$id" --store "$url" --out "$work/got" >/dev/null 2>"$work/twice" || code=$?
[ "$code" = 1 ] || fail "a folder that isn't empty was taken"
rm -rf "$work/home/transfers/$id"
# The same content from a second place, where the first is gone.
spctl files download "$id" --store "https://127.0.0.1:1" --store "$url" --out "$work/again" >/dev/null 2>&1 ||
  fail "a second place doesn't help"
cmp "$work/data/random" "$work/again/random" || fail "other bytes came from the second place"

# Two uploads of one file, then three downloads to one folder, at once: who waits for another's turn says so.
mkdir "$work/small"
head -c $((48 << 20)) /dev/urandom >"$work/small/random"
# The journal of one that is killed is both uploads' journal, and another's for now.
journal() { find "$work/home/transfers" -name '*.upload'; }
for _ in $(seq 10); do # it may end before the kill
  "$bin/spctl" --home "$work/home" files upload "$work/small" --store "$url" >/dev/null 2>&1 &
  killed_upload=$!
  until [ -n "$(journal)" ] || ! kill -0 "$killed_upload" 2>/dev/null; do :; done
  kill -KILL "$killed_upload" 2>/dev/null || true
  { wait "$killed_upload" || true; } 2>/dev/null
  [ -z "$(journal)" ] || break
done
[ -n "$(journal)" ] || fail "every upload ends before it is killed"
hold_lock "$(journal)"
at_once=()
for i in 1 2; do
  spctl files upload "$work/small" --store "$url" >"$work/id$i" 2>"$work/up$i.log" &
  at_once+=($!)
  within 20 grep -q 'is uploading small: waiting' "$work/up$i.log" || fail "no word of who waits for an upload"
done
kill "$holder"
for each in "${at_once[@]}"; do wait "$each" || fail "an upload beside one of the same ended with $?"; done
at_once=()
for i in 1 2 3; do
  spctl files download "$(cat "$work/id1")" --store "$url" --out "$work/one" >/dev/null 2>"$work/down$i.log" &
  at_once+=($!)
done
good=0
for each in "${at_once[@]}"; do
  if wait "$each"; then good=$((good + 1)); fi
done
[ "$good" = 1 ] || fail "$good of three downloads to one folder say that they opened it"
cmp "$work/small/random" "$work/one/random" || fail "downloads to one folder destroyed each other"
[ "$(cat "$work"/down?.log | grep -c "isn't empty")" = 2 ] || fail "two downloads don't say why they didn't open"
rm -rf "$work/home/transfers/$(cat "$work/id1")"
# And from a second place where the first one lies: it has the same blobs, a byte of each changed.
cp -r "$work/store" "$work/liar"
find "$work/liar/state/blobs" -type f -regextype posix-extended -regex '.*/[0-9a-f]{64}' |
  while read -r blob; do printf X | dd of="$blob" bs=1 seek=20 conv=notrunc status=none; done
liar=$(listens_on_free "$work/liar")
(cd "$work/liar" && exec "$bin/spnode" store --config store.json) >>"$work/liar.log" 2>&1 &
liar_pid=$!
answers "$liar"
if spctl files download "$(cat "$work/id1")" --store "$liar" --out "$work/lies" >/dev/null 2>&1; then fail "lies were believed"; fi
lied() {
  curl -sf --cacert "$SSL_CERT_FILE" "$liar/metrics" | sed -n 's/^superprotocol_store_http_sent_bytes_total{route="\/v1\/blobs"} //p'
}
before=$(lied)
spctl files download "$(cat "$work/id1")" --store "$liar" --store "$url" --out "$work/truth" >/dev/null 2>&1 ||
  fail "an honest place doesn't help beside a liar"
cmp "$work/small/random" "$work/truth/random" || fail "other bytes came from beside a liar"
[ "$(lied)" -gt "$before" ] || fail "the liar wasn't asked"
kill "$liar_pid"
# Who waits leaves at Ctrl-C.
mkdir "$work/home/transfers/$id"
hold_lock "$work/home/transfers/$id"
"$bin/spctl" --home "$work/home" files download "$id" --store "$url" --out "$work/never" >/dev/null 2>"$work/wait.log" &
waiting=$!
within 20 grep -q waiting "$work/wait.log" || fail "no word of who waits for a download"
kill -INT "$waiting"
code=0
wait "$waiting" || code=$?
[ "$code" = 1 ] || fail "a download that waited ended with $code"
kill "$holder"
holder=
rmdir "$work/home/transfers/$id"

left=$(find "$work/home/transfers" "$work" -maxdepth 1 -mindepth 1 \( -name '*.upload' -o -name '*.part' -o -name '*partial*' \) ;
  find "$work/home/transfers" -mindepth 1)
[ -z "$left" ] || fail "left behind: $left"
[ "$most_kib" -lt "$rss_max_kib" ] || fail "spctl took $most_kib KiB"
echo "spctl took at most $most_kib KiB for $size_mib MiB"
