#!/usr/bin/env bash
# A service calls the daemon over the connection of --connect, by the original's
# websocket and RPC client: each method answers what its route does.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh
[ -n "${BED_UPSTREAM_SERVICE:-}" ] || t_skip_all "the service is not built: bed build service"
bed_mine rpc

token=Sesame-$RANDOM$RANDOM
port=$(bed port "${FLUXD_BED:-$bed_own}" "rpc-$$")
lists=$T_DIR/service
mkdir "$lists"
"$BED_UPSTREAM_SERVICE" --listen="127.0.0.1:$port" --base=/hook --token="$token" \
	--dir="$lists" >"$lists/log" 2>&1 &
service=$!
at_exit 'kill $service; wait $service 2>/dev/null'
call() { # METHOD ARGUMENT
	curl -sS --max-time 60 -G "http://127.0.0.1:$port/call" \
		--data-urlencode "method=$1" --data-urlencode "arg=$2"
}
result() { call "$@" | jq -cS .result; }
http() { api_get "/api/flux$1" | jq -cS .; }
same() { # NAME METHOD ARGUMENT ROUTE
	t_is "$(result "$2" "$3")" "$(http "$4")" "$1"
}
logged() { grep -qE "$1" "$FLUXD_LOG"; }

# What is read twice is compared: of a kind whose status nobody writes, and of a
# namespace that is nobody else's.
cat >"$work/web.yaml" <<-YAML
	apiVersion: batch/v1
	kind: CronJob
	metadata:
	  name: web
	  namespace: $ns
	  annotations: {fluxcd.io/automated: "true"}
	spec:
	  schedule: "0 0 1 1 *"
	  suspend: true
	  jobTemplate:
	    spec:
	      template:
	        spec:
	          restartPolicy: Never
	          containers: [{name: app, image: "quay.io/acme/app:1"}]
YAML
first=$(repo_commit_all "$work" First)
repo_push "$work"
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--k8s-allow-namespace="$ns" --connect="http://127.0.0.1:$port/hook" --token="$token" --rpc-timeout=30s
synced() { [ "$(api_get "/api/flux/v6/sync?ref=${first:0:7}" 2>/dev/null)" = '[]' ]; }
t_wait "the first commit is synced" 30 synced
t_wait "the daemon connects" 30 logged 'component=upstream connected=true'
t_wait "which the service notes" 30 test -s "$lists/connections"
t_is "$(cat "$lists/connections")" "fluxd/$("$FLUXD" --version)" "as this agent, with the token"

t_is "$(result Ping null)" '{}' "Ping"
same "Version" Version null /v11/version
same "ListServices" ListServices "\"$ns\"" "/v6/services?namespace=$ns"
t_is "$(result ListServices "\"$ns\"" | jq -r '.[0].ID')" "$ns:cronjob/web" "with the workload"
same "ListServicesWithOptions, of a namespace" ListServicesWithOptions "{\"Namespace\":\"$ns\"}" "/v11/services?namespace=$ns"
same "ListServicesWithOptions, of these" ListServicesWithOptions \
	"{\"Services\":[\"$ns:cronjob/web\",\"$ns:cronjob/none\"]}" \
	"/v11/services?services=$ns:cronjob/web,$ns:cronjob/none"
same "ListImages" ListImages "\"$ns:cronjob/web\"" "/v6/images?service=$ns:cronjob/web"
same "ListImagesWithOptions" ListImagesWithOptions \
	"{\"Spec\":\"<all>\",\"OverrideContainerFields\":[\"Name\",\"Current\"],\"Namespace\":\"$ns\"}" \
	"/v10/images?namespace=$ns&containerFields=Name,Current"
t_is "$(result Export null | jq -r . | base64 -d | sha256sum)" \
	"$(api_get /api/flux/v6/export | jq -r . | base64 -d | sha256sum)" "Export"
same "SyncStatus" SyncStatus "\"$first\"" "/v6/sync?ref=$first"
t_is "$(result GitRepoConfig false)" "$(api_post /api/flux/v9/git-repo-config false | jq -cS .)" "GitRepoConfig"
t_is "$(result NotifyChange "{\"Kind\":\"git\",\"Source\":{\"URL\":\"$url\",\"Branch\":\"master\"}}")" '{}' "NotifyChange"

# an update: the job is known to both
bed_git -C "$work" commit -q --allow-empty -m Second
second=$(bed_git -C "$work" rev-parse HEAD)
repo_push "$work"
job=$(result UpdateManifests '{"type":"sync","cause":{"User":"ada","Message":""},"spec":{}}' | jq -r .)
t_like "$job" '^[0-9a-f-]{36}$' "UpdateManifests gives a job"
done_with() { [ "$(api_get "/api/flux/v6/jobs?id=$1" | jq -r .StatusString)" = succeeded ]; }
t_wait "which is run" 30 done_with "$job"
same "JobStatus" JobStatus "\"$job\"" "/v6/jobs?id=$job"
t_is "$(result JobStatus "\"$job\"" | jq -r .Result.revision)" "$second" "of this revision"

# errors: those with a shape arrive with it, others as texts
out=$(call JobStatus '"nope"')
t_is "$(jq -r '.error, .type' <<<"$out" | xargs)" "unknown job nope missing" "an error with a shape"
t_is "$(jq -r .help <<<"$out")" "$(fluxd_curl -H 'Accept: application/json' "$(fluxd_url)/api/flux/v6/jobs?id=nope" | jq -r .help)" \
	"has the help of the route"
t_is "$(call ListImagesWithOptions '{"Spec":"<all>","OverrideContainerFields":["x"]}' | jq -r .error)" \
	"x is an invalid field" "what only HTTP gives a shape to has none"
t_wait "each is logged" 30 logged 'component=upstream method=JobStatus error="unknown job \\"nope\\""'
t_is "$(result Ping null)" '{}' "and the connection goes on"

# many at a time
pids=()
for i in $(seq 30); do
	call ListServices "\"$ns\"" >"$T_DIR/call.$i" &
	pids+=($!)
done
wait "${pids[@]}"
t_is "$(cat "$T_DIR"/call.* | jq -cS .result | sort -u)" "$(http "/v6/services?namespace=$ns")" "thirty calls at once are answered alike"
t_like "$(api_get /metrics)" "flux_fluxd_connection_duration_seconds.target=\"ws://127.0.0.1:$port/hook\". [0-9]+" "the gauge has the connection"
t_wait "and events are sent meanwhile" 30 test -s "$lists/events"
t_is "$(cut -f1 "$lists/events" | sort -u)" same "as the original would have"

# the service ends, and comes back; then it is gone for good
kill "$service"
wait "$service" 2>/dev/null || true
t_wait "the end of the service is noticed" 30 logged 'component=upstream disconnected=true'
gauge_is() { api_get /metrics | grep -E "^flux_fluxd_connection_duration_seconds.target=\"[^\"]*\". $1\$" >/dev/null; }
t_wait "the gauge is 0" 30 gauge_is 0
"$BED_UPSTREAM_SERVICE" --listen="127.0.0.1:$port" --base=/hook --token="$token" \
	--dir="$lists" >"$lists/log" 2>&1 &
service=$!
there() { curl -s -o /dev/null "http://127.0.0.1:$port/"; }
t_wait "the service is back" 30 there
again() { [ "$(result Ping null 2>/dev/null)" = '{}' ]; }
t_wait "the daemon connects again by itself" 60 again
kill "$service"
wait "$service" 2>/dev/null || true
"$BED_UPSTREAM_SERVICE" --listen="127.0.0.1:$port" --base=/hook --token="$token" --gone \
	--dir="$lists" >"$lists/log" 2>&1 &
service=$!
fluxd_wait 60 || true
t_is "$FLUXD_STATUS" 1 "410 ends the daemon with status 1"
t_like "$(cat "$FLUXD_LOG")" 'component=upstream err="Your fluxd version is deprecated - please upgrade, see https://github.com/weaveworks/flux-adapter"' \
	"and says so"
t_unlike "$(cat "$FLUXD_LOG")" "$token" "the token is in no log"
t_done
