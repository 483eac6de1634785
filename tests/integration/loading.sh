#!/usr/bin/env bash
# What a repository may hold, from its files to the cluster: lists, links,
# charts, namespaces, kinds that nobody knows yet, what is to be
# ignored; and what happens when a file is wrong.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api

ns=$(bed_namespace loading)
id=${ns#loading-}
group=load-$id.example.com
repo=$T_DIR/repo.git
git init -q --bare -b master "$repo"
chmod -R a+rX "$repo"
work=$T_DIR/work
bed_git clone -q "$repo" "$work" 2>/dev/null
bed_git -C "$work" checkout -q -b master
at_exit 'kubectl delete --ignore-not-found --wait=false crd "things.$group" "laters.$group" >/dev/null'

put() { # FILE, the text on stdin
	mkdir -p "$work/$(dirname "$1")"
	cat >"$work/$1"
}
configmap() { # FILE NAME TEXT [METADATA]
	put "$1" <<<"{apiVersion: v1, kind: ConfigMap, metadata: {name: $2, namespace: $ns${4:+, $4}}, data: {text: $3}}"
}
crd() { # KIND PLURAL
	cat <<-YAML
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: $2.$group}
		spec:
		  group: $group
		  scope: Namespaced
		  names: {kind: $1, plural: $2, singular: ${1,,}, listKind: $1List}
		  versions:
		  - name: v1
		    served: true
		    storage: true
		    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
	YAML
}
custom() { # KIND NAME
	echo "{apiVersion: $group/v1, kind: $1, metadata: {name: $2, namespace: $ns}}"
}
commit() { # MESSAGE: prints its id
	repo_commit_all "$work" "$1"
	repo_push "$work"
}
tag_is() { [ "$(git -C "$repo" rev-parse -q --verify 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
text_of() { kubectl -n "$ns" get configmap "$1" -o 'jsonpath={.data.text}' 2>/dev/null; }
text_is() { [ "$(text_of "$1")" = "$2" ]; }
exists() { kubectl -n "$ns" get "$1" "$2" >/dev/null 2>&1; }
is_there() { t_run "$3" exists "$1" "$2"; } # TYPE NAME NAME-OF-TEST
is_not() { t_run_fails "$3" exists "$1" "$2"; }
logged() { grep -cF -- "$1" "$FLUXD_LOG" || true; }
logged_at_all() { [ "$(logged "$1")" -gt 0 ]; }

# ------------------------------------------------------------ what is good

put list.yaml <<YAML
kind: ConfigMapList
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: $ns}}
- kind: List
  items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: $ns}}
YAML
put yaml11.yaml <<<"{apiVersion: v1, kind: ConfigMap, metadata: {name: n, namespace: $ns}}"
put bare.yaml <<<'{apiVersion: v1, kind: ConfigMap, metadata: {name: bare}}'
put ns.yaml <<<"{apiVersion: v1, kind: Namespace, metadata: {name: $ns-made, namespace: odd}}"
put content/cm.txt <<<"{apiVersion: v1, kind: ConfigMap, metadata: {name: linked, namespace: $ns}}"
mkdir -p "$work/links"
ln -s ../content/cm.txt "$work/links/cm.yaml"
ln -s nowhere "$work/links/dangling"
put chart/Chart.yaml <<<'name: chart'
put chart/values.yaml <<<'{}'
put chart/templates/x.yaml <<<'{{ .Values.x }}'
{ crd Thing things && echo '---' && custom Thing thing; } | put crd.yaml
custom Later later | put later.yaml
configmap ignored.yaml ignored x 'annotations: {fluxcd.io/ignore: "true"}'
configmap old.yaml old x 'annotations: {flux.weave.works/ignore: "true"}'
configmap both.yaml both x 'annotations: {flux.weave.works/ignore: "true", fluxcd.io/ignore: "false"}'
configmap only.yaml only x 'annotations: {fluxcd.io/ignore: sync_only}'
configmap copied.yaml copied x 'labels: {fluxcd.io/sync-gc-mark: sha256.stale}, annotations: {fluxcd.io/sync-checksum: stale}'
configmap good.yaml good one
first=$(commit First)

start() {
	fluxd_start --git-url="file://$repo" --git-poll-interval=500ms --sync-interval=2s \
		--k8s-default-namespace="$ns" "$@"
}
start
t_wait "the commit is synced" 30 tag_is "$first"
is_there configmap one "a list is what it holds"
is_there configmap two "and so is a list in it"
t_isnt "$(logged "$ns:configmap/false: ")" 0 "a plain n is false, as YAML 1.1 has it, and no name"
is_there configmap bare "what has no namespace goes to the fallback"
t_run "a Namespace has none, whatever it says" kubectl get namespace "$ns-made"
is_there configmap linked "a link to a file of another name is read"
# by its path: what kubectl looks up by a name may not be there yet
t_run "a definition and its instance come in one load" \
	kubectl get --raw "/apis/$group/v1/namespaces/$ns/things/thing"
is_not configmap ignored "fluxcd.io/ignore keeps from applying"
is_not configmap old "and flux.weave.works/ignore"
is_there configmap both "the newer prefix wins over the older"
is_there configmap only "sync_only is applied"
copied=$(kubectl -n "$ns" get configmap copied -o 'jsonpath={.metadata.labels.fluxcd\.io/sync-gc-mark} {.metadata.annotations.fluxcd\.io/sync-checksum}')
t_like "$copied" '^sha256\.[A-Za-z0-9_-]{43} [0-9a-f]{40}$' "copied marks are replaced"

# ----------------------------------------------- kinds that nobody knows yet

unknown="warn=\"cannot find scope of resource later/later: "
t_is "$(logged "$unknown")" 1 "a kind that nobody knows is a warning"
t_is "$(logged 'impact="resource later/later will be excluded until its scope is available"')" 1 \
	"that says what it means"
crd Later laters | kubectl create -f - >/dev/null
t_wait "its resources come when it is there" 30 exists "laters.$group" later
found="info=\"found scope of resource $ns:later/later, back in business!\""
t_wait "which is told" 30 logged_at_all "$found"
t_is "$(logged "$unknown")" 1 "the warning came once"
t_is "$(logged "$found")" 1 "and so did the good news"

# ------------------------------------------------------------- what is wrong

configmap good.yaml good two
configmap again.yaml good three
commit Twice >/dev/null
t_wait "a duplicate is an error" 20 logged_at_all \
	"duplicate definition of '$ns:configmap/good' (in again.yaml and good.yaml)"
rm "$work/again.yaml"
put broken.yaml <<YAML
{apiVersion: v1, kind: ConfigMap, metadata: {name: broken, namespace: $ns}}
---
a: @
YAML
bad=$(commit Broken)
cause='scanning multidoc from \"broken.yaml\": yaml: line 3: found character that cannot start any token'
t_wait "a bad file is an error, with its line and cause" 20 logged_at_all "loading resources from repo: $cause"
t_is "$(text_of good)" one "nothing of either commit is applied"
t_run "the tag stays" tag_is "$first"
fluxd_stop

start --sync-skip-bad-files
t_wait "with the flag everything else is" 20 text_is good two
ln -s /etc/hostname "$work/out.yaml"
configmap more.yaml more x
configmap twice.yaml more y
configmap poison.yaml poison x 'annotations: {fluxcd.io/automated: true}'
configmap good.yaml good three
commit "More that is wrong" >/dev/null
t_wait "A26, A27: duplicates, escapes and poison do not hold up the rest" 20 text_is good three
is_not configmap broken "but for the file's"
is_not configmap more "of a name that is defined twice nothing is applied"
t_is "$(logged "source=broken.yaml err=\"$cause\"")" 1 "each is told once"
t_is "$(logged 'source=out.yaml')" 1 "and so is a link that leads out"
t_is "$(logged 'source=twice.yaml')" 1 "and a duplicate"
rm "$work"/{out,twice,poison}.yaml
configmap broken.yaml broken fine
good=$(commit "All is well")
t_wait "put right, it is applied" 20 text_is broken fine
t_wait "and so is what was there twice" 30 text_is more x
t_wait "the tag moves" 20 tag_is "$good"
t_isnt "$bad" "$good" "which is another commit"
fluxd_stop
t_done
