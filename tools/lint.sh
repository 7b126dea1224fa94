#!/usr/bin/env bash
# make lint: formats are checked, never changed; warnings are errors in the build itself.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 --dry-run --Werror
git ls-files '*.sh' .ci/run | xargs shellcheck
(cd contracts && ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge fmt --check)

cmake --preset release >/dev/null
# Headers are seen through the files that include them. Tests are held to the compiler's warnings alone.
git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -vE '_(test|fuzz)\.cpp$' |
  xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet 2>/dev/null
echo "lint: clean"
