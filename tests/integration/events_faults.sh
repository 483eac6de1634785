#!/usr/bin/env bash
# The service of --connect is down, slow, wrong or hostile: the marker moves, jobs
# end, and once the service takes events it is told each of them, in order; also
# of a fluxd that was killed.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh
python=$(command -v python3) || t_skip_all "needs python3"
bed_mine evfaults

port=$(bed port "${FLUXD_BED:-$bed_own}" "evfaults-$$")
lists=$T_DIR/service
mkdir "$lists"
service=
service_start() {
	"$python" "$FX_SRCDIR/tests/integration/service.py" "$port" "$lists" &
	service=$!
}
service_stop() {
	[ -n "$service" ] || return 0
	kill "$service"
	wait "$service" 2>/dev/null || true
	service=
}
at_exit service_stop
mode() { echo "$1" >"$lists/mode.new" && mv "$lists/mode.new" "$lists/mode"; }
tries() { cat "$lists/tries" 2>/dev/null | wc -l; }
tried() { [ "$(tries)" -ge "$1" ]; }
tried_as() { grep -q " $1\$" "$lists/tries"; }
revisions() { jq -r '.metadata.commits[0].revision' "$lists/events" 2>/dev/null | xargs; }
told() { [ "$(revisions)" = "$*" ]; }
waiting() { api_get /metrics | sed -n 's/^fluxd_events_waiting //p'; }
wait_is() { [ "$(waiting)" = "$1" ]; }
logged() { grep -qE "$1" "$FLUXD_LOG"; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
n=0
commit() { # into $last
	n=$((n + 1))
	cat >"$work/c.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: c, namespace: $ns}
		data: {text: "$n"}
	YAML
	last=$(repo_commit_all "$work" "Number $n")
	repo_push "$work"
}
daemon() {
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--connect="http://127.0.0.1:$port/" --token=sesame "$@"
}

# nobody is there: the marker moves, and a job ends
commit
first=$last
daemon
t_wait "without a service the marker moves" 60 tag_is "$first"
t_wait "and the event waits" 30 wait_is 1
t_wait "which is logged by its name" 30 logged \
	"component=upstream err=\"connect to 127.0.0.1 port $port: Connection refused\" event=\"Sync: ${first:0:7}, .* again-in=1s"
commit
second=$last
t_run "fluxctl sync ends well" ctl sync
t_wait "another event waits" 30 wait_is 2

# killed with events that wait: the next one sends them
kill -KILL "$FLUXD_PID"
wait "$FLUXD_PID" 2>/dev/null || true
FLUXD_PID=
service_start
daemon
t_wait "after kill -9 both arrive, in order" 60 told "$first" "$second"
t_like "$(cat "$lists/heads")" $'^POST /v6/events HTTP/1.1\r\n' "each is a POST"
t_like "$(cat "$lists/heads")" $'\nAuthorization: Scope-Probe token=sesame\r' "with the token"
t_wait "none waits" 30 wait_is 0
t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$second" "the marker is where it was"

# whatever the service does, the same event comes again until it is taken
all=("$first" "$second")
elsewhere=$(bed port "${FLUXD_BED:-$bed_own}" "evelse-$$")
echo "$elsewhere" >"$lists/elsewhere"
mkdir "$T_DIR/elsewhere"
"$python" "$FX_SRCDIR/tests/integration/service.py" "$elsewhere" "$T_DIR/elsewhere" &
other=$!
at_exit 'kill $other; wait $other 2>/dev/null'
for how in 500 401 307 redirect close garbage; do
	mode "$how"
	: >"$lists/tries"
	commit
	all+=("$last")
	ctl sync >/dev/null 2>&1
	t_wait "$how: it is tried again" 60 tried 2
	t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$last" "$how: the marker has moved"
	mode 204
	t_wait "$how: and told in the end" 60 told "${all[@]}"
done
t_is "$(ls "$T_DIR/elsewhere")" "" "nobody was sent elsewhere"
t_unlike "$(cat "$FLUXD_LOG")" $'\e' "what a service says is harmless in the log"

mode 422
commit
refused=$last
ctl sync >/dev/null 2>&1
t_wait "what is refused for good is dropped and named" 60 logged \
	"err=\"the service refuses an event; it is dropped\" answer=\"422 because .* event=\"Sync: ${refused:0:7}"
refused() { api_get /metrics | sed -n 's/^fluxd_events_total{result="refused"} //p'; }
t_becomes "and counted" 30 1 refused
mode endless
commit
ctl sync >/dev/null 2>&1
t_wait "an endless answer is one" 60 tried_as endless
t_wait "of which the status counts" 60 wait_is 0
mode 200
commit
all+=("$last")
ctl sync >/dev/null 2>&1
t_wait "the next one arrives" 60 told "${all[@]}"

# one that never answers costs a connection, and little else
mode hang
commit
all+=("$last")
: >"$lists/tries"
ctl sync >/dev/null 2>&1
t_wait "a silent service is asked" 60 tried 1
commit
all+=("$last")
t_run "meanwhile fluxctl sync ends well" ctl sync
t_wait "it is given up after ten seconds" 60 logged 'component=upstream err="(Operation|Connection) timed out .* again-in=1s'
mode 200
t_wait "and told in the end" 60 told "${all[@]}"
t_wait "which fluxd has heard" 30 wait_is 0

# killed after the event is in the spool and before the marker has moved
service_stop
mkdir -p "$(repo_path "$repo")/hooks"
cat >"$(repo_path "$repo")/hooks/pre-receive" <<-SH
	#!/bin/sh
	grep -q refs/tags/ && [ -e '$T_DIR/hold' ] || exit 0
	: >'$T_DIR/pushing'
	while [ -e '$T_DIR/hold' ]; do sleep 0.1; done
	exit 1 # who pushed is dead, and the server would not mind
SH
chmod +x "$(repo_path "$repo")/hooks/pre-receive"
: >"$T_DIR/hold"
before=$last
commit
rm -f "$T_DIR/pushing"
api_post /api/flux/v11/notify "{\"Kind\":\"git\",\"Source\":{\"URL\":\"$url\",\"Branch\":\"master\"}}" >/dev/null
pushes() { [ -e "$T_DIR/pushing" ]; }
t_wait "the marker is about to move" 60 pushes
t_is "$(waiting)" 1 "and the event is in the spool"
kill -KILL "$FLUXD_PID"
wait "$FLUXD_PID" 2>/dev/null || true
FLUXD_PID=
rm "$T_DIR/hold"
t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$before" "the marker has not moved"
service_start
daemon
t_wait "the next fluxd moves it" 60 tag_is "$last"
told_of_last() { [[ $(revisions) == *" $last" ]]; }
t_wait "and the event arrives" 60 told_of_last
t_is "$(revisions | tr ' ' '\n' | uniq | xargs)" "${all[*]} $last" "nothing is missing, and nothing out of order"
t_done
