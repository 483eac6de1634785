#!/usr/bin/env bash
# What rest costs: once the cluster equals git, passes cost no request at all,
# and of foreign changes only one that matters costs one.
#
#	FLUXD_QUIET_OBJECTS=1000	ConfigMaps in git
#	FLUXD_QUIET_SECONDS=20		how long nothing happens (300: five minutes)
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh
objects=${FLUXD_QUIET_OBJECTS:-1000}
seconds=${FLUXD_QUIET_SECONDS:-20}
interval=2
# What a first sync asks beside the objects: what the server has, and what there
# is of each kind that git has, which is a list or two.
constant=20

agent='^fluxd/'
all='get|list|create|update|patch|delete' # a watch is open all the time
bed_mine quiet

live() { kubectl -n "$ns" get configmap "$1" -o "jsonpath={$2}"; }
shows() { [ "$(live "$1" .data.text)" = "$2" ]; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
passes() { api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p'; }
pass_after() { # N: of the passes that have begun since, one has ended
	[ "$(passes)" -gt $(($1 + 1)) ]
}

for ((i = 0; i < objects; i++)); do
	printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\n  namespace: %s\ndata:\n  text: one\n' \
		"$i" "$ns"
done >"$work/all.yaml"
first=$(repo_commit_all "$work" "First")
repo_push "$work"

mark=$(audit_mark)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=${interval}s
t_wait "$objects objects are synced" 240 tag_is "$first"
t_is "$(audit_count "$agent" patch "$mark")" "$objects" "each by one PATCH"
others=$(audit_count "$agent" 'get|list|create|update|delete' "$mark")
t_diag "$others other requests"
t_run "and a constant number of other requests" [ "$others" -le "$constant" ]

# The watch of a kind of which much was written rests until the pass is over,
# and then begins with a list: who sees a foreign change has it behind him.
kubectl -n "$ns" patch configmap c7 --type=merge -p '{"data":{"text":"by hand"}}' >/dev/null
t_wait "a foreign change is seen" 60 shows c7 one
begun=$(passes)
t_wait "passes go on" 60 pass_after "$begun"
mark=$(audit_mark)
begun=$(passes)
sleep "$((seconds / 2))"
t_wait "while passes go on" 60 pass_after "$begun"
t_is "$(audit_list "$agent" "$all" "$mark")" "" "and nothing happens nothing is asked"

kubectl -n "$ns" annotate configmap c5 note=mine >/dev/null
begun=$(passes)
t_wait "a foreign annotation has been seen by a pass" 60 pass_after "$begun"
t_is "$(audit_list "$agent" "$all" "$mark")" "" "and costs nothing"
t_is "$(live c5 .metadata.annotations.note)" mine "it stays"

began=${EPOCHREALTIME/[.,]/}
kubectl -n "$ns" patch configmap c6 --type=merge -p '{"data":{"text":"by hand"}}' >/dev/null
t_wait "a foreign change of a field of git is put back" 60 shows c6 one
t_diag "within $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms, with both calls of kubectl"
sleep "$((seconds / 2))"
t_like "$(audit_list "$agent" "$all" "$mark")" \
	"^patch 200 [^[:space:]]*/configmaps/c6[^[:space:]]*\$" "by one PATCH, the only request in $seconds s"

fluxd_stop
t_done
