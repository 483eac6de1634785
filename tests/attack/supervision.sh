#!/usr/bin/env bash
# What falls comes back, at once; what hangs is ended at its deadline, and the
# rest is served meanwhile; what is told to stop stops, whatever it waits for.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || t_cannot_all "workers have users of their own: root only"
bed_require api ssh
timeout=3

bed_mine supervision

# Scheduled before everything else, where that is to be had, the daemon is
# measured and not what else the machine does.
first=() limit_ms=1000
if chrt -f 5 true 2>/dev/null; then
	first=(chrt -f 5) limit_ms=100
	cat >"$T_DIR/fluxd-first" <<-SH
		#!/bin/sh
		exec chrt -f 5 '$FLUXD' "\$@"
	SH
	chmod 755 "$T_DIR/fluxd-first"
	FLUXD=$T_DIR/fluxd-first
fi
lag_start ${first[@]+"${first[@]}"}
commit start
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--git-timeout=${timeout}s --sync-timeout=${timeout}s
t_wait "the repository is in sync" 60 tag_is "$repo" "$last"

# ---- killed: back within 100 ms; a busy machine gets ten times that
kill_at() { # PID: when it was
	${first[@]+"${first[@]}"} bash -c 'echo "${EPOCHREALTIME/[.,]/}"; kill -KILL "$1"' bash "$1"
}
roles_read
all_ms=()
for role in net key git-remote git-local manifest sync api; do
	mark=$(log_mark)
	began=$(kill_at "${pid_of[$role]}")
	if ! wait_for 60 logged_since "$mark" "worker confined\" worker=$role "; then
		t_fail "$role comes back" "$(log_since "$mark")"
		continue
	fi
	ms=$((($(log_us "$mark" "worker confined\" worker=$role ") - began) / 1000))
	all_ms+=("$ms")
	lag=$(lag_since "$began")
	t_is "$((ms < limit_ms + lag))" 1 "$role is back at once ($ms ms, of which the machine was late by $lag)"
done
t_diag "after $(printf '%s\n' "${all_ms[@]}" | sort -n | xargs) ms; $limit_ms are allowed"
commit killed
t_run "a sync is served by the new ones" ctl sync
t_wait "and ends" 60 tag_is "$repo" "$last"
kubectl -n "$ns" patch configmap c --type=merge -p '{"data":{"value":"by hand"}}' >/dev/null
t_wait "they see changes" 60 value_is "$ns" c killed

# ---- killed again and again: later each time, the others go on
for _ in 1 2; do
	mark=$(log_mark)
	was=$(role_pid manifest)
	began=$(now_us)
	kill -KILL "$was"
	must 60 logged_since "$mark" 'worker confined" worker=manifest '
done
ms=$((($(log_us "$mark" 'worker confined" worker=manifest ') - began) / 1000))
t_is "$((ms >= 200))" 1 "the second time a worker waits before it comes back ($ms ms)"

# ---- hung
roles_read
declare -A was_pid
for role in git-remote manifest api; do was_pid[$role]=${pid_of[$role]}; done
commit hung-git
kill -STOP "${was_pid[git-remote]}"
mark=$(log_mark)
began=$(now_us)
notify
t_run "with a git worker that hangs clients are served" api_get /api/flux/v11/version
must $((timeout + 60)) logged_since "$mark" 'worker=git-remote .*signal 9'
ms=$((($(log_us "$mark" 'worker=git-remote .*signal 9') - began) / 1000))
lag=$(lag_since "$began")
t_is "$((ms >= timeout * 1000)) $((ms < timeout * 1000 + 2000 + lag))" "1 1" \
	"it is ended at the deadline ($ms ms, of which the machine was late by $lag)"
notify
t_wait "and the commit arrives" 60 tag_is "$repo" "$last"

kill -STOP "${was_pid[manifest]}"
mark=$(log_mark)
commit hung-manifest
began=$(now_us)
t_run "with a manifest worker that hangs clients are served" api_get /api/flux/v11/version
notify
must $((timeout + 60)) logged_since "$mark" 'worker=manifest .*signal 9'
t_wait "it is ended and the commit arrives" 60 tag_is "$repo" "$last"

kill -STOP "${was_pid[api]}"
mark=$(log_mark)
t_wait "an api worker that hangs is ended for an unanswered PING" 60 logged_since "$mark" 'worker=api .*signal 9'
served() { api_get /api/flux/v11/version >/dev/null 2>&1; }
t_wait "and served anew" 60 served

# ---- told to stop
fluxd_stop
t_is "$FLUXD_STATUS" 0 "SIGTERM ends it with status 0"
fake_start proxy "$BED_SSH_PORT" 0
kill -USR1 "$FAKE_PID"
sed "s/:$BED_SSH_PORT/:$FAKE_PORT/" "$BED_KNOWN_HOSTS" >"$FLUXD_HOME/.ssh/known_hosts"
fluxd_start --git-url="${url/:$BED_SSH_PORT/:$FAKE_PORT}" --git-timeout=60s
must 60 grep -q accepted "$FAKE_LOG"
all_run() { [ "$(ctl sandbox --no-headers | awk '$4 == "running"' | wc -l)" = 10 ]; }
must 60 all_run
mark=$(log_mark)
began=$(now_us)
pids="$FLUXD_PID $(children_of "$FLUXD_PID") $(children_of "$(children_of "$FLUXD_PID" | tr -d ' ')")"
fluxd_stop INT || true
in_time "$began" 5000 "SIGINT ends it within 5 s in the middle of a fetch"
t_is "$FLUXD_STATUS" 0 "and with status 0"
all_gone() {
	local pid
	for pid in $pids; do [ ! -e "/proc/$pid" ] || return 1; done
}
t_wait "with all its processes" 60 all_gone
t_is "$(log_since "$mark" | grep -E ' err=' || true)" "" "and what it was told to do is no error"

# ---- an API server that is not there is said to be so, and is nobody's end
fluxd_without_cluster
mark=$(log_mark)
fluxd_start --git-url="$url"
t_is "$(api_status GET /api/flux/v11/ping)" 422 "without an API server a ping is an error"
t_wait "and is one in the log" 60 logged_since "$mark" ' ping=".*127.0.0.1 port 1.*refused'
t_is "$(log_since "$mark" | grep -E 'component=supervisor' || true)" "" "but nobody is ended for it"
t_done
