#!/usr/bin/env bash
# guest.sh, in the machine that machine.sh boots: an operator's way with packages and systemd, then orders, their limits, a killed provider. "MACHINE: ok" at
# the end.
set -uo pipefail
# shellcheck source=tests/machine/guest-lib.sh
. /opt/guest-lib.sh
# Control groups of orders, which lie below superprotocol/ACCOUNT/MARKET, in a file's own words.
order_groups() { find /sys/fs/cgroup/superprotocol -mindepth 3 -type d 2>/dev/null; }
bound() { cat /sys/fs/cgroup/superprotocol/*/*/*/workload/"$1"; }

step "$(uname -sr), systemd $(systemctl --version | awk 'NR==1 {print $2}'), control groups $(stat -fc %T /sys/fs/cgroup), $(runc --version | head -n 1)"
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || fail "no control groups of version 2"
spctl doctor --role provider
began=$(date +%s)
CHAIN=http://127.0.0.1:8545
systemd-run -q --unit anvil anvil --port 8545 --chain-id 31337 --accounts 1 --quiet || fail "anvil"
until_true 60 "the chain doesn't answer" ether 0x0000000000000000000000000000000000000001
set_up

run() { timeout 300 spctl run /opt/image --memory 256M --disk 64M --pids 64 --out "/srv/$1" -- "$@"; }
run hello || fail "an order ended with $?"
grep -qx hello /srv/hello/output/name.txt || fail "wrong result"
step "an order is done"
# What an order has is bounded, and what hits a bound says so.
run memory >/srv/memory.log 2>&1 && fail "memory without an end"
grep -i "memory" /srv/memory.log || fail "no word of the memory limit: $(cat /srv/memory.log)"
run forks || fail "forks: $?"
[ "$(cat /srv/forks/output/name.txt)" = 64 ] || fail "$(cat /srv/forks/output/name.txt) processes, 64 were ordered"
step "limits hold"
[ -z "$(order_groups)" ] || fail "control groups are left: $(order_groups)"

# Killed in mid-order, systemd starts the provider again, and the order goes on; nothing of the first life is left.
timeout 300 spctl run /opt/image --memory 256M --disk 64M --cpus 0.5 --out /srv/again -- slow >/srv/again.log 2>&1 &
order=$!
until_true 120 "the order doesn't run" bound cpu.max
first=$(main_pid)
step "its bounds: cpu $(bound cpu.max), memory $(bound memory.max), swap $(bound memory.swap.max), processes $(bound pids.max)"
[ "$(bound cpu.max) $(bound memory.swap.max) $(bound pids.max)" = "50000 100000 0 256" ] || fail "not what was ordered"
# Its memory and what of its disk, which is memory too, isn't used yet.
memory=$(bound memory.max)
if [ "$memory" -le $((256 << 20)) ] || [ "$memory" -gt $((320 << 20)) ]; then fail "not the memory that was ordered"; fi
kill -KILL "$first"
wait "$order" || fail "the order of a killed provider ended with $?: $(cat /srv/again.log)"
[ "$(main_pid)" != "$first" ] || fail "systemd didn't start it again"
grep -qx slow /srv/again/output/name.txt || fail "wrong result after a kill"
[ -z "$(order_groups)" ] || fail "control groups are left after a kill: $(order_groups)"
step "killed in mid-order, started again by systemd, done"

systemctl stop superprotocol-{provider,broker,store} || fail "stop"
for role in store broker provider; do
  [ "$(systemctl show -p Result --value "superprotocol-$role")" = success ] || fail "$role didn't stop well"
done
pgrep sploader && fail "a loader is left"
# The kernel has nothing to complain of but the order that took memory without an end.
complaints=$(journalctl -q --no-pager -b -k -p err -o cat --since "@$began" | grep -v "^Memory cgroup out of memory")
[ -z "$complaints" ] || fail "the kernel complains: $complaints"
[ ! -e /sys/fs/cgroup/superprotocol ] || fail "control groups are left after the stop: $(find /sys/fs/cgroup/superprotocol)"
# The sandbox's own tests, where control groups are of the other version.
passed() { # passed WHAT COMMAND...: a test program, of which nothing is left out
  local what=$1 code=0
  shift
  "$@" >/srv/test.log 2>&1 || code=$?
  if [ "$code" != 0 ] || grep -aq "SKIPPED" /srv/test.log; then
    cat /srv/test.log
    fail "$what ended with $code"
  fi
  step "$what: $(grep -a "PASSED" /srv/test.log)"
}
for test in /opt/tests/*_test; do passed "$(basename "$test")" "$test"; done
# And as in a container with a namespace of control groups, whose root group has processes.
mkdir /sys/fs/cgroup/box
echo "+memory +pids +cpu" >/sys/fs/cgroup/cgroup.subtree_control
# shellcheck disable=SC2016  # the inner shell's
passed "orders in a container" sh -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs; exec unshare --mount --cgroup sh -c "umount /sys/fs/cgroup &&
  mount -t cgroup2 none /sys/fs/cgroup && exec /opt/tests/sploader_test --gtest_filter=Sploader.RunsTheImagesOwnCommand:Sploader.StopsAtEveryLimit:Output.*"'
[ -d /sys/fs/cgroup/box/init ] || fail "the container's root group was free: nothing was tried"
echo "MACHINE: ok"
