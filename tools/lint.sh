#!/usr/bin/env bash
# make lint: formats are checked, never changed; warnings are errors in the build itself.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 --dry-run --Werror
git ls-files '*.sh' .ci/run | xargs shellcheck
(cd contracts && ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge fmt --check)

echo "lint: clean"
