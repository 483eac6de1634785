#!/usr/bin/env bash
# The revision synced last: in an annotation of a Secret, and in a tag that the
# server may refuse to move or that somebody else moves.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

bed_mine marker
kubeconfig=$T_DIR/kubeconfig
bed_kubeconfig "$kubeconfig" "$BED_API_TOKEN" "$ns"
FLUXD_KUBECONFIG=$kubeconfig

commit() { # TEXT: a commit that changes the one object; prints its id
	cat >"$work/one.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: one
		  namespace: $ns
		data:
		  text: "$1"
	YAML
	repo_commit_all "$work" "$1"
	repo_push "$work"
}
shows() { [ "$(kubectl -n "$ns" get configmap one -o 'jsonpath={.data.text}' 2>/dev/null)" = "$1" ]; }
hwm() { kubectl -n "$ns" get secret flux-git-deploy -o 'jsonpath={.metadata.annotations.flux\.weave\.works/sync-hwm}'; }
hwm_is() { [ "$(hwm)" = "$1" ]; }
annotate() { kubectl -n "$ns" annotate --overwrite secret flux-git-deploy "flux.weave.works/sync-hwm=$1" >/dev/null; }
# moved() COMMIT: has the daemon heard that its marker is there?  The server has
# it before; whatever follows in the daemon, and at the server, follows then.
moved() { fluxd_logged "component=sync-loop state=.* new=$1\$"; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
said() { grep -cF -- "$1" "$FLUXD_LOG" || true; }
secret_asked() { audit_list '^fluxd/' 'get|patch|list|watch' "$1" | grep "/$ns/secrets/flux-git-deploy" || true; }
secret_requests() { secret_asked "$1" | wc -l; }
passes() { api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p'; }
passed() { [ "$(passes)" -ge "$1" ]; }
where="kubernetes $ns:secret/flux-git-deploy"

# ---- a Secret ----------------------------------------------------------------

first=$(commit first)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1s --sync-state=secret
t_wait "without the Secret a sync fails, in the server's words" 20 \
	fluxd_logged 'component=sync-loop err="secrets \\"flux-git-deploy\\" not found"'
t_run_fails "and nothing is applied" shows first
kubectl -n "$ns" create secret generic flux-git-deploy --from-literal=identity=not-to-be-read >/dev/null
t_wait "with it the first commit reaches the cluster" 20 shows first
t_wait "and its revision the annotation" 20 hwm_is "$first"
t_wait "which is logged" 30 fluxd_logged "component=sync-loop state=\"$where\" old= new=$first"
t_is "$(kubectl -n "$ns" get secret flux-git-deploy -o 'jsonpath={.data.identity}')" \
	"$(printf not-to-be-read | base64)" "the Secret's data is as it was"
t_is "$(repo_ref "$repo" refs/tags/flux-sync)" "" "no tag is pushed"
t_wait "passes go on" 20 passed $(($(passes) + 1))
mark=$(audit_mark)
t_wait "and on" 20 passed $(($(passes) + 2))
t_is "$(secret_asked "$mark")" "" "and do not look at the Secret when nothing is new"

mark=$(audit_mark)
second=$(commit second)
notify
t_wait "a commit moves it" 30 moved "$second"
t_is "$(hwm)" "$second" "to its revision"
t_is "$(secret_requests "$mark")" 2 "by one GET and one PATCH"
t_is "$(said "event=\"Sync: ${second:0:7}, $ns:configmap/one\"")" 1 "its event is told"

# somebody else
annotate "$first"
third=$(commit third)
notify
t_wait "a foreign change of the marker is noticed" 20 fluxd_logged \
	"warning=\"detected external change in sync state; the sync state should not be shared by fluxd instances\" state=\"$where\""
t_wait "and the marker moved on" 30 moved "$third"
t_is "$(hwm)" "$third" "to the new revision"
t_is "$(said "event=\"Sync: ${third:0:7}, $ns:configmap/one\"")" 1 "nothing is told twice for it"

# a restart where nothing happened
fluxd_stop
mark=$(audit_mark)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --sync-state=secret
t_wait "a restarted daemon ends its first pass" 20 passed 1
t_is "$(audit_list '^fluxd/' 'get|patch' "$mark" | grep "/$ns/secrets/")" \
	"get 200 /api/v1/namespaces/$ns/secrets/flux-git-deploy" "it has read the marker, and left it"
fluxd_stop

# what is no revision of this repository
annotate dddddddddddddddddddddddddddddddddddddddd
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --sync-state=secret
t_wait "a revision that is not there is taken as none" 20 fluxd_logged \
	"the revision synced last is not in the repository; taken as an initial sync\" revision=d"
t_wait "and replaced" 20 hwm_is "$third"
fluxd_stop
annotate 'HEAD^{/x}'
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --sync-state=secret
t_wait "so is what cannot be a revision" 20 hwm_is "$third"
t_wait "which is said" 30 fluxd_logged 'sync-hwm is not a revision; taken as none'
fluxd_stop

# read-only: nothing is written to the repository, the Secret has the marker
refs_before=$(git -C "$(repo_path "$repo")" for-each-ref)
printf '#!/bin/sh\nexit 1\n' >"$(repo_path "$repo")/hooks/pre-receive"
chmod +x "$(repo_path "$repo")/hooks/pre-receive"
annotate ''
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --git-readonly --git-user=x
t_wait "a read-only daemon keeps its marker in the Secret" 20 hwm_is "$third"
t_run "it says so" fluxd_logged '"--git-readonly prevents use of --sync-state=git. Forcing to --sync-state=secret"'
t_run "and what that makes useless" fluxd_logged 'warning="Configuring any of {git-user} has no effect when --git-readonly is set"'
t_run "and that it updates no images" fluxd_logged \
	'component=sync-loop info="Repo is read-only; no image updates will be attempted"'
t_is "$(git -C "$(repo_path "$repo")" for-each-ref)" "$refs_before" "no ref has changed"
fluxd_stop
rm "$(repo_path "$repo")/hooks/pre-receive"

# an account that may not write
kubectl -n "$ns" create role reader --verb=get --resource=secrets >/dev/null
kubectl -n "$ns" create rolebinding reader --role=reader --serviceaccount="$ns:reader" >/dev/null
bed_kubeconfig "$T_DIR/reader" "$(bed_service_account "$ns" reader)" "$ns"
bed_await_right "$ns" reader get secrets
kubectl -n "$ns" annotate secret flux-git-deploy flux.weave.works/sync-hwm- >/dev/null
mark=$(audit_mark)
FLUXD_KUBECONFIG=$T_DIR/reader fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --sync-state=secret
t_wait "who may not write the marker learns it" 20 fluxd_logged \
	"component=sync-loop err=\"secrets \\\\\"flux-git-deploy\\\\\" is forbidden: User \\\\\"system:serviceaccount:$ns:reader\\\\\" cannot patch"
t_is "$(audit_list '^fluxd/' 'patch' "$mark" | grep -vc /secrets/ || true)" 0 "before anything is applied"
fluxd_stop

# ---- a tag -------------------------------------------------------------------

hook=$(repo_path "$repo")/hooks/update
printf '#!/bin/sh\n[ "$1" != refs/tags/flux-sync ] || { echo protected >&2; exit 1; }\n' >"$hook"
chmod +x "$hook"
told=$(said "${third:0:7}, $ns:configmap/one\"")
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h
t_wait "a tag that the server does not let move is an error" 20 fluxd_logged \
	'component=sync-loop err="pushing tag to origin: .*protected'
rm "$hook"
t_wait "it moves as soon as the server lets it" 30 tag_is "$third"
t_is "$(said "${third:0:7}, $ns:configmap/one\"")" "$((told + 1))" \
	"and what it brought is told once"

# killed between the apply and the marker
printf '#!/bin/sh\n[ "$1" != refs/tags/flux-sync ] || { echo $$ >%s/in-hook; sleep 60; }\n' "$T_DIR" >"$hook"
chmod +x "$hook"
chmod 777 "$T_DIR"
fourth=$(commit fourth)
notify
t_wait "the cluster has the next commit" 20 shows fourth
t_wait "its tag is on the way" 20 test -s "$T_DIR/in-hook"
kill -KILL "$FLUXD_PID"
fluxd_wait 30 2>/dev/null
rm "$hook"
kill "$(cat "$T_DIR/in-hook")" 2>/dev/null || true
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h
t_wait "killed before it has moved, it is moved by the next process" 30 tag_is "$fourth"
t_is "$(said "event=\"Sync: ${fourth:0:7}, $ns:configmap/one\"")" 2 \
	"which tells the event again, with what had changed"

# somebody moves the tag, and deletes it
bed_git -C "$work" push -qf "$(repo_path "$repo")" "$second:refs/tags/flux-sync"
fifth=$(commit fifth)
notify
t_wait "a tag moved by hand is moved on" 30 tag_is "$fifth"
t_run "and noticed" fluxd_logged 'detected external change in sync state; the sync state should not be shared by fluxd instances" state="tag flux-sync"'
git -C "$(repo_path "$repo")" update-ref -d refs/tags/flux-sync
sixth=$(commit sixth)
notify
t_wait "a tag deleted by hand is made again" 30 tag_is "$sixth"

# history rewritten: the tag's commit is on no branch any more
bed_git -C "$work" reset -q --hard "$first"
cat >"$work/two.yaml" <<-YAML
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: two, namespace: $ns}
YAML
seventh=$(commit seventh 2>/dev/null || true)
bed_git -C "$work" push -qf origin HEAD:refs/heads/master
seventh=$(bed_git -C "$work" rev-parse HEAD)
notify
t_wait "a branch that was pushed by force is followed" 30 tag_is "$seventh"
t_wait "by the cluster too" 20 shows seventh

# the branch goes, and comes back
git -C "$(repo_path "$repo")" update-ref -d refs/heads/master
notify
t_wait "a branch that is gone is told" 20 fluxd_logged "err=\"configured branch 'master' does not exist\""
eighth=$(commit eighth)
t_wait "and followed when it is back" 30 tag_is "$eighth"
fluxd_stop

t_done
