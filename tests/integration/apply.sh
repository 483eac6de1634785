#!/usr/bin/env bash
# fluxd-sync and the API server: what it reads otherwise, refuses, fights over,
# and what only a merge gets there.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api
printf '%s' "$BED_API_TOKEN" >"$T_DIR/token"
if command -v python3 >/dev/null; then
	python3 "$(dirname "$0")/no_apply.py" "$BED_API_URL" "$BED_API_CA" "$T_DIR/token" "$T_DIR/port" &
	proxy=$!
	kill_at_exit $!
	wait_for 60 test -s "$T_DIR/port"
	cat >"$T_DIR/no-apply" <<-TXT
		apiVersion: v1
		kind: Config
		clusters: [{name: bed, cluster: {server: "http://127.0.0.1:$(cat "$T_DIR/port")"}}]
		users: [{name: bed, user: {}}]
		contexts: [{name: bed, context: {cluster: bed, user: bed}}]
		current-context: bed
	TXT
	export BED_NO_APPLY="$T_DIR/no-apply"
fi
"$FX_BUILDDIR"/tests/integration/test_sync_apply
