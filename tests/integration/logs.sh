#!/usr/bin/env bash
# The records that operators grep, provoked one by one and compared word for
# word with what Flux 1.25.4 says.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh

bed_mine logs
group=logs-$$.example.com

tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
manifest() { # FILE: standard input
	cat >"$work/$1"
}
configmap() { # NAME [NAMESPACE] [ANNOTATIONS]
	manifest "$1.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: $1, namespace: ${2:-$ns}, annotations: {${3:-}}}
	YAML
}
commit() { # TEXT: prints its id
	repo_commit_all "$work" "$1"
	repo_push "$work"
	notify >&2 || true
}
ready() { [ "$(api_post /api/flux/v9/git-repo-config false | jq -r .status)" = ready ]; }
# has TEXT: a record that has exactly these pairs in a row, before an end or
# another pair
has() { tail -c +"$((from + 1))" "$FLUXD_LOG" | grep -F -- " $1" >/dev/null; }
says() { # NAME TEXT
	t_wait "$1" 30 has "$2"
}
from=0 # what the log says before this place does not count

# ---- the start ----------------------------------------------------------------

configmap one
first=$(repo_commit_all "$work" First)
repo_push "$work"
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --registry-disable-scanning
t_wait "the first commit is synced" 30 tag_is "$first"
t_like "$(head -n 1 "$FLUXD_LOG")" '^ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z caller=[a-z_]+\.c:[0-9]+ version=[^ ]+$' \
	"the first line is the version"
key=$(grep 'identity.pub' "$FLUXD_LOG" | cut -d '"' -f2)
t_is "${key% *}" "$(cut -d' ' -f1,2 "$BED_SSH_KEY.pub")" "the deploy key is the second field between quotes"
t_is "$(grep -c ' component=cluster identity.pub="' "$FLUXD_LOG")" 1 "and said once"
says "the configuration is one line" \
	"url=$url user=\"Weave Flux\" email=support@weave.works signing-key= verify-signatures-mode=none sync-tag=flux-sync state=git readonly=false registry-disable-scanning=true notes-ref=flux set-author=false git-secret=false sops=false"
says "no upstream" 'upstream="no upstream URL given"'
says "the API server" "host=$BED_API_URL version=kubernetes-v1"
says "and that it answers" 'ping=true'
says "the listener" "addr=${FLUXD_LISTEN#unix:}"
says "no image updates" 'component=sync-loop info="Registry scanning is disabled; no image updates will be attempted"'

# ---- a pass -------------------------------------------------------------------

says "a new commit" "component=sync-loop event=refreshed url=$url branch=master HEAD=$first"
says "a sync begins" "component=daemon info=\"trying to sync git changes to the cluster\" old= new=$first"
says "what is applied is counted" "method=Sync cmd=apply args= count=1"
says "its event" "component=daemon event=\"Sync: ${first:0:7}, $ns:configmap/one\" logupstream=false"
says "the marker moves" "component=sync-loop state=\"tag flux-sync\" old= new=$first"

configmap lost no-such-namespace
configmap ignored "$ns" 'fluxcd.io/ignore: "true"'
configmap theirs
manifest thing.yaml <<-YAML
	apiVersion: $group/v1
	kind: Thing
	metadata: {name: it, namespace: $ns}
YAML
kubectl -n "$ns" create configmap theirs >/dev/null
kubectl -n "$ns" annotate configmap theirs fluxcd.io/ignore=true >/dev/null
second=$(commit Second)
t_wait "the second commit is synced" 30 tag_is "$second"
says "a resource the cluster refuses" \
	"component=daemon err=\"no-such-namespace:configmap/lost: namespaces \\\"no-such-namespace\\\" not found\""
says "one that is ignored in git" \
	"method=Sync info=\"not applying resource; ignore annotation in file\" resource=$ns:configmap/ignored source=ignored.yaml"
says "one that is ignored in the cluster" \
	"method=Sync info=\"not applying resource; ignore annotation in cluster resource\" resource=$ns:configmap/theirs"
says "a kind that nobody knows" \
	"warn=\"cannot find scope of resource thing/it: "
says "and what follows from it" \
	"impact=\"resource thing/it will be excluded until its scope is available\""
manifest crd.yaml <<-YAML
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: things.$group}
	spec:
	  group: $group
	  scope: Namespaced
	  names: {kind: Thing, plural: things, singular: thing}
	  versions:
	  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
YAML
at_exit 'kubectl delete crd "things.$group" --wait=false >/dev/null 2>&1'
commit Third >/dev/null
says "it is known when its CRD is" "info=\"found scope of resource $ns:thing/it, back in business!\""

# ---- what cannot be loaded -----------------------------------------------------

cp "$work/one.yaml" "$work/again.yaml"
bad=$(commit Fourth)
says "a resource that is defined twice" \
	"component=sync-loop err=\"loading resources from repo: duplicate definition of '$ns:configmap/one' (in again.yaml and one.yaml)\""
# fluxctl does not wait for what will never come
t_like "$(ctl sync --timeout 30s 2>&1 || true)" \
	"Error: loading resources from repo: duplicate definition of '$ns:configmap/one'" \
	"fluxctl sync says it too"
if [ -n "${BED_UPSTREAM_FLUXCTL:-}" ]; then
	port=$(bed port "$BED_DIR" logs)
	fluxd_stop
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--listen="unix:$T_DIR/fluxd.sock" --listen="127.0.0.1:$port"
	t_wait "a restarted daemon is ready" 30 ready
	t_like "$("$BED_UPSTREAM_FLUXCTL" --url "http://127.0.0.1:$port/api/flux" sync --timeout 30s 2>&1 || true)" \
		"duplicate definition of '$ns:configmap/one' \\(in again.yaml and one.yaml\\)" \
		"and so does upstream's, unmodified"
fi
tag_is "$bad" && t_fail "nothing is marked" || t_ok "nothing is marked"
rm "$work/again.yaml"

# ---- events from notes -----------------------------------------------------------

note() { # COMMIT JSON
	bed_git -C "$work" notes --ref=flux add -f -m "$2" "$1"
	bed_git -C "$work" push -qf origin refs/notes/flux
}
configmap one "$ns" 'x: "1"'
release=$(repo_commit_all "$work" Release)
configmap one "$ns" 'x: "2"'
auto=$(repo_commit_all "$work" Auto)
result='{"'$ns':configmap/one":{"Status":"success","PerContainer":[{"Container":"app","Current":"quay.io/acme/app:1.0","Target":"quay.io/acme/app:1.1"}]}}'
note "$release" '{"jobID":"1","spec":{"type":"image","cause":{"Message":"hot fix","User":"Ann <ann@example.com>"},"spec":{"ServiceSpecs":["'$ns':configmap/one"],"ImageSpec":"quay.io/acme/app:1.1","Kind":"execute","Excludes":null,"Force":false}},"result":'"$result"'}'
note "$auto" '{"jobID":"2","spec":{"type":"auto","cause":{"Message":"","User":""},"spec":{"Changes":[{"WorkloadID":"'$ns':configmap/one","Container":{"Name":"app","Image":"quay.io/acme/app:1.0"},"ImageID":"quay.io/acme/app:1.1"}]}},"result":'"$result"'}'
repo_push "$work"
notify
t_wait "commits with notes are synced" 30 tag_is "$auto"
says "a release is told" "component=daemon event=\"Released: quay.io/acme/app:1.1 to $ns:configmap/one, by Ann <ann@example.com>, with message \\\"hot fix\\\"\" logupstream=false"
says "an automated one, too" 'component=daemon event="Automated release of quay.io/acme/app:1.1" logupstream=false'
t_is "$(grep -o 'event="[SRA][a-z]*' "$FLUXD_LOG" | tail -n 3 | tr '\n' ' ')" 'event="Sync event="Released event="Automated ' \
	"after the sync, in the order of the commits"

# ---- jobs ---------------------------------------------------------------------

fifth=$(commit Fifth)
t_wait "the fifth commit is synced" 30 tag_is "$fifth"
job=$(api_post /api/flux/v9/update-manifests '{"type":"sync","spec":{}}' | tr -d '"\n')
says "a job begins" "component=sync-loop jobID=$job state=in-progress"
says "and is done" "component=sync-loop jobID=$job state=done success=true"
mv "$(repo_path "$repo")" "$(repo_path "$repo").away"
job=$(api_post /api/flux/v9/update-manifests '{"type":"sync","spec":{}}' | tr -d '"\n')
says "one that fails" "component=sync-loop jobID=$job state=done success=false err=\"git fetch: "
mv "$(repo_path "$repo").away" "$(repo_path "$repo")"
api_post /api/flux/v11/notify "{\"Kind\":\"git\",\"Source\":{\"URL\":\"$url\",\"Branch\":\"other\"}}" >/dev/null
says "a change of another branch" "msg=\"notified about unrelated change\" url=$url branch=other"
from=$(stat -c %s "$FLUXD_LOG")
fluxd_stop
says "the reason of the end" "exiting=terminated"
says "and of the loop" "component=sync-loop stopping=true"

# ---- restricted ----------------------------------------------------------------

fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --k8s-allow-namespace="$ns"
says "what is not within the namespaces" \
	"method=Sync warning=\"not applying resources; excluded by namespace constraints\" resources=no-such-namespace:configmap/lost"
fluxd_stop

# ---- the other format ----------------------------------------------------------

FLUXD_LOG=$T_DIR/json.log
sixth=$(repo_commit_all "$work" Sixth)
repo_push "$work"
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --log-format=json
# the server has the marker before the daemon has heard so
moved_json() { grep -F '"state":"tag flux-sync"' "$FLUXD_LOG" | grep -F "\"new\":\"$1\"" >/dev/null; }
t_wait "with JSON the sixth commit is synced" 30 moved_json "$sixth"
fluxd_stop
t_is "$(jq -es 'all(type == "object" and has("ts") and has("caller"))' "$FLUXD_LOG")" true "each line is an object"
t_is "$(jq -cs '[.[] | select(.event? // "" | startswith("Sync:")) | .logupstream] | unique' "$FLUXD_LOG")" '["false"]' \
	"logupstream is a string"
t_is "$(jq -cs '[.[] | select(has("ping")) | .ping]' "$FLUXD_LOG")" '[true]' "ping is not"
t_is "$(jq -cs '[.[] | select(has("stopping")) | .stopping]' "$FLUXD_LOG")" '["true"]' "stopping is"
t_is "$(jq -rs '.[] | select(.state? == "tag flux-sync") | .new' "$FLUXD_LOG")" "$sixth" "the marker's move has its keys"

t_done
