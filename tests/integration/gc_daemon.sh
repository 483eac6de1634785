#!/usr/bin/env bash
# Garbage collection by the whole daemon: what a commit takes out of git goes,
# with the marks and the log records that upstream knows.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

agent='^fluxd/'
bed_mine gc
mkdir "$work/base" "$work/prod"

configmap() { # DIR NAME [NAMESPACE LINE]
	cat >"$work/$1/$2.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: $2
		  ${3-namespace: $ns}
		data:
		  a: "1"
	YAML
}
live() { kubectl -n "$ns" get configmap "$@"; }
gone() { ! live "$1" >/dev/null 2>&1; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
mark_of() { live "$1" -o 'jsonpath={.metadata.labels.fluxcd\.io/sync-gc-mark}'; }
commit() { # MESSAGE: and push; COMMIT is its id
	COMMIT=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
# Of the daemon that runs: how many passes it has ended.
passes() { api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p'; }
passed() { [ "$(passes)" -ge 1 ]; }
start() { # ARG...
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--git-path=base --git-path=prod --k8s-default-namespace="$ns" "$@"
}
# The mark as upstream computes it, for this set of paths.
set_name() { # PATH...
	local IFS=
	printf %s "$url" master "$@" | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
}
mark() { # SET ID
	printf 'sha256.%s' "$(printf %s "$1" "$2" | openssl dgst -sha256 -binary | basenc --base64url | tr -d =)"
}

configmap base kept
configmap base dropped
configmap base bare '' # in the namespace that it gets by the flag
configmap prod moved
configmap prod stays
commit "First"
start
t_wait "the first commit is synced" 60 tag_is "$COMMIT"
set=$(set_name base prod)
t_is "$(mark_of kept)" "$(mark "$set" "$ns:configmap/kept")" "the mark is upstream's"
t_is "$(mark_of bare)" "$(mark "$set" "$ns:configmap/bare")" \
	"its id has the namespace that the object really has"

rm "$work/base/dropped.yaml"
commit "Without dropped"
t_run "a sync without garbage collection" ctl sync
t_run "deletes nothing" live dropped
fluxd_stop

start --sync-garbage-collection-dry
line="info=\"cluster resource not in resources to be synced; deleting\" dry-run=true resource=$ns:configmap/dropped"
t_wait "a dry run says what it would delete" 60 fluxd_logged "$line worker=sync\$"
t_wait "the name of the set is logged" 30 fluxd_logged "sync-set=$set worker=sync\$"
t_wait "the pass ends" 60 passed
t_run "and deletes nothing" live dropped
fluxd_stop

start --sync-garbage-collection
t_wait "what left git before the start goes" 60 gone dropped
t_wait "and it is said" 30 fluxd_logged "${line/true/false} worker=sync\$"
t_wait "with the rest of the pass" 60 passed
t_run "what is in git stays" live kept
t_run "so does what has its namespace from the flag" live bare

before=$(audit_mark)
rm "$work/prod/moved.yaml"
commit "Without moved"
t_run "fluxctl sync ends well" ctl sync
t_run "and it is gone" gone moved
t_is "$(audit_list "$agent" 'delete|patch|list|get' "$before")" \
	"delete 200 /api/v1/namespaces/$ns/configmaps/moved" "one deletion is one request"

# one wrong file: nothing is loaded, nothing is collected
before=$(audit_mark)
rm "$work/base/kept.yaml"
echo 'kind: [' >"$work/base/broken.yaml"
commit "Broken"
ctl sync --timeout 3s >/dev/null 2>&1 || true
t_wait "a commit with a broken file is an error" 60 fluxd_logged 'broken.yaml'
t_run "and nothing is deleted" live kept
t_is "$(audit_count "$agent" delete "$before")" 0 "not even tried"
configmap base kept
rm "$work/base/broken.yaml"
commit "Mended"
t_run "when it is mended the sync ends" ctl sync
fluxd_stop

# another set of paths: the old objects are nobody's until the set is named
configmap prod only-there
commit "One more"
start --sync-garbage-collection
t_wait "it is applied" 60 live only-there
t_wait "and synced" 60 tag_is "$COMMIT"
fluxd_stop
others() { # ARG...
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--git-path=base --k8s-default-namespace="$ns" --sync-garbage-collection "$@"
}
other=$(set_name base)
others
remarked() { [ "$(mark_of kept)" = "$(mark "$other" "$ns:configmap/kept")" ]; }
t_wait "without a path everything is marked anew" 60 remarked
t_run "after one more sync" ctl sync
t_run "what the path had stays" live only-there
fluxd_stop
others --sync-gc-former="$set"
t_wait "and goes when the former set is named" 60 gone only-there
t_run "the rest stays" live kept
fluxd_stop

t_done
