#!/usr/bin/env bash
# The clock on the wall is set, forward and back, under the running daemon
# (clock.c, in every process of it): what it does it does in its own time, and
# only what it writes down says the new one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "the shim and the sanitizers are in each other's way"
bed_require api ssh
day=86400

ns=$(bed_namespace clocks)
repo=clocks-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"

libexec=$T_DIR/libexec
mkdir -p "$libexec/real"
ln -s "$FX_BUILDDIR"/fluxd-* "$libexec/real/"
ln -s "$FX_BUILDDIR/fluxd-launch" "$libexec/"
ln -s "$FX_BUILDDIR/tests/attack/clock.so" "$libexec/faults.so" # its name for faulty.c
for program in net key git manifest sync api; do
	ln -s "$FX_BUILDDIR/tests/attack/faulty" "$libexec/fluxd-$program"
done
set_clock() { # SECONDS: off by that much
	printf '%020d' "$1" | dd of="$libexec/clock" conv=notrunc status=none
	shift_s=$1
}
set_clock 0
cat >"$T_DIR/fluxd-clock" <<-SH
	#!/bin/sh
	exec env LD_PRELOAD='$libexec/faults.so' '$FLUXD' "\$@"
SH
chmod 755 "$T_DIR/fluxd-clock"
FLUXD=$T_DIR/fluxd-clock

commit() { # VALUE
	configmap "$work" c "$ns" "$1"
	last=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
synced() { tag_is "$repo" "$last" && value_is "$ns" c "$1"; }
metric() { api_get /metrics | awk -v s="$1" '$1 == s { printf "%.0f", $2 }'; }
passes() { metric 'flux_daemon_sync_duration_seconds_count{success="true"}'; }
more_passes() { [ "$(passes)" -ge "$1" ]; }
near() { # SECONDS-SINCE-1970: what the daemon's clock shows, give or take a minute
	local off=$(($1 - $(date +%s) - shift_s))
	[ "${off#-}" -le 60 ]
}
log_is_near() { near "$(date -d "$(tail -n 1 "$FLUXD_LOG" | sed 's/^ts=\([^ ]*\).*/\1/')" +%s)"; }
last_success_is_near() { near "$(metric fluxd_sync_last_success_timestamp_seconds)"; }
tag_time_is_near() { near "$(git -C "$(repo_path "$repo")" for-each-ref --format='%(taggerdate:unix)' refs/tags/flux-sync)"; }
restarts() { api_get /metrics | awk '/^fluxd_worker_restarts_total/ { n += $2 } END { print n + 0 }'; }

# goes_on NAME: everything that waits for a time, and what came of it
goes_on() {
	local began had
	began=$(now_us)
	had=$(passes)
	commit "$RANDOM-$1"
	t_wait "$1: a commit is found and synced" 60 synced "$(sed -n 's/^  value: "\(.*\)"/\1/p' "$work/c.yaml")"
	kubectl -n "$ns" patch configmap c --type=merge -p '{"data":{"value":"by hand"}}' >/dev/null
	t_wait "$1: a foreign change is put back" 60 synced "$(sed -n 's/^  value: "\(.*\)"/\1/p' "$work/c.yaml")"
	t_wait "$1: passes go on" 60 more_passes $((had + 3))
	# one each second, one for the commit, one for the clock's granularity
	t_is "$(($(passes) - had <= ($(now_us) - began) / 1000000 + 2))" 1 "$1: in their own time"
	t_is "$(restarts)" 0 "$1: no worker was taken for dead"
	t_wait "$1: the log has the new time" 60 log_is_near
	t_wait "$1: so has the metric" 60 last_success_is_near
	t_wait "$1: and the tag" 60 tag_time_is_near
	t_run "$1: a job is done" ctl sync
}

commit one
fluxd_start --git-url="$url" --git-poll-interval=500ms --sync-interval=1s --libexec-dir="$libexec"
t_wait "all is well" 60 synced one
goes_on "the right time (control)"
set_clock $((20 * day))
goes_on "twenty days on"
set_clock $day
goes_on "nineteen days back"
set_clock 0
goes_on "right again"
fluxd_stop
t_is "$FLUXD_STATUS" 0 "it ends cleanly"

# a clock before the certificates are valid: said, and no longer so when it is set
set_clock $((-3 * day))
mark=$(log_mark)
commit early
fluxd_start --git-url="$url" --git-poll-interval=500ms --sync-interval=1s --libexec-dir="$libexec"
t_wait "before the certificate of the API server is valid that is an error" 60 \
	logged_since "$mark" 'err="[^"]*certificate is not yet valid'
t_run_fails "and nothing is applied" synced early
set_clock 0
t_wait "when the clock is set all is well by itself" 60 synced early
t_done
