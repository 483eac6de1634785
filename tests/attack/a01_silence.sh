#!/usr/bin/env bash
# A01: git servers that fall silent at every turn, over ssh and https, and work
# that takes long on a local repository, against the git worker inside its
# sandbox.  It gives up by itself, half a second after the deadline at the
# latest, and at once when it is told to stop.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -x "$python" ] || t_skip_all "needs $python"
bed_require ssh
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git
limit=600 # of an operation, milliseconds
# what a login and half a pack take has to fit into this one
half_way=4000
lag_start

known=$BED_KNOWN_HOSTS
run() { # URL COMMAND...: what the worker says, with a mirror of its own
	local url=$1 program=$git
	shift
	[[ $url != http* ]] || program=$git-http
	rm -rf "$T_DIR/mirror"
	mkdir "$T_DIR/mirror"
	"$drive" "$program" remote git-url="$url" mirror-dir="$T_DIR/mirror" \
		git-branch=main known="$known" key="$BED_SSH_KEY" -- "$@" 2>&1
}

ms_of() { # TEXT REGEX: the time of the line
	grep -E -m1 -- "$2" <<<"$1" | sed 's/.* ms=\([0-9]*\).*/\1/'
}

silence() { # NAME URL [LIMIT]
	local out began late limit=${3:-$limit}
	began=$(now_us)
	out=$(run "$2" "fetch $limit" counts)
	t_like "$out" "failed code=timeout text=.*counts " \
		"$1: is an error of its kind, and the worker goes on"
	late=$(($(ms_of "$out" ' code=timeout') - limit))
	on_time "$began" "$late" "$1: at the deadline"
	began=$(now_us)
	out=$(run "$2" "stop-in 300" "fetch 20000")
	t_like "$out" "channel closed" "$1: does not keep it from stopping"
	t_unlike "$out" $'\nstatus ' "$1: in order"
	on_time "$began" "$(ms_of "$out" '^no answer')" "$1: and at once"
}

serve() { # COMMAND...: a server that writes down its port
	rm -f "$T_DIR/port"
	"$python" "$@" >/dev/null 2>&1 &
	kill_at_exit $!
	must 60 test -s "$T_DIR/port"
	port=$(cat "$T_DIR/port")
}

serve "$attack_dir/git_server.py" "$T_DIR/port" "$T_DIR/record"
for trick in silent drip stall; do
	silence "https server, $trick" "http://127.0.0.1:$port/$trick"
done
for trick in silent banner-only endless; do
	serve "$attack_dir/ssh_server.py" "$T_DIR/port" "$trick"
	silence "ssh server, $trick" "ssh://git@127.0.0.1:$port/x"
done

# the real one, behind somebody who passes on so many bytes and no more: they
# end in the exchange of keys, in the login, in the list of refs, in a pack
name=a01-$$
url=$(bed_repo $name)
repo_clone "$url" "$T_DIR/work"
head -c 300000 /dev/urandom | base64 -w0 >"$T_DIR/work/noise.txt"
repo_commit_all "$T_DIR/work" noise >/dev/null
repo_push "$T_DIR/work" main
for bytes in 1000 1800 2600 60000; do
	fake_start proxy "$BED_SSH_PORT" "$bytes"
	kill -USR1 "$FAKE_PID"
	must 60 grep -q ' fault$' "$FAKE_LOG"
	sed "s/^[^ ]*/[127.0.0.1]:$FAKE_PORT/" "$BED_KNOWN_HOSTS" >"$T_DIR/known"
	known=$T_DIR/known
	silence "ssh, after $bytes bytes" "ssh://$BED_SSH_USER@127.0.0.1:$FAKE_PORT/${url#*"$BED_SSH_PORT"/}" $half_way
	t_run "ssh, after $bytes bytes: it stalled there" grep -q ' stalled$' "$FAKE_LOG"
	fake_stop
done

# nobody is silent, but there is a lot to do
git init -q --bare -b main "$T_DIR/large"
{
	echo "commit refs/heads/main"
	echo "committer a <a@b> 1700000000 +0000"
	echo "data 5"
	echo "large"
	for i in $(seq 30000); do
		echo "M 100644 inline d$((i % 100))/$i"
		echo "data $((${#i} + 1))"
		echo "$i"
	done
} | git -C "$T_DIR/large" fast-import --quiet
began=$(now_us)
out=$(run "$T_DIR/large" "fetch 10" "fetch 60000")
t_like "$out" "failed code=timeout text=not finished .*fetched fetched head=[0-9a-f]{40} " \
	"a local repository that is too large for the time is an error, too"
# the worker computes, and on a busy machine that takes longer, of both
late=$(ms_of "$out" ' code=timeout') whole=$(ms_of "$out" ' fetched ') lag=$(lag_since "$began")
t_run "at the deadline, $late ms, and not when it would be done, $whole ms" [ "$late" -lt $((whole / 3 + lag)) ]
began=$(now_us)
out=$(run "$T_DIR/large" "stop-in 50" "fetch 20000")
t_like "$out" "channel closed" "and does not keep the worker from stopping"
# it looks up between objects, of which one may take a while
ms=$(ms_of "$out" '^no answer')
lag=$(lag_since "$began")
if [ "$ms" -le $((5000 + lag)) ]; then t_ok "nor for long"; else t_fail "nor for long" "$ms ms, the machine was late by $lag"; fi
t_done
