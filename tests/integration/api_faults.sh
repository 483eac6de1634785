#!/usr/bin/env bash
# The API server and the way to it fail in the middle of a sync of many objects:
# what was done stays done, the rest follows by itself, and watches that can no
# longer be continued miss nothing.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
unset FLUXD_BED # it stops parts
bed_require api ssh

agent='^fluxd/'
many=${FLUXD_MANY:-600}
slack=150 # requests in flight may be made twice, at each fault
bed_mine faults

"$python" "$(dirname "$0")/relay.py" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/port" >>"$T_DIR/cuts" &
relay=$!
kill_at_exit $!
wait_for 60 test -s "$T_DIR/port"
port=$(cat "$T_DIR/port")
sed "s|127.0.0.1:$BED_API_PORT|127.0.0.1:$port|" "$BED_KUBECONFIG" >"$T_DIR/kubeconfig"
# In the middle of the next pass, each object of which takes more than a
# kilobyte: the way is "cut" or "silent", and stays so.
middle=150000
in_the_middle() { # cut|silent
	echo "$middle $1" >"$T_DIR/port.after"
	kill -ALRM "$relay"
	wait_for 60 test ! -e "$T_DIR/port.after"
	: >"$T_DIR/cuts"
}
is_cut() { [ -s "$T_DIR/cuts" ]; }
some_have() { # TEXT: some, and not all
	local n
	n=$(with_text "$1")
	t_diag "$n of $many have it"
	[ "$n" -gt 0 ] && [ "$n" -lt "$many" ]
}
refuses() { ! (exec 3<>"/dev/tcp/127.0.0.1/$port"); }

objects() { # TEXT: all of them have it
	local i
	for ((i = 0; i < many; i++)); do
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\n  namespace: %s\ndata:\n  text: "%s"\n' \
			"$i" "$ns" "$1"
	done >"$work/all.yaml"
	head=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
with_text() { # TEXT: how many objects have it
	kubectl -n "$ns" get configmaps -o json | jq "[.items[] | select(.data.text == \"$1\")] | length"
}
text_of() { kubectl -n "$ns" get configmap "$1" -o 'jsonpath={.data.text}'; }
text_is() { [ "$(text_of "$1")" = "$2" ]; }
patches() { audit_count "$agent" patch "$mark"; }
# The list that a watch begins with is as long as a pass: who has seen a foreign
# change, and put TEXT back, has it behind him.
watches() { # TEXT
	kubectl -n "$ns" patch configmap c7 --type=merge -p '{"data":{"text":"foreign"}}' >/dev/null
	must 60 text_is c7 "$1"
}
failed() { logged_since "$said" 'component=sync-loop.* err='; }
at_most() { [ "$1" -le "$2" ]; }

FLUXD_KUBECONFIG=$T_DIR/kubeconfig
objects none
fluxd_start --git-url="$url" --git-poll-interval=500ms --sync-interval=1h --sync-timeout=5s
t_wait "all goes well, in the beginning" 120 tag_is "$repo" "$head"

# the server ends and comes back
watches none
mark=$(audit_mark)
in_the_middle silent
objects one
wait_for 60 is_cut
t_run "some requests are not answered" some_have one
bed stop "$bed_own" api 2>/dev/null
kill -HUP "$relay"
bed start "$bed_own" api 2>/dev/null
t_wait "an API server that restarts then is no reason to begin anew" 120 tag_is "$repo" "$head"
t_is "$(with_text one)" "$many" "everything is there"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# the way to it is cut, and refused for a while
watches one
mark=$(audit_mark)
said=$(log_mark)
in_the_middle cut
objects two
wait_for 60 is_cut
t_run "the way is cut in the middle" some_have two
t_wait "a connection that is refused ends the pass, after it was tried for a while" 60 failed
api=/api/flux/v6
waits=() # each for as long as the server is tried
api_status GET /api/flux/v11/ping >"$T_DIR/ping" & waits+=($!)
api_get "$api/services?namespace=$ns" >"$T_DIR/services" & waits+=($!)
api_get "$api/images?namespace=$ns" >"$T_DIR/images" & waits+=($!)
api_get "$api/images?service=$ns:deployment/x" >"$T_DIR/image" & waits+=($!)
t_is "$(api_status GET $api/identity.pub)" 200 "probes are answered"
for i in "${waits[@]}"; do wait "$i" || true; done
t_is "$(cat "$T_DIR/ping")" 422 "a ping says that it is not there"
t_like "$(cat "$T_DIR/services")" '^getting workloads from cluster: .*[Cc]onnection refused' "and a list of workloads"
t_like "$(cat "$T_DIR/images")" '^getting all workloads: .*[Cc]onnection refused' "images of all"
t_like "$(cat "$T_DIR/image")" '^getting some workloads: .*[Cc]onnection refused' "images of one"
kill -HUP "$relay"
t_wait "and the next one comes by itself" 120 tag_is "$repo" "$head"
t_is "$(api_status GET /api/flux/v11/ping)" 204 "a ping, too"
t_is "$(with_text two)" "$many" "everything has changed"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# it is there, and nothing comes through
watches two
mark=$(audit_mark)
said=$(log_mark)
in_the_middle silent
objects three
wait_for 60 is_cut
t_run "it falls silent in the middle" some_have three
t_wait "silence ends the pass at the deadline" 60 failed
kill -HUP "$relay"
t_wait "and the next one finds a new connection" 120 tag_is "$repo" "$head"
t_is "$(with_text three)" "$many" "everything has changed"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# while nobody listens, something changes, and the history of it goes
kill -USR1 "$relay"
wait_for 60 refuses
mark=$(audit_mark)
kubectl -n "$ns" patch configmap c7 --type=merge -p '{"data":{"text":"foreign"}}' >/dev/null
kubectl -n "$ns" delete configmap c8 >/dev/null
etcd=http://127.0.0.1:$(bed port "$bed_own" etcd-client)
revision=$(curl -s "$etcd/v3/kv/range" -d '{"key":"AA==","keys_only":true}' | jq -r .header.revision)
t_is "$(curl -s -o /dev/null -w '%{http_code}' "$etcd/v3/kv/compaction" -d "{\"revision\":\"$revision\",\"physical\":true}")" 200 \
	"the store forgets its history"
bed restart "$bed_own" api 2>/dev/null
kill -HUP "$relay"
t_wait "what changed meanwhile is put back" 120 text_is c7 three
t_wait "what was deleted, too" 120 text_is c8 three
t_run "by a request each: $(patches)" at_most "$(patches)" 4
t_run "the watches began anew, not again and again" \
	at_most "$(audit_count "$agent" list "$mark")" 6
t_done
