#!/usr/bin/env bash
# canaries.sh BIN: a whole order with every log at debug, orders and a deposit that fail, and no secret of them in any line, nor in what
# daemons say of health and to Prometheus: not the customer's arguments and data, nor a key of anyone, neither raw nor in hexadecimal nor
# in base64. Then the daemons' metrics are read by the format.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/local.sh
. "$here/../local.sh" "$1" "a real order"
spctl() { "$bin/spctl" --home "$home" "$@" 2>>"$work/spctl.log"; }

# escaped HEX: as printf %b takes it.
escaped() { fold -w 2 <<<"$1" | sed 's/^/\\x/' | tr -d '\n'; }
# hexes FILE: its bytes as hexadecimal on one line.
hexes() { od -An -v -tx1 "$1" | tr -d ' \n'; }
# holding HEX FILE...: which of the files hold these bytes: raw, in hexadecimal of either case, in base64 of either alphabet, of these bytes
# alone or in the middle of a longer text.
holding() {
  local bytes=$1 size=$((${#1} / 2)) skip text file base64s=()
  shift
  for skip in 0 1 2; do
    # Whole groups of three bytes: the digits beside depend on what is before and behind.
    text=$(printf '%b' "$(escaped "${bytes:skip*2:(size - skip) / 3 * 6}")" | base64 -w 0)
    base64s+=(-e "$text" -e "$(tr '+/' '-_' <<<"$text")")
  done
  for file; do [ "$file.hex" -nt "$file" ] || hexes "$file" >"$file.hex"; done
  { grep -lF "$bytes" "${@/%/.hex}" || grep -liaF "$bytes" "$@" || grep -laF "${base64s[@]}" "$@"; } || true
}
# The search finds what it is for, and nothing else.
secret=00c0ffee0a1b2c3d4e5f60718293a4b5
for form in "$(printf '%b' "x\\x00\\xc0\\xff\\xee\\x0a\\x1b\\x2c\\x3d\\x4e\\x5f\\x60\\x71\\x82\\x93\\xa4\\xb5" | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf 'key=%s.' $secret | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf 'key=%s.' ${secret^^} | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf 'key=AMD/7gobLD1OX2BxgpOktQ==.' | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf 'key=AMD_7gobLD1OX2BxgpOktQ.' | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf '%b' "$(escaped 78${secret}7879)" | base64 -w 0 | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf '%b' "$(escaped 7878${secret}78)" | base64 -w 0 | od -An -v -tx1 | tr -d ' \n')" \
  "$(printf '%b' "$(escaped 7878${secret}78)" | base64 -w 0 | tr '+/' '-_' | od -An -v -tx1 | tr -d ' \n')"; do
  printf '%b' "$(escaped "$form")" >"$work/form"
  [ -n "$(holding $secret "$work/form")" ] || fail "the search is blind to $form"
  rm "$work/form.hex"
done
[ -z "$(holding "${secret%b5}b6" "$work/form")" ] || fail "the search finds what isn't there"

# restart DAEMON: with its log at debug.
restart() {
  local pid
  read -r pid _ <"$home/$1/$1.pid"
  kill "$pid"
  tail --pid="$pid" -f /dev/null
  local user
  user=$(stat -c %u "$home/$1/state")
  (
    cd "$home/$1"
    HOME=state exec setpriv --reuid "$user" --regid "$user" --clear-groups "$work/bin/spnode" "$1" --config "$1.json" \
      --log-level debug >>"$1.log" 2>&1
  ) &
  pid=$!
  echo "$pid $(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)" >"$home/$1/$1.pid"
  within 30 is_well "$1" || fail "the $1 isn't well with its log at debug"
}
is_well() { curl -sf "$(url_of "$1")/health" >/dev/null; }
url_of() { sed -n "s/.*\"port\": \([0-9]*\).*/http:\/\/127.0.0.1:\1/p" "$home/$1/$1.json"; }

# The daemons' users reach the programs here, and they are the same bytes.
mkdir "$work/bin"
chmod 711 "$work" "$work/bin"
cp "$bin/spctl" "$bin/spnode" "$bin/sploader" "$work/bin"
bin=$work/bin
spctl up --anvil "${here%/tests/ops}/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" >/dev/null
chmod 711 "$home"
for daemon in store broker provider; do restart "$daemon"; done

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
/* program ARGUMENT [EXITCODE]: says its argument. */
int main(int argc, char** argv) {
  if (printf("%s\n", argc > 1 ? argv[1] : "") < 0) return 90;
  return argc > 2 ? atoi(argv[2]) : 0;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
"$here/../make-image.sh" "$work/program" "$work/image"
argument=canary-argument-$(od -An -N 12 -tx1 /dev/urandom | tr -d ' \n')
echo "canary-data-$(od -An -N 12 -tx1 /dev/urandom | tr -d ' \n')" >"$work/data.txt"
spctl run "$work/image" --data "$work/data.txt" --out "$work/result" -- "$argument" || fail "run ended with $?"
grep -qF "$argument" "$work/result/log.txt" || fail "the workload didn't see its argument"
# What fails: a workload; an image that is none; data whose owner's policy is for another image; secrets that the broker can't keep.
fails() { # fails CODE WHAT ARGUMENT...: a run that ends so
  local code=0 expected=$1 what=$2
  shift 2
  spctl run "$@" >/dev/null || code=$?
  [ "$code" = "$expected" ] || fail "a run $what ended with $code"
}
cp -r "$work/image" "$work/broken"
echo '{}' >"$work/broken/index.json"
spctl keys create seller >/dev/null
spctl tokens faucet 1000 --key seller >/dev/null
spctl providers register --key seller >/dev/null
sold=$(spctl files upload "$work/data.txt" --key seller)
offer=$(spctl offers create data --key seller --package "$sold" --allow-solution "$sold" --price 1) || fail "no offer of data"
fails 7 "whose workload fails" "$work/image" --data "$work/data.txt" --out "$work/failed" -- "$argument" 7
fails 1 "of a broken image" "$work/broken" --data "$work/data.txt" -- "$argument"
fails 1 "with data that it may not have" "$work/image" --data "$offer" -- "$argument"
chmod u-w "$home/broker/state/vault"
fails 1 "without a deposit" "$work/image" --data "$work/data.txt" -- "$argument"
chmod u+w "$home/broker/state/vault"
for event in release_refused vault_io; do
  grep -q "\"$event\"" "$home/broker/broker.log" || fail "the broker's log has no $event"
done
# What is uploaded by itself has a key in HOME/content.
package=$(spctl files upload "$work/data.txt") || fail "upload ended with $?"
spctl files download "$package" --out "$work/again" >/dev/null || fail "download ended with $?"

# secrets_of FILE: what is secret of an order's record (apps/spctl/order_files.cpp): its secret, arguments, and keys of contents.
secrets_of() {
  local hex at=68 size
  hex=$(hexes "$1")
  for _ in name terms; do at=$((at + 8 + 2 * 16#${hex:at:8})); done
  echo "${hex:at:64}"
  size=$((2 * 16#${hex:at+64:8}))
  echo "${hex:at+72:size}"
  at=$((at + 72 + size + 4))
  for ((; at < ${#hex}; at += 128)); do echo "${hex:at+64:64}"; done
}
# What nobody may read in a log: by name, in hexadecimal.
secrets=()
secrets+=("argument $(printf %s "$argument" | od -An -v -tx1 | tr -d ' \n')" "data $(head -c 30 "$work/data.txt" | od -An -v -tx1 | tr -d ' \n')")
while read -r file; do secrets+=("${file#"$home"/} $(hexes "$file")"); done < <(
  find "$home"/{store,broker,provider}/state -maxdepth 1 -type f -size -4k
  find "$home/keys" "$home/content" -type f ! -name '*.json' -size -4k
)
while read -r file; do
  while read -r hex; do secrets+=("${file#"$home"/} $hex"); done < <(secrets_of "$file")
done < <(find "$home/orders" -name order)
# Each order's own: its secret, arguments, keys of image and data, where those aren't others'; and the key of what was uploaded by itself.
[ "$(printf '%s\n' "${secrets[@]}" | grep -c '^orders/')" = $((5 * 4 - 1)) ] || fail "other secrets of an order: ${secrets[*]%% *}"
[[ ${secrets[*]} == *" content/$package.key "* ]] || fail "no key of content: ${secrets[*]%% *}"
[[ $(printf '%s\n' "${secrets[@]}" | grep '^orders/') == *"$(hexes <(printf %s "$argument"))"* ]] ||
  fail "an order's record is read wrongly"
[ ${#secrets[@]} -ge 12 ] || fail "too few secrets are known: ${secrets[*]%% *}"
logs=("$work/spctl.log")
while read -r file; do logs+=("$file"); done < <(find "$home" -name '*.log' -o -path '*/logs/*' -type f)
[ ${#logs[@]} -ge 5 ] || fail "too few logs are known: ${logs[*]}"
for daemon in store broker provider; do
  for page in metrics health; do
    curl -sf "$(url_of "$daemon")/$page" >"$work/$daemon.$page" || fail "no $page of $daemon"
    logs+=("$work/$daemon.$page")
  done
done
for daemon in store broker provider; do
  grep -q '"level":"debug"' "$home/$daemon/$daemon.log" || fail "the log of $daemon isn't at debug"
done
for entry in "${secrets[@]}"; do
  bytes=${entry##* }
  # Of a file of several keys each 32 bytes count; a shorter rest counts with what is before it.
  for ((at = 0; at < ${#bytes}; at += 64)); do
    piece=${bytes:at:64}
    [ ${#piece} -ge 32 ] || continue
    # Constant bytes of a format are no secret.
    [ "$(fold -w 2 <<<"$piece" | sort -u | wc -l)" -ge 8 ] || continue
    holders=$(holding "$piece" "${logs[@]}")
    [ -z "$holders" ] || fail "${entry% *} is in $holders"
  done
done

# What the daemons tell to Prometheus is by the format, and has seen the order.
for daemon in store broker provider; do
  "$1/metrics_check" "superprotocol_${daemon}_" <"$work/$daemon.metrics" || fail "the metrics of $daemon"
  case $daemon in
    store) expected='superprotocol_store_http_requests_total{method="PUT",route="/v1/blobs",status="201"} [1-9]' ;;
    broker) expected='superprotocol_broker_sessions_total{outcome="released"} [1-9]' ;;
    provider) expected='superprotocol_provider_orders_total{market="31337-[0-9a-f]*",event="settled"} 4$' ;;
  esac
  grep -q "^$expected" "$work/$daemon.metrics" || fail "the metrics of $daemon haven't seen the order"
done
# A broker and a provider whose chain is gone say so.
read -r chain _ <"$home/chain/chain.pid"
kill -STOP "$chain"
for daemon in broker provider; do
  for _ in $(seq 400); do
    state=$(curl -s -o "$work/health" -w '%{http_code}' "$(url_of "$daemon")/health")
    [ "$state" = 503 ] && break
    sleep 0.2
  done
  [ "$state" = 503 ] || fail "a $daemon without a chain is well: $(cat "$work/health")"
  grep -q "hasn't answered for" "$work/health" || fail "the $daemon says another reason: $(cat "$work/health")"
done
kill -CONT "$chain"
echo "canaries: all well"
