#!/usr/bin/env bash
# The inventory kept by the whole daemon: an operator changes the paths, the
# branch and the URL, and what they leave behind goes, without a former set
# being named.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

agent='^fluxd/'
bed_mine inventory
export FLUXD_KUBECONFIG=$T_DIR/own
bed_kubeconfig "$FLUXD_KUBECONFIG" "$BED_API_TOKEN" "$ns"
mkdir "$work/base" "$work/prod"

configmap() { # DIR NAME
	cat >"$work/$1/$2.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: $2, namespace: $ns}
		data: {a: "1"}
	YAML
}
live() { kubectl -n "$ns" get configmap "$@"; }
gone() { ! live "$1" >/dev/null 2>&1; }
commit() { # MESSAGE: and push; COMMIT is its id
	COMMIT=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
# A commit that was synced by the daemon before is known at once: what this one
# does with it is over with its first pass.
passed() { [ "$(api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p')" -ge 1 ]; }
start() { # ARG...
	fluxd_start --git-poll-interval=1h --sync-interval=1h --sync-garbage-collection \
		--sync-gc-inventory=kept "$@"
	t_wait "a pass ends well" 60 passed
	t_wait "and so does a sync" 60 ctl sync
}
set_name() { # URL BRANCH PATH...
	local IFS=
	printf %s "$@" | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
}
text() { live kept -o 'jsonpath={.data.inventory}'; }
says() { # NAME SET NAMES: what the inventory says
	t_is "$(text)" "fluxd inventory 1
set $2
kind - ConfigMap
 $ns $3" "$1"
}
metric_is() { # NAME VALUE
	[ "$(fluxd_curl "$(fluxd_url)/metrics" | sed -n "s/^$1 //p")" = "$2" ]
}

configmap base stays
configmap base dropped
configmap prod moves
configmap prod only-prod
commit "First"
start --git-url="$url" --git-path=base --git-path=prod
says "what was applied is on record" "$(set_name "$url" master base prod)" \
	"dropped moves only-prod stays"
t_wait "and that is told" 30 metric_is fluxd_inventory_kept 1
before=$(audit_mark)
t_run "a sync without a change" ctl sync
t_is "$(audit_count "$agent" '.*' "$before")" 0 "asks nothing"
rm "$work/base/dropped.yaml"
commit "Without dropped"
before=$(audit_mark)
t_run "a sync that takes one away" ctl sync
t_is "$(audit_list "$agent" 'delete|patch|list|get|create' "$before")" \
	"delete 200 /api/v1/namespaces/$ns/configmaps/dropped
patch 200 /api/v1/namespaces/$ns/configmaps/kept" "costs two requests"
fluxd_stop

# a path is removed, and one of its objects moves to the other
git -C "$work" mv prod/moves.yaml base/moves.yaml
commit "Moved"
start --git-url="$url" --git-path=base
t_run "without a path, what only it had goes" gone only-prod
t_run "what is in the other stays" live moves
says "and is struck out" "$(set_name "$url" master base)" "moves stays"
fluxd_stop

# a path is added
start --git-url="$url" --git-path=base --git-path=prod
t_run "with another path, what it has comes" live only-prod
t_run "and all else stays" live moves stays
fluxd_stop

# another branch
git -C "$work" checkout -q -b other
git -C "$work" rm -q base/moves.yaml
configmap base of-other
repo_commit_all "$work" "Other" >/dev/null
git -C "$work" push -q origin other
start --git-url="$url" --git-branch=other --git-path=base --git-path=prod
t_run "of another branch, what is new comes" live of-other
t_run "and what it lacks goes" gone moves
kill -KILL "$FLUXD_PID"
fluxd_reap 2>/dev/null

# another repository; the daemon was killed before
repo2=inventory2-$$
url2=$(bed_repo "$repo2")
repo_clone "$url2" "$T_DIR/work2"
work=$T_DIR/work2
mkdir "$work/base"
configmap base stays
configmap base of-second
COMMIT=$(repo_commit_all "$work" "Second")
repo_push "$work"
start --git-url="$url2" --git-path=base
t_run "of another repository, what is new comes" live of-second
for name in only-prod of-other; do
	t_run "and $name goes" gone "$name"
done
says "only the new set is on record" "$(set_name "$url2" master base)" "of-second stays"
fluxd_stop

# where it cannot be: no such namespace
bed_kubeconfig "$FLUXD_KUBECONFIG" "$BED_API_TOKEN" "$ns-nowhere"
git -C "$work" rm -q base/of-second.yaml
commit "Without of-second"
start --git-url="$url2" --git-path=base
t_run "without an inventory, what left git goes all the same" gone of-second
t_wait "and that there is none is told" 30 metric_is fluxd_inventory_kept 0
t_wait "and logged" 30 fluxd_logged "the inventory is not kept\" configmap=$ns-nowhere/kept"

t_done
