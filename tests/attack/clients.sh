#!/usr/bin/env bash
# A63, A68, A69: clients that mean harm do not keep the daemon from its work,
# nor from serving others.  (What they do to fluxd-api alone: tests/compat.)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

bed_mine clients
lag_start
port=$(bed port "$BED_DIR" "clients-$$")
sock=$T_DIR/open/fluxd.sock
mkdir -m 755 "$T_DIR/open"
took_ms() { # COMMAND...: prints how long it took; fails if the command did
	local began
	began=$(now_us)
	"$@" >/dev/null 2>&1 || return 1
	echo $((($(now_us) - began) / 1000))
}

commit zero
# the last --listen is the one that this script's own requests take
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--listen="127.0.0.1:$port" --listen="unix:$sock"
FLUXD_LISTEN=unix:$sock
t_wait "all is well at first" 60 tag_is "$repo" "$last"
commit one
calm=$(took_ms ctl sync || echo failed)
t_unlike "$calm" failed "fluxctl sync is served"
t_wait "a commit takes its way" 60 tag_is "$repo" "$last"

# ---- A63
"$python" "$attack_dir/clients.py" slow "$port" 400 60 >"$T_DIR/slow" &
slow=$!
kill_at_exit "$slow"
must 60 grep -q held "$T_DIR/slow"
held_at=$(now_us)
t_diag "$(cat "$T_DIR/slow")"
commit two
hard=$(took_ms ctl sync || echo failed)
t_diag "fluxctl sync took $calm ms, with 400 slow clients $hard ms"
lag=$(lag_since "$held_at")
t_is "$((hard < calm * 10 + 1000 + lag))" 1 "A63: fluxctl sync is served, and as fast (the machine was late by $lag ms)"
t_wait "A63: a commit arrives all the same" 60 tag_is "$repo" "$last"
roles_read
open=$(find "/proc/${pid_of[api]}/fd" -lname 'socket:*' 2>/dev/null | wc -l)
t_is "$((open <= 256 + 16))" 1 "A63: no more connections than there are places ($open)"
wait "$slow" || true
t_like "$(tail -1 "$T_DIR/slow")" 'closed ([0-9]+) of \1 after [0-9]+\.' "A63: all of them are closed"
seconds=$(sed -n 's/^closed .* after \([0-9]*\)\..*/\1/p' "$T_DIR/slow")
lag=$(lag_since "$held_at")
t_is "$((seconds < 20 + lag / 1000))" 1 "A63: by the deadline of a header ($seconds s)"
t_diag "$(tail -1 "$T_DIR/slow")"
t_is "$(curl -sS -o /dev/null -w '%{http_code}' --max-time 60 "http://127.0.0.1:$port/healthz")" 200 \
	"A63: and there is place again"

# ---- A68
t_is "$(stat -c '%a %u' "$sock")" "600 $(id -u)" "A68: the socket is its owner's alone"
if [ "$(id -u)" -eq 0 ]; then
	other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	get=(curl -sS --max-time 60 --unix-socket "$sock" http://x/api/flux/v11/version)
	t_run_fails "A68: another user cannot connect" "${other[@]}" "${get[@]}"
	chmod 666 "$sock" # as if the mode alone had protected it
	t_run_fails "A68: nor be served when the mode lets him" "${other[@]}" "${get[@]}"
	mark=$(log_mark)
	t_run_fails "A68: nor have a sync by fluxctl" "${other[@]}" env "FLUX_URL=unix://$sock" "$FLUXCTL" sync --timeout=5s
	t_unlike "$(log_since "$mark")" 'jobID=' "A68: nothing was begun for him"
	chmod 600 "$sock"
	t_run "A68: root is served" "${get[@]}"
else
	t_cannot "A68: other users can be played by root only"
fi

# ---- A69
# Nobody is connected: one that has left is when the daemon has noticed.
all_left() { ! grep -q " 03 *[0-9]* $sock\$" /proc/net/unix; }
counts() { # descriptors of fluxd-api and the master
	local role
	roles_read
	wait_for 60 all_left
	for role in api master; do
		echo "$role $(find "/proc/${pid_of[$role]}/fd" -type l 2>/dev/null | wc -l)"
	done
}
resident() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pid_of[$1]}/status"
}
before=$(counts)
api_before=$(resident api) master_before=$(resident master)
"$python" "$attack_dir/clients.py" leave "$sock" 3000
settled() { [ "$(counts)" = "$before" ]; }
t_wait "A69: 3,000 clients that leave leave no descriptor" 60 settled
api_after=$(resident api) master_after=$(resident master)
t_diag "fluxd-api $api_before kB, then $api_after; master $master_before kB, then $master_after"
t_is "$((api_after < api_before + 1024)) $((master_after < master_before + 1024))" "1 1" \
	"A69: nor memory"
t_is "${restarts_of[api]}" 0 "A69: and nobody fell"
t_done
