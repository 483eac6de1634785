#!/usr/bin/env bash
# Events arrive at a service that is made of the original's own packages: it
# decodes them by its type, and would have sent the same bytes.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh
[ -n "${BED_UPSTREAM_SERVICE:-}" ] || t_skip_all "the service is not built: bed build service"
bed_mine events

token=Sesame-$RANDOM$RANDOM
port=$(bed port "${FLUXD_BED:-$bed_own}" "events-$$")
lists=$T_DIR/service
mkdir "$lists"
"$BED_UPSTREAM_SERVICE" --listen="127.0.0.1:$port" --base=/hook/flux --token="$token" \
	--dir="$lists" >"$lists/log" 2>&1 &
service=$!
at_exit 'kill $service; wait $service'
answers() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/")" = 404 ]; }
t_wait "the service is there" 60 answers

configmap() { # NAME TEXT
	cat >"$work/$1.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: $1
		  namespace: $ns
		data:
		  text: "$2"
	YAML
}
note() { # COMMIT JSON
	bed_git -C "$work" notes --ref=flux add -f -m "$2" "$1"
	bed_git -C "$work" push -q origin +refs/notes/flux:refs/notes/flux
}
came() { [ "$(wc -l <"$lists/events" 2>/dev/null)" -ge "$1" ]; }
field() { sed -n "$1p" "$lists/events" | cut -f"$2"; } # LINE FIELD
event() { field "$1" 4 | jq -cr "$2"; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }

configmap a one
first=$(repo_commit_all "$work" "First <b> & \"c\"

with a body")
repo_push "$work"
before=$(date +%s)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--connect="ws://127.0.0.1:$port/hook/flux" --token="$token"
t_wait "the event of the first sync arrives" 60 came 1
t_is "$(field 1 1)" same "the original would have sent the same bytes"
t_is "$(field 1 2)" "fluxd/$("$FLUXD" --version)" "by this agent"
t_is "$(field 1 3)" "Sync: ${first:0:7}, $ns:configmap/a" "it is told in the original's words"
t_is "$(event 1 .metadata)" \
	"{\"commits\":[{\"revision\":\"$first\",\"message\":\"First <b> & \\\"c\\\"\"}],\"includes\":{\"other\":true},\"initialSync\":true}" \
	"with the commits, and that it is the first"
t_like "$(field 1 4)" '"message":"First \\u003cb\\u003e \\u0026 \\"c\\""' "escaped as the original does"
started=$(date -d "$(event 1 .startedAt)" +%s)
t_is "$((started >= before && started <= $(date +%s)))" 1 "its time is that of the sync"
t_wait "the marker moves" 30 tag_is "$first"
t_wait "the log says that it is sent" 30 fluxd_logged "event=\"Sync: ${first:0:7}, $ns:configmap/a\" logupstream=true"
t_like "$(cat "$FLUXD_LOG")" "component=upstream URL=ws://127.0.0.1:$port/hook/flux" "and where to"

# releases, of notes as the original leaves them, and what cannot be applied
configmap b one
cat >"$work/c.yaml" <<-YAML
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: c, namespace: $ns-not}
YAML
second=$(repo_commit_all "$work" "Release")
configmap a two
third=$(repo_commit_all "$work" "Automatic")
job='"jobID":"7d0a2f11-0b1c-4e5d-8a90-1234567890ab"'
result="{\"$ns:deployment/web\":{\"Status\":\"success\",\"PerContainer\":[{\"Container\":\"app\",\"Current\":\"q/app:1\",\"Target\":\"q/app:2\"}]},\"$ns:deployment/api\":{\"Status\":\"failed\",\"Error\":\"no <such> image\",\"PerContainer\":null}}"
note "$second" "{$job,\"spec\":{\"type\":\"image\",\"cause\":{\"Message\":\"\",\"User\":\"ada\"},\"spec\":{\"ServiceSpecs\":[\"<all>\"],\"ImageSpec\":\"<all latest>\",\"Kind\":\"execute\",\"Excludes\":null,\"Force\":false}},\"result\":$result}"
note "$third" "{$job,\"spec\":{\"type\":\"auto\",\"cause\":{\"Message\":\"\",\"User\":\"\"},\"spec\":{\"Changes\":[{\"WorkloadID\":\"$ns:deployment/web\",\"Container\":{\"Name\":\"app\",\"Image\":\"q/app:1\"},\"ImageID\":\"q/app:2\"}]}},\"result\":$result}"
repo_push "$work"
ctl sync >/dev/null 2>&1
t_wait "three events more arrive" 60 came 4
t_is "$(cut -f1 "$lists/events" | sort | uniq -c | xargs)" "4 same" \
	"each is what the original would have sent"
t_is "$(field 2 3)" "Sync: ${third:0:7}, $ns-not:configmap/c, $ns:configmap/a, $ns:configmap/b" \
	"first that of the sync"
t_is "$(event 2 '[.metadata.commits[].revision] | join(" ")')" "$third $second" "its commits, the newest first"
t_is "$(event 2 '.metadata.includes')" '{"autorelease":true,"release":true}' "what they are"
t_is "$(event 2 '.metadata.errors[0] | [.ID, .Path] | join(" ")')" "$ns-not:configmap/c c.yaml" \
	"and what was not applied"
t_is "$(field 3 3)" "Released: q/app:2 to all workloads, by ada" "then the release"
t_is "$(event 3 '.metadata.error')" "$ns:deployment/api failed: no <such> image" "with its failure"
t_is "$(field 4 3)" "Automated release of q/app:2" "and the automated one"
t_is "$(event 4 .metadata.spec.Changes[0].ImageID)" q/app:2 "with its spec"
t_wait "the marker moves on" 30 tag_is "$third"
counted() { api_get /metrics | grep '^fluxd_events' | sort | xargs; }
t_becomes "the metrics count them" 30 'fluxd_events_total{result=taken} 4 fluxd_events_waiting 0' counted

t_like "$(ctl sandbox)" "upstream +0 +[0-9]+ +running .* token of --connect " "fluxctl sandbox shows the process"
t_unlike "$(cat "$FLUXD_LOG")" "$token" "the token is in no log"
t_unlike "$(tr '\0' ' ' <"/proc/$FLUXD_PID/cmdline")" "$token" "and not in the arguments"
t_done
