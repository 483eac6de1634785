# lib.sh: what the attack scripts share beyond the test bed's lib.sh, which it
# reads itself.  To be read by bash, not run.
# shellcheck shell=bash

attack_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$attack_dir/../testbed/lib.sh"
python=/usr/bin/python3

# roles_read: who runs now, into pid_of, user_of and restarts_of, by role; of a
# role's further instances by role and number ("key-1").
declare -A pid_of user_of restarts_of
roles_read() {
	local role instance pid state user rest
	pid_of=() user_of=() restarts_of=()
	while read -r role instance pid state user rest; do
		[ "$state" = running ] || continue
		[ "$instance" = 0 ] || role=$role-$instance
		pid_of[$role]=$pid
		user_of[$role]=$user
		restarts_of[$role]=${rest##* }
	done < <(ctl sandbox --no-headers)
}

# role_pid ROLE: its process, as the kernel knows it; nothing if there is none.
role_pid() {
	roles_read
	echo "${pid_of[$1]:-}"
}

# children_of PID: its child processes, in one line.
children_of() {
	local children=
	[ -z "$1" ] || read -r children 2>/dev/null <"/proc/$1/task/$1/children" || true
	echo "$children"
}

# now_us: microseconds since 1970.
now_us() {
	echo "${EPOCHREALTIME/[.,]/}"
}

# fluxd_without_caps: as in a pod that drops all capabilities: from now on the
# daemon cannot change users, and all its processes have one.
fluxd_without_caps() {
	cat >"$T_DIR/fluxd-without-caps" <<-SH
		#!/bin/sh
		exec setpriv --bounding-set=-all --inh-caps=-all '$FLUXD' "\$@"
	SH
	chmod +x "$T_DIR/fluxd-without-caps"
	FLUXD=$T_DIR/fluxd-without-caps
}

# lag_start [COMMAND...]: from now on measure how late this machine wakes up who
# sleeps, and is run by that command.
# lag_since US: by how many milliseconds in all since then: what a test that
# bounds a time has to allow for, on a machine that others use too.
lag_start() {
	"$@" "$python" "$attack_dir/lag.py" >"$T_DIR/lag" 2>/dev/null </dev/null &
	kill_at_exit $!
}

lag_since() {
	awk -v from="$1" '$1 >= from { n += $2 } END { print n + 0 }' "$T_DIR/lag"
}

# on_time US MS NAME: what should have happened MS ago, or in -MS, is off by half
# a second at most, the lag of the machine since the instant US aside.
on_time() {
	local lag
	lag=$(lag_since "$1")
	if [ "$2" -ge -500 ] && [ "$2" -le $((500 + lag)) ]; then
		t_ok "$3"
	else
		t_fail "$3" "$2 ms, of which the machine was late by $lag"
	fi
}

# in_time US MS NAME: what began at the instant US and ended by now took MS and
# no more, the lag of the machine aside.
in_time() {
	local took lag
	took=$((($(now_us) - $1) / 1000))
	lag=$(lag_since "$1")
	if [ "$took" -lt $(($2 + lag)) ]; then
		t_ok "$3"
	else
		t_fail "$3" "$took ms, of which the machine was late by $lag"
	fi
}

# configmap DIR NAME NAMESPACE VALUE: a manifest, as DIR/NAME.yaml.
configmap() {
	cat >"$1/$2.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: $2
		  namespace: $3
		data:
		  value: "$4"
	YAML
}

# commit VALUE: what is in c.yaml of the work tree of bed_mine, pushed; `last` is
# the commit's id.
# shellcheck disable=SC2034,SC2154
commit() {
	configmap "$work" c "$ns" "$1"
	last=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}

live_value() { # NAMESPACE NAME: what the cluster has
	kubectl -n "$1" get configmap "$2" -o 'jsonpath={.data.value}' 2>/dev/null
}

value_is() { # NAMESPACE NAME VALUE
	[ "$(live_value "$1" "$2")" = "$3" ]
}

tag_is() { # REPOSITORY COMMIT
	[ "$(repo_ref "$1" 'refs/tags/flux-sync^{commit}')" = "$2" ]
}

# log_mark: this place in the daemon's log; log_since MARK: what came after it.
log_mark() {
	stat -c %s "$FLUXD_LOG"
}

log_since() {
	tail -c +"$(($1 + 1))" "$FLUXD_LOG"
}

logged_since() { # MARK REGEX
	log_since "$1" | grep -E -- "$2" >/dev/null # all of it: see pipefail
}

log_us() { # MARK REGEX: when it said so first after the mark, as now_us
	local line
	line=$(log_since "$1" | grep -E -- "$2") || return 1 # all of it: see pipefail
	line=${line#ts=}
	date -d "${line%% *}" +%s%6N
}

# fake_start SCRIPT ARG...: run one of the servers of fakes.py.  It is given a
# port of its own and writes it down: FAKE_PORT; what it hears goes to FAKE_LOG.
FAKE_PID=
FAKE_PORT=
FAKE_LOG=
fake_count=0
fake_start() {
	fake_count=$((fake_count + 1))
	FAKE_LOG=$T_DIR/fake-$fake_count.log
	: >"$FAKE_LOG"
	"$python" "$attack_dir/fakes.py" "$T_DIR/fake-$fake_count.port" "$@" \
		>>"$FAKE_LOG" 2>&1 </dev/null &
	FAKE_PID=$!
	kill_at_exit "$FAKE_PID"
	must 60 test -s "$T_DIR/fake-$fake_count.port"
	FAKE_PORT=$(cat "$T_DIR/fake-$fake_count.port")
}

fake_stop() {
	kill "$FAKE_PID" 2>/dev/null || true
	wait "$FAKE_PID" 2>/dev/null || true
	FAKE_PID=
}

is_test_build() {
	grep -q 'FX_TEST_BUILD 1' "$FX_BUILDDIR/config.h"
}
