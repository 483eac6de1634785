#!/usr/bin/env bash
# A87: a worker that falls again and again, and one that breaks the protocol
# each time: it comes back later each time, the others do not wait for it, it is
# counted, and when the fault ends all is well.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

bed_mine crash
lag_start
libexec=$T_DIR/libexec
mkdir "$libexec"
ln -s "$FX_BUILDDIR"/fluxd-* "$libexec/"
manifest_is() { # PROGRAM: what is started next for it
	ln -s "$1" "$T_DIR/new"
	mv -T "$T_DIR/new" "$libexec/fluxd-manifest"
}
start() {
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --libexec-dir="$libexec"
}
ends() { # how often manifest has ended
	grep -c 'worker ended" worker=manifest ' "$FLUXD_LOG" || true
}
metric() { # NAME WORKER
	api_get /metrics | sed -n "s/^$1{worker=\"$2\"} //p"
}
confined() { # ROLE: how often
	grep -c "worker confined\" worker=$1 " "$FLUXD_LOG" || true
}
is_back() { [ "$(confined "$1")" -ge "$2" ]; }

# pauses ROLE: milliseconds from each end to the next start, one a line: in all,
# and without those of the machine
pauses() {
	"$python" "$attack_dir/restarts.py" --each "$1" "$FLUXD_LOG" "$T_DIR/lag"
}
# Each pause is at least that long, and not much longer.
grow() { # ROLE NAME MILLISECONDS...
	local role=$1 name=$2 got=() bad='' i=0 want all own
	shift 2
	mapfile -t got < <(pauses "$role")
	t_diag "$role is back after ${got[*]} ms"
	for want; do
		read -r all own <<<"${got[$i]:-0 $((1 << 30))}"
		{ [ "$all" -ge "$want" ] && [ "$own" -lt $((want + 2000)) ]; } || bad+=" ${got[$i]:-never}"
		i=$((i + 1))
	done
	t_is "$bad" "" "$name"
}

# ---- it crashes
commit one
start
t_wait "the repository is in sync" 60 tag_is "$repo" "$last"
tagged=$last
for n in 1 2 3 4 5; do
	[ "$n" != 5 ] || manifest_is /bin/false # and stays away, as long as it takes
	kill -SEGV "$(role_pid manifest)"
	if [ "$n" = 5 ]; then
		commit two
		notify
		t_run "meanwhile clients are served" api_get /api/flux/v11/version
		t_wait "commits are fetched" 60 fluxd_logged "HEAD=$last"
		kill -KILL "$(role_pid net)"
		t_wait "and another worker that falls is back" 60 is_back net 2
		grow net "it waited for nothing" 0
		t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$tagged" "only what needs it waits"
		manifest_is "$FX_BUILDDIR/fluxd-manifest"
	fi
	must 90 is_back manifest $((n + 1))
done
grow manifest "a worker that crashes: each pause is twice the last" 0 200 400 800 1600
t_is "$(metric fluxd_worker_restarts_total manifest)" "$(ends)" "it is counted"
t_is "$(metric fluxd_worker_restarts_total net)" 1 "and so is the other"
t_is "$(metric fluxd_protocol_violations_total manifest)" "" "which is no violation"
t_wait "when it stays the commit arrives" 60 tag_is "$repo" "$last"
fluxd_stop

# ---- it breaks the protocol; or ends in peace, and does nothing else
loops() { # NAME VIOLATION|PEACE LINE
	local counted=
	manifest_is "$FX_BUILDDIR/tests/attack/rogue"
	echo "$3" >"$libexec/trick"
	FLUXD_LOG=$T_DIR/rogue.log
	: >"$FLUXD_LOG"
	commit "$3"
	start
	t_wait "$1 ends five times" 60 ended_five_times
	t_run "$1: meanwhile clients are served" api_get /api/flux/v11/version
	manifest_is "$FX_BUILDDIR/fluxd-manifest"
	t_wait "$1: with a good one the commit arrives" 90 tag_is "$repo" "$last"
	grow manifest "$1: each pause is twice the last" 0 200 400 800 1600
	[ "$2" = PEACE ] || counted=$(ends)
	t_is "$(metric fluxd_protocol_violations_total manifest)" "$counted" "$1: it is counted"
	fluxd_stop
}
ended_five_times() { [ "$(ends)" -ge 5 ]; }
if is_test_build; then
	t_cannot "a worker that breaks the protocol: not with an instrumented build"
else
	loops "a worker that breaks the protocol" VIOLATION "connect 127.0.0.1 1"
	loops "a worker that ends in peace" PEACE end
fi
t_done
