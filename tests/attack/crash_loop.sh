#!/usr/bin/env bash
# A87: a worker that falls again and again, and one that breaks the protocol
# each time: it comes back later each time, the others do not wait for it, it is
# counted, and when the fault ends all is well.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

bed_mine crash
metric() { # NAME WORKER
	api_get /metrics | sed -n "s/^$1{worker=\"$2\"} //p"
}
confined() { # ROLE: how often
	grep -c "worker confined\" worker=$1 " "$FLUXD_LOG" || true
}
is_back() { [ "$(confined "$1")" -ge "$2" ]; }

# pauses ROLE: milliseconds from each end to the next start, one a line
pauses() {
	"$python" "$attack_dir/restarts.py" --each "$1" "$FLUXD_LOG"
}
# Each pause is at least that long, and not much longer.
grow() { # ROLE NAME MILLISECONDS...
	local role=$1 name=$2 got=() bad='' i=0 want
	shift 2
	mapfile -t got < <(pauses "$role")
	t_diag "$name: after ${got[*]} ms"
	for want; do
		{ [ "${got[$i]:-0}" -ge "$want" ] && [ "${got[$i]}" -lt $((want + 2000)) ]; } || bad+=" ${got[$i]:-never}"
		i=$((i + 1))
	done
	t_is "$bad" "" "$name: each pause is twice the last"
}

# ---- it crashes
commit one
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h
t_wait "the repository is in sync" 30 tag_is "$repo" "$last"
tagged=$last
for n in 1 2 3 4 5; do
	kill -SEGV "$(role_pid manifest)"
	if [ "$n" = 5 ]; then # it is away for a second and a half
		commit two
		notify
		t_run "meanwhile clients are served" api_get /api/flux/v11/version
		t_wait "commits are fetched" 5 fluxd_logged "HEAD=$last"
		kill -KILL "$(role_pid net)"
		t_wait "and another worker that falls waits for nothing" 1 is_back net 2
		t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$tagged" "only what needs it waits"
	fi
	wait_for 10 is_back manifest $((n + 1))
done
grow manifest "a worker that crashes" 0 200 400 800 1600
t_is "$(metric fluxd_worker_restarts_total manifest)" 5 "it is counted"
t_is "$(metric fluxd_worker_restarts_total net)" 1 "and so is the other"
t_is "$(metric fluxd_protocol_violations_total manifest)" "" "which is no violation"
t_wait "when it stays the commit arrives" 30 tag_is "$repo" "$last"
fluxd_stop

# ---- it breaks the protocol; or ends in peace, and does nothing else
loops() { # NAME VIOLATIONS LINE
	rm -rf "$T_DIR/libexec"
	mkdir "$T_DIR/libexec"
	ln -s "$FX_BUILDDIR"/fluxd-* "$T_DIR/libexec/"
	ln -sf "$FX_BUILDDIR/tests/attack/rogue" "$T_DIR/libexec/fluxd-manifest"
	echo "$3" >"$T_DIR/libexec/trick"
	FLUXD_LOG=$T_DIR/rogue.log
	: >"$FLUXD_LOG"
	commit "$3"
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --libexec-dir="$T_DIR/libexec"
	t_wait "$1 ends five times" 20 ended_five_times
	t_run "$1: meanwhile clients are served" api_get /api/flux/v11/version
	ln -sf "$FX_BUILDDIR/fluxd-manifest" "$T_DIR/libexec/fluxd-manifest"
	t_wait "$1: with a good one the commit arrives" 30 tag_is "$repo" "$last"
	grow manifest "$1" 0 200 400 800 1600
	t_is "$(metric fluxd_protocol_violations_total manifest)" "$2" "$1: it is counted"
	fluxd_stop
}
ended_five_times() { [ "$(grep -c 'worker ended" worker=manifest ' "$FLUXD_LOG")" -ge 5 ]; }
if is_test_build; then
	t_cannot "a worker that breaks the protocol: not with an instrumented build"
else
	loops "a worker that breaks the protocol" 5 "connect 127.0.0.1 1"
	loops "a worker that ends in peace" "" end
fi
t_done
