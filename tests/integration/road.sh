#!/usr/bin/env bash
# The road: a commit pushed over ssh reaches the cluster, and the tag moves.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

agent='^fluxd/'
bed_mine road

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
live() { kubectl -n "$ns" get configmap "$1" -o "jsonpath={$2}" 2>/dev/null; }
shows() { [ "$(live "$1" .data.text)" = "$2" ]; }
repaired() { [ "$(api_get /metrics | awk '$1 == "fluxd_repaired_objects_total" { print $2 }')" = "$1" ]; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }

for i in 1 2 3; do configmap "c$i" "one"; done
first=$(repo_commit_all "$work" "First")
repo_push "$work"

fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h
t_wait "the first commit reaches the cluster" 30 shows c1 one
t_wait "the sync tag moves to it" 30 tag_is "$first"
t_is "$(git -C "$(repo_path "$repo")" cat-file -t refs/tags/flux-sync)" tag \
	"the sync tag is annotated"
t_is "$(git -C "$(repo_path "$repo")" for-each-ref --format='%(contents:subject) %(taggername) %(taggeremail)' refs/tags/flux-sync)" \
	"Sync pointer Weave Flux <support@weave.works>" "its message and tagger are upstream's"
t_like "$(live c1 '.metadata.labels.fluxcd\.io/sync-gc-mark')" '^sha256\.[A-Za-z0-9_-]{43}$' \
	"the object carries the mark"
t_like "$(live c1 '.metadata.annotations.fluxcd\.io/sync-checksum')" '^[0-9a-f]{40}$' \
	"and the checksum"

# one changed object: one PATCH, and nothing else but what is open
mark=$(audit_mark)
configmap c2 two
second=$(repo_commit_all "$work" "Second")
repo_push "$work"
t_run "fluxctl sync ends well" ctl sync
t_wait "the change is in the cluster" 30 shows c2 two
t_wait "the tag follows" 30 tag_is "$second"
t_is "$(audit_count "$agent" patch "$mark")" 1 "one changed object is one PATCH"

# drift
mark=$(audit_mark)
kubectl -n "$ns" patch configmap c1 --type=merge -p '{"data":{"text":"by hand"}}' >/dev/null
t_wait "a foreign change of a managed field is put back" 30 shows c1 one
kubectl -n "$ns" annotate configmap c3 note=mine >/dev/null
kubectl -n "$ns" delete configmap c2 >/dev/null
t_wait "a deleted object comes back" 30 shows c2 two
# by now both are there, but the second request may not have been answered
t_wait "and is counted" 30 repaired 2
t_is "$(live c3 .metadata.annotations.note)" mine "an unmanaged field is left alone"
t_is "$(audit_count "$agent" patch "$mark")" 2 "two objects were repaired by two PATCHes"

# restart: nothing differs, nothing is patched
fluxd_stop
t_is "$FLUXD_STATUS" 0 "SIGTERM ends it with status 0"
mark=$(audit_mark)
tag_before=$(repo_ref "$repo" refs/tags/flux-sync)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h
synced() { [ "$(api_get "/api/flux/v6/sync?ref=${second:0:7}" 2>/dev/null)" = '[]' ]; }
t_wait "a restarted daemon answers that all is applied" 30 synced
metrics_count() { api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p'; }
once() { [ "$(metrics_count)" = 1 ]; }
t_wait "its first pass ends" 30 once
t_is "$(audit_count "$agent" patch "$mark")" 0 "and patches nothing"
t_is "$(audit_count "$agent" 'create|update|delete' "$mark")" 0 "nor anything else"
t_is "$(repo_ref "$repo" refs/tags/flux-sync)" "$tag_before" "the tag is not pushed again"

# a commit that came while it was down: the event names what it changed only
fluxd_stop
configmap c3 three
third=$(repo_commit_all "$work" "Third")
repo_push "$work"
port=$(bed port "$BED_DIR" road)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--listen="unix:$T_DIR/fluxd.sock" --listen="127.0.0.1:$port"
t_wait "the commit is synced after the next start" 30 tag_is "$third"
t_ok_if() { if fluxd_logged "$2"; then t_ok "$1"; else t_fail "$1" "not logged: $2"; fi; }
t_ok_if "the event names what changed, and nothing else" \
	"event=\"Sync: ${third:0:7}, $ns:configmap/c3\""

# the unmodified client of upstream, over TCP, where it could be built
if [ -n "${BED_UPSTREAM_FLUXCTL:-}" ]; then
	upstream() { "$BED_UPSTREAM_FLUXCTL" --url "http://127.0.0.1:$port/api/flux" "$@" 2>&1; }
	configmap c1 four
	fourth=$(repo_commit_all "$work" "Fourth")
	repo_push "$work"
	t_is "$(upstream sync)" "Synchronizing with $url
Revision of master to apply is ${fourth:0:7}
Waiting for ${fourth:0:7} to be applied ...
Done." "upstream's fluxctl sync says what it always said"
	t_is "$(live c1 .data.text)" four "and the cluster has it"
	t_is "$(upstream identity)" "$(cut -d' ' -f1-3 "$BED_SSH_KEY.pub")" \
		"upstream's fluxctl identity shows the deploy key"
	t_is "$(ctl sync 2>&1)" "$(upstream sync)" "ours says the same"
fi

fluxd_stop
t_done
