#!/usr/bin/env bash
# A84, A88: workers that have fallen, one of each kind, against the real master
# (rogue.c takes the place of the program and locks itself down as that does).
# What one of them may have is what its channel says, not what it says; and in
# the log it is itself, whatever it writes there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "an instrumented build lets more through"
for program in "$python" ssh-keygen; do
	command -v "$program" >/dev/null || t_skip_all "needs $program"
done

fluxd_without_cluster
mkdir "$T_DIR/key"
ssh-keygen -q -N '' -t ed25519 -f "$T_DIR/key/identity"

# Somebody to be connected to, and somebody not to be.
fake_start trickle SSH-2.0-x 1
host=$FAKE_PORT
fake_start trickle SSH-2.0-x 1
other=$FAKE_PORT other_log=$FAKE_LOG

metric_number() { # NAME: its row in metrics.def, from 0
	grep -E '^METRIC' "$FX_SRCDIR/src/common/proc/metrics.def" | grep -n "\"$1\"" |
		awk -F: '{ print $1 - 1 }'
}

runs=0
play() { # PROGRAM LINE...: a daemon in which the program is the rogue
	local start=fluxd_start
	local program=$1
	shift
	runs=$((runs + 1))
	mkdir "$T_DIR/libexec-$runs"
	ln -s "$FX_BUILDDIR"/fluxd-* "$T_DIR/libexec-$runs/"
	ln -sf "$FX_BUILDDIR/tests/attack/rogue" "$T_DIR/libexec-$runs/$program"
	printf '%s\n' "$@" >"$T_DIR/libexec-$runs/trick"
	FLUXD_LOG=$T_DIR/log-$runs
	[ "$program" != fluxd-api ] || start=fluxd_launch # it answers nobody
	$start --git-url="ssh://git@127.0.0.1:$host/x" --state-dir="$T_DIR/state" \
		--k8s-secret-volume-mount-path="$T_DIR/key" --libexec-dir="$T_DIR/libexec-$runs" \
		--connect="http://127.0.0.1:$host/x"
}
answers() { # NAME LINE REGEX
	t_wait "$1" 60 fluxd_logged "rogue=\"?$2\"? got=\"?$3\"? worker="
}
is_counted() { # ROLE
	[[ $(api_get /metrics) =~ fluxd_protocol_violations_total\{worker=\"$1\"\} ]]
}
breaks() { # NAME ROLE PROGRAM LINE...
	play "$3" "${@:4}"
	t_wait "$1: ends the worker" 60 fluxd_logged "component=supervisor err=\"[a-z_]+ frame: denied\" worker=$2 "
	[ "$2" = api ] || t_wait "$1: and is counted" 60 is_counted "$2"
	fluxd_stop
}

# ---- A84: what is theirs is known by the channel
play fluxd-git "connect 127.0.0.1 $host" "connect 127.0.0.1 $other" "connect localhost $host" \
	"sign give\\sme\\sa\\ssignature"
answers "A84: git-remote is connected to its host (control)" "connect 127.0.0.1 $host" connected
answers "A84: and to no other port" "connect 127.0.0.1 $other" "git-remote may not connect to .*"
answers "A84: nor by another name" "connect localhost $host" "git-remote may not connect to .*"
answers "A84: nothing is signed but a login" 'sign give.*' '.*not.*'
fluxd_stop
play fluxd-sync "endpoint 127.0.0.1 $host" "endpoint 127.0.0.1 $other" \
	"connect 127.0.0.1 $host" "connect 127.0.0.1 $other" \
	"paths $T_DIR/first" "paths $T_DIR/key/identity" "reopen 100"
answers "A84: sync is connected to the server it declared (control)" "connect 127.0.0.1 $host" connected
answers "A84: a second declaration counts for nothing" "connect 127.0.0.1 $other" "sync may not connect to .*"
answers "A84: nor does a second list of files" "reopen 100" "open $T_DIR/first: No such file or directory"
fluxd_stop
breaks "A84: sync asks for the deploy key's file" sync fluxd-sync "reopen 0"
breaks "A84: sync asks for the file with the token of clients" sync fluxd-sync "reopen 11"
breaks "A84: api asks for the API server's token" api fluxd-api "reopen 6"
breaks "A84: sync asks the launcher itself" sync fluxd-sync "open 0"
breaks "A84: sync asks for a signature" sync fluxd-sync "sign x"
breaks "A84: manifest asks to be connected" manifest fluxd-manifest "connect 127.0.0.1 $host"
breaks "A84: api asks to be connected" api fluxd-api "connect 127.0.0.1 $host"
play fluxd-upstream "connect 127.0.0.1 $host" "connect 127.0.0.1 $other" "connect localhost $host"
answers "A84: upstream is connected to its service (control)" "connect 127.0.0.1 $host" connected
answers "A84: and to no other port" "connect 127.0.0.1 $other" "upstream may not connect to .*"
answers "A84: nor by another name" "connect localhost $host" "upstream may not connect to .*"
fluxd_stop
version=/api/flux/v11/version ping=/api/flux/v11/ping
mapfile -t pings < <(for i in $(seq 20); do echo "call GET $ping"; done)
play fluxd-upstream "call GET $version" "call GET /metrics" "call GET /api/flux/v11/../../../x" \
	"call NOPE $version" "call GET x" "call POST /api/flux/v9/update-manifests" "${pings[@]}"
answers "A84: upstream may call what clients may (control)" "call GET $version" 200
answers "A84: and nothing beside the API" "call GET /metrics" 404
answers "A84: whatever the path looks like" "call GET /api/flux/v11/../../../x" 301
answers "A84: and the method" "call NOPE $version" 404
answers "A84: what is no path is refused" "call GET x" 400
answers "A84: as is what is no update" "call POST /api/flux/v9/update-manifests" 400
answers "A84: no more calls are served at a time than there are places" "call GET $ping" "too many requests"
fluxd_stop
breaks "A84: sync calls the API" sync fluxd-sync "call GET $version"
breaks "A84: upstream asks for a file" upstream fluxd-upstream "reopen 0"
breaks "A84: upstream asks for a signature" upstream fluxd-upstream "sign x"
breaks "A84: key says where the API server is" key fluxd-key "endpoint 127.0.0.1 $other"
t_is "$(cat "$other_log")" "" "A84: nobody was sent to where they should not be"

# ---- A88: who said it
play fluxd-manifest "from rogue.c:1 hello" "from main.c:1\\nts=1\\sforged=yes it\\nts=2\\scaller=main.c:1\\sforged=yes\\e[2J"
t_wait "A88: a worker may speak (control)" 60 fluxd_logged 'caller=rogue.c:1 said=hello worker=manifest$'
t_wait "A88: what it says stands in one record of its own" 60 fluxd_logged '^ts=.* said="it.nts=2 .*" worker=manifest$'
fluxd_stop
t_is "$("$python" "$attack_dir/logcheck.py" fmt "$FLUXD_LOG" forged)" "" "A88: and no other record begins in it"
for key in ts caller worker 'a\sforged' 'a\nts'; do
	breaks "A88: the key $key" manifest fluxd-manifest "log $key launcher"
	t_is "$("$python" "$attack_dir/logcheck.py" fmt "$FLUXD_LOG" forged)" "" "A88: the key $key: is in no record"
done
for metric in fluxd_worker_restarts_total flux_git_ready flux_request_duration_seconds; do
	breaks "A88: $metric is not manifest's to report" manifest fluxd-manifest \
		"metric $(metric_number $metric) worker=\"forged\""
done
t_done
