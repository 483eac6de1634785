#!/usr/bin/env bash
# fluxd-sync against a real API server: what each situation costs.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api
printf '%s' "$BED_API_TOKEN" >"$T_DIR/token"
export BED_TOKEN_FILE="$T_DIR/token"
export BED_RESTART="$bed_lib/bed restart ${FLUXD_BED:-$bed_own} api >/dev/null 2>&1"
if ! bed_owned; then unset BED_RESTART; fi
"$FX_BUILDDIR"/tests/integration/test_sync_worker
