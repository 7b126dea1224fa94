#!/usr/bin/env bash
# machine.sh BIN [CONSOLE]: guest.sh in a machine: a network is set up by docs/OPERATIONS.md, orders run and reach their limits, the provider is killed in one, and
# the sandbox's own tests run there. Four minutes on 2 cores. CONSOLE: keeps what the machine said. Says so where it skips.
set -euo pipefail
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
console=${2:-$work/console}
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"
unfit=$(machine_unfit)
if [ -n "$unfit" ]; then
  echo "SKIPPED: $unfit"
  exit 77
fi

echo "Debian and its kernel ..."
machine_make guest.sh
cp "$bin"/{tee_test,loader_test,sploader_test,sploader,sploader_workload} "$machine_disk/opt/tests"
install -m 755 "$machine_root/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" "$machine_disk/usr/local/bin/anvil"
machine_seal
echo "Booting ..."
(machine_boot "") | tee "$console" | grep -a --line-buffered -o "MACHINE: .*" || true
grep -aq "^MACHINE: ok" "$console" && exit 0
tail -n 60 "$console"
echo "FAILED: the machine isn't well"
exit 1
