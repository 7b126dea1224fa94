#!/usr/bin/env bash
# evidence.sh BIN: every row of the recorded evidence's README through `spctl attest verify`: exit code, and what the
# verdict or the refusal must say.
set -euo pipefail
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
evidence=${EVIDENCE_DIR:-$here/../shared/evidence}
if [ ! -d "$evidence" ]; then
  echo "SKIPPED: no recorded evidence at $evidence"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

row() { # row EXIT PATTERN ARGS...: runs `attest verify --json ARGS`; PATTERN must stand in what it prints
  local want=$1 pattern=$2 code=0
  shift 2
  "$bin/spctl" --home "$work" attest verify --json "$@" >"$work/raw" 2>&1 || code=$?
  tr -s ' \n' ' ' <"$work/raw" >"$work/out" # the JSON on one line
  if [ "$code" != "$want" ] || ! grep -qE -- "$pattern" "$work/out"; then
    echo "FAILED: attest verify $*: exit $code, expected $want with $pattern"
    head -c 2000 "$work/out"
    failed=1
  fi
}
cd "$evidence"

echo '{"kinds": ["snp"], "measurements": "any", "allowDebug": true, "requireCrl": false}' >"$work/debug.json"
echo '{"kinds": ["sgx"], "measurements": "any", "tcb": ["ConfigurationAndSWHardeningNeeded"]}' >"$work/sgx.json"

# SEV-SNP
row 1 'tee.debug: debug is on' --evidence snp/milan-a/report.bin --collateral snp/milan-a/vcek.der --at 2023-01-01T00:00:00Z --no-crl
row 0 '"measurement": "b07af962' --evidence snp/milan-a/report.bin --collateral snp/milan-a/vcek.der --at 2023-01-01T00:00:00Z \
  --policy "$work/debug.json" --report-data 0102030405
row 0 '"measurement": "a1f39304' --evidence snp/milan-b/report.bin --collateral snp/milan-b/vcek.der --at 2023-06-01T00:00:00Z --no-crl
row 0 '"revocationChecked": false' --evidence snp/milan-b/report.bin --collateral snp/milan-b/vcek.der --at 2023-06-01T00:00:00Z --no-crl
row 1 'tee.requireCrl: revocation was not checked' --evidence snp/milan-b/report.bin --collateral snp/milan-b/vcek.der --at 2023-06-01T00:00:00Z
row 1 'snp\.vcek\.extensions: a hardware id of 66 bytes' --evidence snp/milan-b/report.bin --collateral snp/milan-b/vcek-invalid.der --at 2023-09-01T00:00:00Z --no-crl
row 1 'snp.vcek.present' --evidence snp/milan-b/report.bin --at 2023-06-01T00:00:00Z --no-crl

# SGX
row 1 'tee.tcb: the TCB status is ConfigurationAndSWHardeningNeeded' --evidence sgx/quote.bin --collateral sgx/collateral.json --at 2025-06-22T00:00:00Z
row 1 'INTEL-SA-00289.*INTEL-SA-00615' --evidence sgx/quote.bin --collateral sgx/collateral.json --at 2025-06-22T00:00:00Z
row 0 'ConfigurationAndSWHardeningNeeded' --evidence sgx/quote.bin --collateral sgx/collateral.json --at 2025-06-22T00:00:00Z --policy "$work/sgx.json"

# TDX
row 0 '"measurement": "91eb2b44' --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-06-22T00:00:00Z
row 0 '"advisories": \[\].*"tcbStatus": "UpToDate"' --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-06-22T00:00:00Z
row 0 '"holdsUntil": "2025-07-19T10:00:35Z"' --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-07-19T10:00:35Z
row 1 '"error": "expired"' --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-07-19T10:16:04Z
row 1 'intel.collateral.complete: .*without .*tcbInfoIssuerChain qeIdentityIssuerChain' --evidence tdx/v4-b/quote.bin --collateral tdx/v4-b --at 2023-07-01T00:00:00Z
row 1 'intel.collateral.complete' --evidence tdx/v5/quote.bin --at 2026-03-01T00:00:00Z
od -An -v -tx1 tdx/v4-a/quote.bin | tr -d ' \n' >"$work/quote.hex"
row 0 'UpToDate' --evidence "$work/quote.hex" --collateral tdx/v4-a/collateral.json --at 2025-06-22T00:00:00Z
row 1 'report data is' --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-06-22T00:00:00Z --report-data 01

# TPM
row 0 '"kind": "tpm"' --evidence tpm/azure-snp-v1/evidence.json --at 2025-06-01T00:00:00Z --no-crl
row 0 '"kind": "tpm"' --evidence tpm/azure-snp-v0 --collateral tpm/azure-snp-v0/vcek-and-chain.pem --at 2024-01-01T00:00:00Z --no-crl
row 1 'intel.collateral.complete' --evidence tpm/azure-tdx-v0 --at 2024-01-01T00:00:00Z

# What can't be used at all
echo "not evidence" >"$work/junk"
row 2 'no form of evidence' --evidence "$work/junk"
row 2 'expected a UTC time' --evidence snp/milan-b/report.bin --at tomorrow
row 2 'not-there' --evidence not-there

# What people see without collateral
"$bin/spctl" --home "$work" attest show --evidence tdx/v5/quote.bin --at 2026-03-01T00:00:00Z | grep -qi valid || { echo "FAILED: show of tdx/v5"; failed=1; }
"$bin/spctl" --home "$work" attest forecast --evidence tdx/v4-a/quote.bin --collateral tdx/v4-a/collateral.json --at 2025-06-22T00:00:00Z |
  grep -q '2025-07-19T10:00:35Z' || { echo "FAILED: forecast"; failed=1; }

# The event log of the boot that a recorded quote is of gives the quote's registers, and no other quote's
"$bin/spctl" --home "$work" attest log eventlog/gcp-cos-113/ccel_data.bin --evidence eventlog/gcp-cos-113/quote.bin >"$work/out" 2>&1 ||
  { echo "FAILED: attest log"; cat "$work/out"; failed=1; }
"$bin/spctl" --home "$work" attest log eventlog/ovmf/ccel_data.bin >/dev/null 2>&1 || { echo "FAILED: attest log of ovmf"; failed=1; }
if "$bin/spctl" --home "$work" attest log eventlog/gcp-cos-113/ccel_data.bin --evidence tdx/v4-a/quote.bin >/dev/null 2>&1; then
  echo "FAILED: a log is taken for another boot's"
  failed=1
fi

# Launch measurements: the vector with a kernel and a command line
: >"$work/empty"
"$bin/spctl" --home "$work" measure snp --firmware launch/ovmf_AmdSev_suffix.bin --kernel "$work/empty" --initrd "$work/empty" \
  --append "console=ttyS0 loglevel=7" --vcpus 1 --vcpu-type EPYC-v4 --guest-features 0x21 --json >"$work/out" 2>&1 || true
grep -q 803f691094946e42 "$work/out" || { echo "FAILED: measure snp"; cat "$work/out"; failed=1; }

[ "$failed" = 0 ] || exit 1
echo "evidence: every row as expected"
