#!/usr/bin/env bash
# What the API server refuses of a commit by its own rules is told, with the
# resource and its file; the rest goes on, and what was refused follows when the
# rules allow it.  A quota; a kind that may not be listed; a version of a kind
# that is gone.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

ns=$(bed_namespace refusals)
repo=refusals-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
FLUXD_HOME=$T_DIR/home FLUXD_STATE=$T_DIR/state FLUXD_LOG=$T_DIR/fluxd.log
mkdir -p "$T_DIR/home/.ssh" "$T_DIR/state"
cp "$BED_KNOWN_HOSTS" "$T_DIR/home/.ssh/known_hosts"
at_exit fluxd_kill

commit() { # MESSAGE
	last=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
start() { fluxd_start --git-url="$url" --git-poll-interval=500ms --sync-interval=3s "$@"; }
live() { kubectl -n "$ns" get configmaps -l fluxcd.io/sync-gc-mark -o 'jsonpath={.items[*].metadata.name}'; }
are_live() { [ "$(live)" = "$*" ]; }
metric() { api_get /metrics | awk -v s="$1" '$1 == s { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }

# ---- a quota.  Its status is the controller's business, and so ours here.
kubectl -n "$ns" create quota two --hard=configmaps=2 >/dev/null
quota() { # HARD USED
	kubectl -n "$ns" patch quota two --type=merge -p "{\"spec\":{\"hard\":{\"configmaps\":\"$1\"}}}" >/dev/null
	kubectl -n "$ns" patch quota two --subresource=status --type=merge \
		-p "{\"status\":{\"hard\":{\"configmaps\":\"$1\"},\"used\":{\"configmaps\":\"$2\"}}}" >/dev/null
}
quota 2 0
# admission learns of it a moment later, and refuses everything before that
must 60 kubectl -n "$ns" create configmap probe --dry-run=server
mkdir "$work/apps"
for name in a b c d; do
	configmap "$work/apps" $name "$ns" one
done
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: later, namespace: %s}\nspec: {ports: [{port: 1}]}\n' "$ns" >"$work/z.yaml"
commit "Four where two may be"
start
t_wait "the commit is synced with what may be" 30 tag_is "$repo" "$last"
t_is "$(live | wc -w)" 2 "of four objects two are there"
t_run "and so is what has nothing to do with it" kubectl -n "$ns" get service later
missing=$(comm -23 <(printf '%s\n' a b c d) <(live | tr ' ' '\n') | head -n 1)
t_run "what is not is told in the server's words" fluxd_logged \
	"component=daemon err=\".*$ns:configmap/$missing: configmaps \\\\\"$missing\\\\\" is forbidden: exceeded quota: two, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"
t_run "with its file" fluxd_logged "files=\".*apps/$missing.yaml"
t_is "$(metric 'flux_daemon_sync_manifests{success="true"}') $(metric 'flux_daemon_sync_manifests{success="false"}')" \
	"3 2" "and counted"
quota 10 2
t_wait "with more room the rest follows by itself" 30 are_live a b c d
t_wait "and is counted" 30 metric_is 'flux_daemon_sync_manifests{success="false"}' 0
fluxd_stop
kubectl -n "$ns" delete quota two >/dev/null

# ---- an account that may do everything to them but list them
kubectl -n "$ns" create role blind --verb=get,create,patch,delete --resource=configmaps,services >/dev/null
kubectl -n "$ns" create rolebinding blind --role=blind --serviceaccount="$ns:blind" >/dev/null
bed_kubeconfig "$T_DIR/blind" "$(bed_service_account "$ns" blind)" "$ns"
for verb in get create patch delete; do
	bed_await_right "$ns" blind $verb configmaps
done
rm "$work/z.yaml"
commit "Maps only"
mark=$(log_mark)
FLUXD_KUBECONFIG=$T_DIR/blind start --k8s-allow-namespace="$ns"
t_wait "what may not be listed is applied all the same" 30 tag_is "$repo" "$last"
denied='warning="not allowed to list resources" err="configmaps is forbidden: .*" kinds=v1/ConfigMap'
t_wait "it is said which kind that is" 30 logged_since "$mark" "$denied"
t_wait "and counted" 30 metric_is fluxd_unlisted_kinds 1
kubectl -n "$ns" patch configmap a --type=merge -p '{"data":{"value":"by hand"}}' >/dev/null
t_wait "a foreign change is seen by a pass" 30 value_is "$ns" a one
t_is "$(log_since "$mark" | grep -c "$denied")" 1 "which says so once"
fluxd_stop

# ---- nothing in git, and a deletion that the ceiling does not allow
rm -r "$work/apps"
touch "$work/empty.yaml"
commit "Nothing"
start --sync-garbage-collection --sync-gc-limit=1
t_wait "an error without any manifest" 30 metric_is 'flux_daemon_sync_manifests{success="false"}' 1
t_is "$(metric 'flux_daemon_sync_manifests{success="true"}')" 0 "is no manifest less than none"
fluxd_stop

# ---- a version of a custom resource that goes
group=g$$.example.org
crd() { # VERSION...: the last one is stored
	local v
	printf 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.%s}\n' "$group"
	printf 'spec:\n  group: %s\n  scope: Namespaced\n  names: {plural: things, singular: thing, kind: Thing}\n  versions:\n' "$group"
	for v in "$@"; do
		printf '  - {name: %s, served: true, storage: %s, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string}, b: {type: string}}}}}}}\n' \
			"$v" "$([ "$v" = "${*: -1}" ] && echo true || echo false)"
	done
}
thing() { # VERSION SPEC
	printf 'apiVersion: %s/%s\nkind: Thing\nmetadata: {name: t, namespace: %s}\nspec: %s\n' "$group" "$1" "$ns" "$2" >"$work/thing.yaml"
}
spec() { kubectl -n "$ns" get "things.$group" t -o 'jsonpath={.spec}'; }
is_served_no_more() { ! kubectl get --raw "/apis/$group/$1/namespaces/$ns/things" >/dev/null 2>&1; }
spec_is() { [ "$(spec)" = "$1" ]; }
crd v1 v2 | kubectl apply -f - >/dev/null
kubectl wait --for=condition=Established --timeout=60s "crd/things.$group" >/dev/null
thing v1 '{a: one, b: two}'
commit "A thing of the old version"
start
t_wait "an object of a version that is there" 30 spec_is '{"a":"one","b":"two"}'
kubectl -n "$ns" patch "things.v1.$group" t --type=merge -p '{"metadata":{"labels":{"by":"hand"}}}' >/dev/null
fluxd_stop
crd v2 | kubectl apply -f - >/dev/null
must 60 is_served_no_more v1
thing v2 '{a: three}'
commit "Of the new one"
mark=$(log_mark)
start
t_wait "when its version is gone it is applied in another" 30 spec_is '{"a":"three"}'
t_wait "and the commit synced" 20 tag_is "$repo" "$last"
t_run "which is said" logged_since "$mark" 'warning="managed fields of a version that is gone are renewed'
t_is "$(kubectl -n "$ns" get "things.$group" t --show-managed-fields -o json |
	jq -c '[.metadata.managedFields[] | .manager + " " + .apiVersion] | sort')" \
	"[\"fluxd $group/v2\",\"kubectl-patch $group/v2\"]" "whose fields are whose is known as before"
kubectl -n "$ns" patch "things.$group" t --type=merge -p '{"spec":{"a":"hand"}}' >/dev/null
t_wait "and what others change is put back" 30 spec_is '{"a":"three"}'
kubectl delete crd "things.$group" --wait=false >/dev/null
t_done
