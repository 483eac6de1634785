#!/usr/bin/env bash
# The other end of --connect's WebSocket is wrong or hostile: the daemon stays as
# it is, and connects again until there is a good one.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
python=$(command -v python3) || t_skip_all "needs python3"
bed_require api ssh
bed_mine rpcfaults

port=$(bed port "${FLUXD_BED:-$bed_own}" "rpcfaults-$$")
lists=$T_DIR/service
mkdir "$lists"
steps=(good status garbage json huge flood last)
printf '%s\n' "${steps[@]}" >"$lists/steps"
"$python" "$FX_SRCDIR/tests/integration/ws_service.py" "$port" "$lists" &
service=$!
at_exit 'kill $service; wait $service 2>/dev/null'
said() { grep -qF -- "$1" "$lists/said" 2>/dev/null; }
logged() { grep -qE "$1" "$FLUXD_LOG"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
pid_of() { ctl sandbox --no-headers | awk -v r="$1" '$1 == r { print $3 }'; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }

printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: %s}\n' "$ns" >"$work/c.yaml"
first=$(repo_commit_all "$work" First)
repo_push "$work"
fluxd_start --git-url="$url" --git-poll-interval=1h --connect="ws://127.0.0.1:$port" --rpc-timeout=20s
t_wait "a call in pieces is answered" 30 said 'version v'
[ "$t_failed" -eq 0 ] || t_done
t_wait "the others too" 30 said '"id": 4'
t_wait "an error without a shape is a text" 30 said '{"error": "unknown kind of change", "id": 2, "result": null}'
t_wait "a method that is not there" 30 said '{"error": "rpc: can'"'"'t find method RPCServer.Nope", "id": 3, "result": null}'
t_is "$(grep '"id": 4' "$lists/said" | jq -c '.result | [.ApplicationError.type, .Result]')" \
	'["missing",{"Err":"","Result":{},"StatusString":""}]' "and one with a shape stands in its place"
upstream=$(pid_of upstream)
before=$(rss "$upstream")
websocket="executing websocket ws://127.0.0.1:$port/v11/daemon:"
t_wait "a refusal is logged as upstream does" 30 logged \
	"component=upstream err=\"$websocket connecting to websocket ws://127.0.0.1:$port/v11/daemon \(http status code = 503\)\""
for step in "${steps[@]:0:6}"; do
	t_wait "it goes on after: $step" 30 said "done $step"
done
t_wait "a call that goes on for ever is cut" 30 logged "err=\"$websocket a call is too long\""
t_wait "whoever takes no answer is not read from" 30 said 'flood stopped True'
t_wait "in the end there is a good one" 30 said 'last {"error": null, "id": 9, "result": {}}'
t_is "$(pid_of upstream)" "$upstream" "it is the process that it was"
t_is "$(($(rss "$upstream") - before < 20000))" 1 "and not much larger: $before, $(rss "$upstream") KiB"
t_is "$(grep -c 'worker ended' "$FLUXD_LOG" || true)" 0 "nobody fell"
t_wait "the marker has moved meanwhile" 30 tag_is "$first"
t_done
