#!/usr/bin/env bash
# backup.sh BIN: docs/OPERATIONS.md's backup, of every role, in the middle of an order: the folders are copied with tar while
# the daemons are stopped, destroyed, unpacked and started: the order goes on and is settled, and what was kept is used once.
# Needs root and runc, and says so where it skips.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/local.sh
. "$here/../local.sh" "$1" "the backup test"
until_order() { # until_order TEXT: the order's state holds it
  local left=200
  until spctl orders get "$order" --json | grep -q "$1"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "the order isn't $1"
    sleep 0.2
  done
}

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <unistd.h>
int main(void) {
  sleep(2);
  FILE* out = fopen("/sp/output/done.txt", "w");
  return out == NULL || fputs("done\n", out) < 0 || fclose(out) != 0;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
"$here/../make-image.sh" "$work/program" "$work/image"
spctl up >/dev/null
order=$(spctl orders create "$work/image" --memory 64M --disk 64M --json | grep -o '0x[0-9a-f]\{64\}' | head -n 1)
left=100
until grep -q order_taken "$work/home/provider/provider.log"; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || fail "the provider doesn't take the order"
  sleep 0.1
done
spctl down >/dev/null

# The backup: what the daemons have, with owners and modes; then nothing of it is left.
(cd "$work/home" && tar --numeric-owner -cpf "$work/backup.tar" store broker provider)
chmod 0600 "$work/backup.tar"
rm -rf "$work"/home/{store,broker,provider}
(cd "$work/home" && tar --numeric-owner -xpf "$work/backup.tar")
[ "$(stat -c %a "$work/home/broker/state/broker.keys")" = 600 ] || fail "the broker's keys are open"

spctl up >/dev/null
until_order settled
spctl orders result "$order" --out "$work/result" >/dev/null
grep -q '^done$' "$work/result/output/done.txt" || fail "wrong result"
[ "$(grep -c '"order_settled"' "$work/home/provider/provider.log")" = 1 ] || fail "settled more than once"

# An old state of the broker, put back after the order: it serves the next one.
spctl down >/dev/null
rm -rf "$work/home/broker"
(cd "$work/home" && tar --numeric-owner -xpf "$work/backup.tar" broker)
spctl up >/dev/null
spctl orders get "$order" --json | grep -q settled || fail "the order is forgotten"
spctl run "$work/image" --memory 64M --disk 64M >/dev/null || fail "a restored broker serves no new order"
spctl down >/dev/null
echo "backup: all well"
