#!/usr/bin/env bash
# closure.sh MAP: what is linked into sploader is exactly this list. It is the trusted computing base: whoever adds to it says why here.
set -euo pipefail
expected='libarchive.a
libc.a
libcrypto.a
libcryptopp.a
libgcc.a
libgcc_eh.a
libm-2.36.a
libsecp256k1.a
libsp_api.a
libsp_attest.a
libsp_base.a
libsp_crypto.a
libsp_loader.a
libsp_prove.a
libsp_store.a
libstdc++.a
libz.a
libzstd.a'
export LC_ALL=C
linked=$(awk '/^Archive member included/{on=1} /^(Discarded input|Memory Config|Merging program|Allocating common)/{on=0} on' "$1" |
  grep -oE '^[^ (]+\.a\(' | sed 's/($//; s#.*/##' | sort -u)
diff <(echo "$expected") <(echo "$linked") || {
  echo "FAILED: the loader's link closure has changed (< expected, > linked)"
  exit 1
}
echo "closure: $(echo "$linked" | wc -l) archives, as listed"
