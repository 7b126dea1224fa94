#!/usr/bin/env bash
# backup.sh BIN: docs/OPERATIONS.md's backups, in the middle of an order: of every role and of a customer exactly what the table says is
# to be kept is copied with tar, all else is destroyed, and what was kept goes on: the order under way, its proof, an older order's
# result, content of before, and a new order. Then the whole folders, as a broker's of the day before are put back.
# That such a broker gives no key for an order that has ended is in tests/hostile/keys_test.cpp.
# Needs root and runc, and says so where it skips.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/local.sh
. "$here/../local.sh" "$1" "the backup test"
customer() { "$bin/spctl" --home "$work/customer" "$@" 2>>"$work/customer.log"; }
until_order() { # until_order TEXT: the order's state holds it
  local left=200
  until customer orders get "$order" --json | grep -q "$1"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "the order isn't $1"
    sleep 0.2
  done
}
# What the table says is to be kept, row by row (TLS keys and ca.pem are where a system has them). Other folders are made with their
# owners and modes, and nothing in them.
whole=(home/{store/state/blobs,broker/state/vault,provider/state/market-*/orders} customer/{keys,orders,content})
alone=(
  home/{store,broker,provider}{,/state} home/{store/store,broker/broker,provider/provider}.json
  home/store/state/store.key home/broker/state/{broker.keys,platform} home/provider/state/{action.key,platform}
  home/provider/state/market-*{,/cursor} customer customer/network.json
)
back_up() {
  (
    cd "$work"
    # shellcheck disable=SC2068  # patterns
    { find ${whole[@]} -print0 && printf '%s\0' ${alone[@]}; } |
      tar --numeric-owner --no-recursion --null -T - -cpf backup.tar
    chmod 0600 backup.tar
  )
}
# restore ARCHIVE NAME...: puts back what of them is in the archive; without names all.
restore() { tar --numeric-owner -C "$work" -xpf "$@"; }

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <unistd.h>
/* program [NAME]: writes an output; with a name it takes its time. */
int main(int argc, char** argv) {
  if (argc > 1) sleep(5);
  FILE* out = fopen("/sp/output/done.txt", "w");
  return out == NULL || fputs("done\n", out) < 0 || fclose(out) != 0;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
"$here/../make-image.sh" "$work/program" "$work/image"
spctl up >/dev/null
# A customer with a home of its own, on another machine as it were.
mkdir "$work/customer"
cp -a "$home/keys" "$home/network.json" "$work/customer"
limits=(--memory 64M --disk 64M)
echo "a note of before" >"$work/note"
note=$(customer files upload "$work/note")
customer run "$work/image" "${limits[@]}" >"$work/old.txt" || fail "no order before the backup"
old=$(customer orders list --json | grep -o '0x[0-9a-f]\{64\}' | head -n 1)
at_work=at-work-$$
order=$(customer orders create "$work/image" "${limits[@]}" --json -- "$at_work" | grep -o '0x[0-9a-f]\{64\}' | head -n 1)
within 20 pgrep -fx "/program $at_work" >/dev/null || fail "the provider doesn't run the order"
# However long the end of the daemons takes, the order is in the middle.
kill -STOP "$(pgrep -fx "/program $at_work")"
spctl down >/dev/null

back_up
rm -rf "$home"/{store,broker,provider} "$work/customer"
restore "$work/backup.tar"
[ "$(stat -c %a "$home/broker/state/broker.keys")" = 600 ] || fail "the broker's keys are open"
# What may be lost is.
left=$(find "$home"/{store,broker,provider} "$work/customer" '(' -name '*.log' ! -path '*/blobs/*' -o -name logs -o -name 'outbox-*' ')')
[ -z "$left" ] || fail "it was kept: $left"
# Without the help of `spctl up`, which makes what isn't there.
for role in store broker provider; do
  (cd "$home/$role" && "$bin/spnode" check "$role" --config "$role.json" >"$work/check.log" 2>&1) ||
    fail "the $role lacks something: $(cat "$work/check.log")"
done
spctl up >/dev/null
until_order settled
customer orders resume "$order" --out "$work/result" >/dev/null
grep -q '^done$' "$work/result/output/done.txt" || fail "wrong result"
grep -c '"order_settled"' "$home/provider/provider.log" | grep -qx 1 || fail "settled more than once"
for each in "$order" "$old"; do
  rm -rf "$work/opened" "$work/proof" "$work/trust"
  customer orders result "$each" --out "$work/opened" >/dev/null || fail "no result of $each"
  grep -q '^done$' "$work/opened/output/done.txt" || fail "wrong result of $each"
  customer orders report "$each" --out "$work/proof" --trust "$work/trust" >/dev/null || fail "no proof of $each"
  customer verify --trust "$work/trust" "$work/proof" >/dev/null || fail "the proof of $each doesn't hold"
done
customer files download "$note" --out "$work/note-again" >/dev/null || fail "content of before can't be opened"
cmp "$work/note" "$work/note-again/note" || fail "content of before is another"
customer run "$work/image" "${limits[@]}" >/dev/null || fail "no new order after the restore"
customer files delete "$note" >/dev/null || fail "the store doesn't know whose content it is"

# An old state of the broker, put back after these orders: it serves the next one.
spctl down >/dev/null
rm -rf "$home/broker"
restore "$work/backup.tar" home/broker
spctl up >/dev/null
until_order settled
customer run "$work/image" "${limits[@]}" >/dev/null || fail "a restored broker serves no new order"

# The whole folders of daemons, as they are.
spctl down >/dev/null
tar --numeric-owner -C "$work" -cpf "$work/whole.tar" home/{store,broker,provider}
rm -rf "$home"/{store,broker,provider}
restore "$work/whole.tar"
spctl up >/dev/null
customer run "$work/image" "${limits[@]}" >/dev/null || fail "whole folders serve no order"

# A provider's damaged file is named at its start, which fails; as docs/OPERATIONS.md has it, it works again without the file.
serves() { grep -q '"event":"listening"' "$work/start.log"; }
# Where the chain answers too late for the start, the provider serves and says the same.
has_told() { ! kill -0 "$starting" 2>/dev/null || { serves && grep -q market_unusable "$work/start.log"; }; }
read -r pid _ <"$home/provider/provider.pid"
kill "$pid"
tail --pid="$pid" -f /dev/null
market=$(basename "$home"/provider/state/market-*)
outbox=$(basename "$home"/provider/state/outbox-*)
entry=$(find "$home/provider/state/$market/orders" -name '[0-9a-f]*' -printf '%f\n' | sort | head -n 1)
for damaged in "ledger $market/orders/$entry" "cursor $market/cursor" "outbox $outbox/7"; do
  file=$home/provider/state/${damaged#* }
  [ "${damaged%% *}" != outbox ] || echo "no transaction" >"$file"
  truncate -s -1 "$file"
  (cd "$home/provider" && HOME=state exec "$bin/spnode" provider --config provider.json) >"$work/start.log" 2>&1 &
  starting=$!
  if ! within 60 has_told; then
    kill "$starting" || true
    fail "a start with a damaged ${damaged%% *} says nothing of it: $(cat "$work/start.log")"
  fi
  named="damaged ${damaged%% *} state/${damaged#* }: "
  code=0
  if serves; then
    kill "$starting"
    wait "$starting" || code=$?
    [ "$code" = 0 ] || fail "a provider with a damaged ${damaged%% *} was stopped and ended with $code"
  else
    wait "$starting" || code=$?
    [ "$code" = 1 ] || fail "a start with a damaged ${damaged%% *} ended with $code: $(cat "$work/start.log")"
    grep -q "^spnode: market 31337-.*: $named" "$work/start.log" || fail "no word of the ${damaged%% *}: $(cat "$work/start.log")"
  fi
  grep -q "\"market_unusable\".*$named" "$work/start.log" || fail "no event of the ${damaged%% *}: $(cat "$work/start.log")"
  ! grep -q market_closed "$work/start.log" || fail "a damaged ${damaged%% *} is a chain that doesn't answer"
  rm "$file"
done
spctl up >/dev/null
customer run "$work/image" "${limits[@]}" >/dev/null || fail "without its damaged files a provider serves no order"
spctl down >/dev/null
echo "backup: all well"
