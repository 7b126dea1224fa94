#!/usr/bin/env bash
# system.sh BIN: real orders through all real processes, then what bad people try with their proof.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# In a place of its own for mounts: those of other tests beside it aren't its leftovers.
if [ "$(id -u)" = 0 ] && [ -z "${SP_OWN_MOUNTS:-}" ]; then
  SP_OWN_MOUNTS=yes exec unshare --mount --propagation private "$0" "$@"
fi
# shellcheck source=tests/local.sh
. "$here/local.sh" "$1" "the system test"

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
/* program NAME [EXITCODE]: greets the input and writes an output.
   program sleep [NAME]: says so, calls its process by the name, and works for long. */
int main(int argc, char** argv) {
  char text[64] = "";
  if (argc > 1 && strcmp(argv[1], "sleep") == 0) {
    puts("begun");
    fflush(stdout);
    if (argc > 2) prctl(PR_SET_NAME, argv[2]);
    sleep(60);
  }
  FILE* in = fopen("/sp/inputs/1/note.txt", "r");
  if (in != NULL && fgets(text, sizeof text, in) == NULL) return 90;
  FILE* out = fopen("/sp/output/greeting.txt", "w");
  if (out == NULL) return 91;
  fprintf(out, "%s: %s", argc > 1 ? argv[1] : "", text);
  if (fclose(out) != 0) return 92;
  puts("greeted");
  return argc > 2 ? atoi(argv[2]) : 0;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
"$here/make-image.sh" "$work/program" "$work/image"
echo "a secret note" >"$work/note.txt"

# A closed umask, as the units have it, which takes nothing from an order's users.
umask 077
# Two at once: one makes the system, the other finds it.
spctl up >/dev/null &
first=$!
spctl up >/dev/null || fail "the second up beside another ended with $?"
wait "$first" || fail "the first up beside another ended with $?"
spctl status >/dev/null || fail "what two at once brought up doesn't answer"
# The doctor finds nothing in anybody's way: the contracts are this version's, all services are well.
for role in customer provider broker store; do
  spctl doctor --role "$role" --folder "$home/$role" >"$work/doctor.log" || fail "doctor of the $role: $(cat "$work/doctor.log")"
  [ "$(tail -n 1 "$work/doctor.log")" = "A $role can work here." ] || fail "doctor of the $role says nothing at last"
  [ "$role" = store ] && continue
  for line in "chain: http://127.0.0.1:.*, chain 31337" "market: 0x.* is this version's" "token: 0x" "clock: agrees" "store: http" "broker: http"; do
    grep -q "^ok       $line" "$work/doctor.log" || fail "doctor of the $role: no $line"
  done
done
before=$(spctl tokens balance --json)

# An order over own uploads: result, exit code, proof.
spctl run "$work/image" --data "$work/note.txt" --out "$work/result" -- hello || fail "run ended with $?"
grep -q '^hello: a secret note$' "$work/result/output/greeting.txt" || fail "wrong result"
grep -q greeted "$work/result/log.txt" || fail "no log"
code=0
spctl run "$work/image" --data "$work/note.txt" --out "$work/result2" -- hello 7 || code=$?
[ "$code" = 7 ] || fail "the workload's exit code is 7, run ended with $code"

order=$(find "$work/home/orders" -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)

# A folder of data in the image's place is refused before anything is sealed, ordered or paid.
mkdir "$work/records"
cp "$work/note.txt" "$work/records/"
code=0
spctl run "$work/records" 2>"$work/records.log" || code=$?
[ "$code" = 2 ] || fail "a run of a folder that is no image ended with $code"
grep -q "isn't an image" "$work/records.log" || fail "no word of what isn't an image"
[ "$(find "$work/home/orders" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] || fail "no image was ordered"
# One that no loader can start: the order says which part it was.
cp -r "$work/image" "$work/broken"
echo '{}' >"$work/broken/index.json"
code=0
spctl run "$work/broken" 2>"$work/broken.log" || code=$?
[ "$code" = 1 ] || fail "a run of a broken image ended with $code"
grep -q "^Part 1 (solution) couldn't be used" "$work/broken.log" || fail "no word of the part"

# Ctrl-C while it runs: what was done until then is paid, opened and told.
at_work=at-work-$$
"$bin/spctl" --home "$home" run "$work/image" --out "$work/stopped" -- sleep "$at_work" \
  >"$work/stopped.out" 2>"$work/stopped.log" &
running=$!
within 30 pgrep -x "$at_work" >/dev/null || fail "the workload of a run that is to be stopped doesn't begin"
kill -INT "$running"
code=0
wait "$running" || code=$?
[ "$code" = 130 ] || fail "a run that was stopped ended with $code"
grep -q begun "$work/stopped/log.txt" || fail "the log of a run that was stopped isn't there"
# A result that can't be opened is paid: the advice isn't to order once more.
if spctl run "$work/image" --data "$work/note.txt" --out /proc/none/here -- hello \
  2>"$work/lost.log"; then
  fail "a result is in /proc/none"
fi
grep -q "spctl orders result 0x" "$work/lost.log" || fail "no word on how to open a settled order"

# Commands of one key at once take turns: what is said to be sent arrives, and every order is made.
wallet() { spctl tokens balance "$1" --json | sed -n 's/.*"wallet": "\(.*\)".*/\1/p'; }
other=0x00000000000000000000000000000000000000a7
spctl tokens transfer "$other" 1 >/dev/null
one=$(wallet "$other")
at_once=()
for i in 1 2 3 4; do
  spctl tokens transfer "$other" 1 >/dev/null &
  at_once+=($!)
  cp -r "$work/image" "$work/image$i"
  spctl run "$work/image$i" --out "$work/at-once$i" -- hello \
    >/dev/null 2>"$work/at-once$i.log" &
  at_once+=($!)
done
for each in "${at_once[@]}"; do wait "$each" || fail "a command beside others ended with $?"; done
[ "$(wallet "$other")" = $((one * 5)) ] || fail "what four transfers sent hasn't arrived"

# An offer that is made again is the same one, and its key and policy lie with the broker anew.
spctl keys create seller >/dev/null
spctl tokens faucet 1000 --key seller >/dev/null
spctl providers register --key seller >/dev/null
sold=$(spctl files upload "$work/note.txt" --key seller 2>/dev/null)
offer() { spctl offers create data --key seller --package "$sold" --allow-solution "$sold" --price 5 --json "$@" 2>"$work/offer.log"; }
deposited() { find "$home" -name 'secret-*' -exec cat {} + | cksum; }
offer >"$work/offer1" || fail "no offer: $(cat "$work/offer.log")"
old_policy=$(deposited)
offer --arguments none >"$work/offer2" || fail "an offer again ended with $?: $(cat "$work/offer.log")"
grep -q '"made": true' "$work/offer1" || fail "an offer wasn't made"
grep -q '"made": false' "$work/offer2" || fail "an offer was made twice"
[ "$(grep '"offer"' "$work/offer1")" = "$(grep '"offer"' "$work/offer2")" ] || fail "an offer again is another one"
[ "$(deposited)" != "$old_policy" ] || fail "the broker keeps the old policy"
if grep -q "nobody can order it" "$work/offer.log"; then fail "an enabled offer is called a disabled one"; fi
sold_offer=$(sed -n 's/.*"offer": "\(.*\)".*/\1/p' "$work/offer1")
spctl offers disable "$sold_offer" --key seller >/dev/null
offer >/dev/null || fail "a disabled offer again ended with $?: $(cat "$work/offer.log")"
grep -q "spctl offers enable $sold_offer" "$work/offer.log" || fail "no word on an offer that is disabled: $(cat "$work/offer.log")"

# A deployment takes its account's turn: it waits for the holder's end.
rpc=$(sed -n 's/.*"rpc": "\(.*\)".*/\1/p' "$work/home/network.json")
turn=$(find "$work/home/turns" -mindepth 1 -maxdepth 1 | head -n 1)
[ -n "$turn" ] || fail "no command took a turn"
holders=()
for turn in "$work"/home/turns/*; do
  hold_lock "$turn"
  holders+=("$holder")
done
"$bin/spctl" --home "$home" contracts deploy --rpc "$rpc" --key me --test-token --yes >/dev/null &
deploying=$!
# The kernel's list of locks has an arrow at who waits for one.
within 20 grep -q -- "-> FLOCK .* $deploying " /proc/locks || fail "a deployment didn't wait for its account's turn"
kill "${holders[@]}"
wait "$deploying" || fail "no deployment"

# What was cancelled isn't cancelled once more.
cancelled=$(spctl orders create "$work/image" -- sleep)
spctl orders cancel "$cancelled" >/dev/null
code=0
spctl orders resume "$cancelled" 2>"$work/resumed.log" || code=$?
[ "$code" = 130 ] || fail "an order that was cancelled was resumed and ended with $code"
if grep -q "Cancelling the order" "$work/resumed.log"; then fail "it was cancelled once more"; fi

# Nor is it its provider's fault where a cancel comes between the keys and the workload: the store stands still there.
daemon() { cut -d ' ' -f 1 "$home/$1/$1.pid"; }
kill -STOP "$(daemon provider)"
cancelled=$(spctl orders create "$work/image" -- sleep)
kill -STOP "$(daemon store)"
kill -CONT "$(daemon provider)"
fetches() { spctl orders get "$cancelled" | grep -q fetching; }
within 10 fetches || fail "no order fetches from a store that stands still"
spctl orders cancel "$cancelled" >/dev/null
within 10 grep -q "order_cancelled.*$cancelled" "$home/provider/provider.log" || fail "the provider saw no cancel"
# Its loader sees that, and ends without the store.
within 10 eval '! fetches' || fail "a loader that was told of a cancel goes on fetching"
kill -CONT "$(daemon store)"
code=0
spctl --json orders resume "$cancelled" >"$work/unbegun.json" 2>"$work/unbegun.log" || code=$?
[ "$code" = 130 ] || fail "an order that was cancelled before its workload began was resumed and ended with $code"
grep -q '"cancelled": true' "$work/unbegun.json" || fail "no JSON of a cancel before the workload began"
grep -q "nothing is paid, all comes back" "$work/unbegun.log" || fail "no word of what is paid"

# Resumed twice, the second time there is nothing to do, which is JSON as well.
code=0
spctl orders resume "$order" >/dev/null || code=$?
[ "$code" = 0 ] || [ "$code" = 7 ] || fail "a settled order was resumed and ended with $code"
spctl --json orders resume "$order" >"$work/done.json"
grep -q "\"order\": \"0x$order\"\|\"order\": \"$order\"" "$work/done.json" || fail "no JSON of an order that is done"

# The proof holds for who trusts this market, and for nobody else.
spctl orders report "$order" -o "$work/proof" --trust "$work/trust.json" >/dev/null
spctl verify "$work/proof" --trust "$work/trust.json" >/dev/null || fail "the proof doesn't hold"
rpc=$(sed -n 's/.*"rpc": "\(.*\)".*/\1/p' "$work/home/network.json")
spctl verify "$work/proof" --trust "$work/trust.json" --rpc "$rpc" >/dev/null || fail "not on the chain"
code=0
spctl verify "$work/proof" --trust "$work/trust.json" --rpc http://127.0.0.1:1 >"$work/away" || code=$?
[ "$code" = 3 ] || fail "a proof whose endpoint is away ended with $code"
tail -n 1 "$work/away" | grep -q "chain can't be asked" || fail "an endpoint that is away isn't told"
for field in attestor market order; do
  # The first hexadecimal digit of what is trusted, changed.
  sed "s/\(\"$field\": \"0x\)\(.\)/\1\2\2/; s/\(\"$field\": \"0x..\)./\1/" "$work/trust.json" |
    sed "s/\(\"$field\": \"0x\)./\1f/" >"$work/other.json"
  cmp -s "$work/trust.json" "$work/other.json" && continue
  if spctl verify "$work/proof" --trust "$work/other.json" >/dev/null 2>&1; then
    fail "the proof holds for another $field"
  fi
done
for field in receipt attestation proof terms; do
  sed "s/\(\"$field\": \"[0-9a-f]\{200\}\)\(.\)/\1f/" "$work/proof" >"$work/flipped0"
  sed "s/\(\"$field\": \"[0-9a-f]\{200\}\)\(.\)/\10/" "$work/proof" >"$work/flipped1"
  for flipped in "$work/flipped0" "$work/flipped1"; do
    cmp -s "$work/proof" "$flipped" && continue
    if spctl verify "$flipped" --trust "$work/trust.json" >/dev/null 2>&1; then
      fail "a changed $field still holds"
    fi
  done
done

# No secret note anywhere on the disk of provider, store or chain.
if grep -rqaF 'a secret note' "$work"/home/{chain,store,provider}; then fail "a secret is on disk"; fi
grep -rqaF 'a secret note' "$work/result" || fail "the search finds nothing at all"

# Money: what left the purse, beside what was sent to another and what open orders hold, is what the provider earned.
spctl tokens withdraw >/dev/null
after=$(spctl tokens balance --json)
earned=$(spctl tokens balance --key provider --json)
# shellcheck disable=SC2016
node -e '
  const [before, after, earned, { orders }] = process.argv.slice(1, 5).map((text) => JSON.parse(text));
  const held = orders.filter((order) => order.status === "open").reduce((sum, order) => sum + BigInt(order.deposit), 0n);
  const paid = BigInt(before.wallet) - BigInt(after.wallet) - BigInt(process.argv[5]) - held;
  if (paid > 0n && paid === BigInt(earned.toWithdraw)) process.exit(0);
  console.error(`paid ${paid}, earned ${earned.toWithdraw}, held ${held}`);
  process.exit(1)' "$before" "$after" "$earned" "$(spctl orders list --json)" "$(wallet "$other")" ||
  fail "the customer paid other than the provider earned"

# A second up goes on with the same state.
spctl down >/dev/null
spctl up >/dev/null
spctl orders get "$order" --json | grep -q settled || fail "the order is forgotten"
spctl down >/dev/null
if grep -q superprotocol /proc/mounts; then fail "mounts are left"; fi
echo "system: all well"
