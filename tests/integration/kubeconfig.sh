#!/usr/bin/env bash
# A kubeconfig that cannot be used is an error at start: the daemon ends, and
# says which entry it is and what to do.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"

ends_with() { # NAME USER REGEX: a kubeconfig with this user
	fluxd_without_cluster "$2"
	FLUXD_LOG=$T_DIR/$1.log
	fluxd_launch --git-url=git@127.0.0.1:repo
	if ! fluxd_wait 30; then
		t_fail "$1: the daemon ends" "$(tail -n 20 "$FLUXD_LOG")"
		fluxd_stop || true
		return
	fi
	t_is "$FLUXD_STATUS" 1 "$1: the daemon ends with status 1"
	t_like "$(cat "$FLUXD_LOG")" "err=\"kubeconfig: $3" "$1: and says why"
	t_like "$(cat "$FLUXD_LOG")" 'exiting="no usable cluster is configured"' "$1: and that this is the end"
}

ends_with exec 'exec: {command: aws}' \
	'user ..jane.. logs in with an exec plugin, .* give it a token, .* or run fluxd in the cluster'
ends_with auth-provider 'auth-provider: {name: gcp}' \
	'user ..jane.. logs in with an auth-provider, .* give it a token'

# what is wrong with a server is none: it may be repaired
fluxd_without_cluster
FLUXD_LOG=$T_DIR/silent.log
fluxd_start --git-url=git@127.0.0.1:repo
t_wait "a server that does not answer is waited for" 30 fluxd_logged 'worker confined" worker=sync '
t_run "and clients are served" api_get /api/flux/v11/version
t_done
