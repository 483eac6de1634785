#!/usr/bin/env bash
# The API server and the way to it fail in the middle of a sync of many objects:
# what was done stays done, the rest follows by itself, and watches that can no
# longer be continued miss nothing.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it stops parts
bed_require api ssh
command -v python3 >/dev/null || t_skip_all "no python3"

agent='^fluxd/'
many=${FLUXD_MANY:-600}
slack=150 # requests in flight may be made twice, at each fault
bed_mine faults

python3 "$(dirname "$0")/relay.py" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/port" &
relay=$!
at_exit 'kill "$relay" 2>/dev/null'
wait_for 20 test -s "$T_DIR/port"
sed "s|127.0.0.1:$BED_API_PORT|127.0.0.1:$(cat "$T_DIR/port")|" "$BED_KUBECONFIG" >"$T_DIR/kubeconfig"

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
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
# in the middle: some are done, as the audit log shows without a request
begun() { [ "$(tail -c +"$((mark + 1))" "$BED_AUDIT_LOG" | grep -c '"verb":"patch".*"userAgent":"fluxd/')" -ge 40 ]; }
patches() { audit_count "$agent" patch "$mark"; }
failures_are() { [ "$(grep -c 'component=sync-loop.* err=' "$FLUXD_LOG")" -ge "$1" ]; }
at_most() { [ "$1" -le "$2" ]; }

mark=$(audit_mark)
objects one
FLUXD_KUBECONFIG=$T_DIR/kubeconfig
fluxd_start --git-url="$url" --git-poll-interval=500ms --sync-interval=1h --sync-timeout=5s

# the server ends and comes back
wait_for 30 begun
bed restart "$bed_own" api 2>/dev/null
t_wait "an API server that restarts in the middle is no reason to begin anew" 60 tag_is "$head"
t_is "$(with_text one)" "$many" "everything is there"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# the way to it is cut, and refused for a while
mark=$(audit_mark)
objects two
wait_for 30 begun
kill -USR1 "$relay"
t_wait "a connection that is refused ends the pass, after it was tried for a while" 30 failures_are 1
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
t_wait "and the next one comes by itself" 60 tag_is "$head"
t_is "$(api_status GET /api/flux/v11/ping)" 204 "a ping, too"
t_is "$(with_text two)" "$many" "everything has changed"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# it is there, and nothing comes through
mark=$(audit_mark)
objects three
wait_for 30 begun
kill -USR2 "$relay"
t_wait "silence ends the pass at the deadline" 60 failures_are 2
kill -HUP "$relay"
t_wait "and the next one finds a new connection" 60 tag_is "$head"
t_is "$(with_text three)" "$many" "everything has changed"
t_run "and little was sent twice: $(patches) requests" at_most "$(patches)" $((many + slack))

# while nobody listens, something changes, and the history of it goes
kill -USR1 "$relay"
mark=$(audit_mark)
kubectl -n "$ns" patch configmap c7 --type=merge -p '{"data":{"text":"foreign"}}' >/dev/null
kubectl -n "$ns" delete configmap c8 >/dev/null
etcd=http://127.0.0.1:$(bed port "$bed_own" etcd-client)
revision=$(curl -s "$etcd/v3/kv/range" -d '{"key":"AA==","keys_only":true}' | jq -r .header.revision)
t_is "$(curl -s -o /dev/null -w '%{http_code}' "$etcd/v3/kv/compaction" -d "{\"revision\":\"$revision\",\"physical\":true}")" 200 \
	"the store forgets its history"
bed restart "$bed_own" api 2>/dev/null
kill -HUP "$relay"
t_wait "what changed meanwhile is put back" 60 text_is c7 three
t_wait "what was deleted, too" 60 text_is c8 three
t_run "by a request each: $(patches)" at_most "$(patches)" 4
t_run "the watches began anew, not again and again" \
	at_most "$(audit_count "$agent" list "$mark")" 6
t_done
