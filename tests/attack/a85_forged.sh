#!/usr/bin/env bash
# A85: a fallen fluxd-manifest (forger.c) has the apply worker apply what no
# repository has.  What that comes to is bounded by others than it: by the rights
# of the account, by --k8s-allow-namespace, which fluxd-sync obeys by itself, and
# by the mark of our sync set, without which nothing is ours.  And what is applied
# bears the hash that it was declared with.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "an instrumented build lets more through"
bed_require api ssh

mine=$(bed_namespace forged)
outside=$(bed_namespace outside) # where the account may, and fluxd may not
denied=$(bed_namespace denied)   # where the account may not
repo=forged-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
echo '# nothing at all' >"$work/empty.yaml"
last=$(repo_commit_all "$work" "Nothing")
repo_push "$work"

token=$(bed_service_account "$mine" limited)
for ns in "$mine" "$outside"; do
	kubectl -n "$ns" create role limited --verb=get,list,watch,create,patch,delete \
		--resource=configmaps,secrets >/dev/null
	kubectl -n "$ns" create rolebinding limited --role=limited --serviceaccount="$mine:limited" >/dev/null
done
bed_kubeconfig "$T_DIR/kubeconfig" "$token" "$mine"
FLUXD_KUBECONFIG=$T_DIR/kubeconfig

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
set_of() { printf %s "$1" master | openssl dgst -sha256 -binary | base64url; }
mark() { printf 'sha256.%s' "$(printf %s "$1" "$2" | openssl dgst -sha256 -binary | base64url)"; }
ours=$(set_of "$url")
hash=0123456789abcdef0123456789abcdef01234567

# body API-VERSION KIND NAMESPACE NAME MARK [MORE]
body() {
	printf '{"apiVersion":"%s","kind":"%s","metadata":{"name":"%s"%s,"labels":{"fluxcd.io/sync-gc-mark":"%s"},"annotations":{"fluxcd.io/sync-checksum":"%s"}}%s}' \
		"$1" "$2" "$4" "${3:+,\"namespace\":\"$3\"}" "$5" "$hash" "${6:-,\"data\":{\"value\":\"Zm9yZ2Vk\"}}"
}
# forge NAMESPACE KIND NAME [API-VERSION]: an entry that is right in itself; its
# body is what BODY_... say instead
forge() {
	local ns=$1 kind=$2 name=$3 api=${4:-v1} id
	id=${ns:-<cluster>}:${kind,,}/$name
	printf '%s\t' "${ID:-$id}" "$api" "$kind" "$ns" "$name" "$hash" "${MARK:-$(mark "$ours" "$id")}"
	body "${BODY_API:-$api}" "${BODY_KIND:-$kind}" "${BODY_NS-$ns}" "${BODY_NAME:-$name}" \
		"${MARK:-$(mark "$ours" "$id")}" "${BODY_MORE:-}"
	echo
}

lives=0
play() { # a daemon whose manifest worker says what comes by standard input
	lives=$((lives + 1))
	mkdir "$T_DIR/libexec-$lives"
	ln -s "$FX_BUILDDIR"/fluxd-* "$T_DIR/libexec-$lives/"
	ln -sf "$FX_BUILDDIR/tests/attack/forger" "$T_DIR/libexec-$lives/fluxd-manifest"
	cat >"$T_DIR/libexec-$lives/forged"
	FLUXD_LOG=$T_DIR/log-$lives
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1s \
		--libexec-dir="$T_DIR/libexec-$lives" --k8s-allow-namespace="$mine" \
		--k8s-allow-namespace="$denied" --sync-garbage-collection
}
has() { kubectl -n "$1" get "$2" >/dev/null 2>&1; }
has_not() { ! has "$@"; }
error_of() { fluxd_logged "component=daemon err=\".*$1: $2"; }

# ---- what the rights of others bound
{
	forge "$mine" ConfigMap honest
	forge "$outside" ConfigMap outside
	forge "$denied" ConfigMap denied
	forge '' ClusterRoleBinding admin rbac.authorization.k8s.io/v1
	BODY_NS=$outside forge "$mine" ConfigMap elsewhere
	BODY_NAME=another forge "$mine" ConfigMap renamed
	BODY_KIND=Secret forge "$mine" ConfigMap disguised
	BODY_API=v2 forge "$mine" ConfigMap versioned
	forge "$mine" ConfigMap "../../../$outside/configmaps/path"
	forge "$mine" ConfigMap 'query?fieldManager=kubectl'
} >"$T_DIR/forged"
play <"$T_DIR/forged"
t_wait "A85: what nobody can tell from the truth is applied (control)" 60 has "$mine" configmap/honest
t_wait "A85: and the tag moves" 60 tag_is "$repo" "$last"
t_is "$(kubectl -n "$mine" get configmap honest -o 'jsonpath={.metadata.annotations.fluxcd\.io/sync-checksum} {.metadata.managedFields[*].manager}')" \
	"$hash fluxd" "A85: it bears its hash and our name"
t_run "A85: where fluxd may not nothing is applied, whoever asks" has_not "$outside" configmap/outside
t_run "A85: which is told" fluxd_logged "not applying resources; excluded by namespace constraints\" resources=$outside:configmap/outside"
t_run "A85: nor where its account may not, in the server's words" \
	error_of "$denied:configmap/denied" "configmaps \\\\\"denied\\\\\" is forbidden: User \\\\\"system:serviceaccount:$mine:limited"
t_run "A85: nor beyond namespaces" error_of '<cluster>:clusterrolebinding/admin' '.*is forbidden'
for name in elsewhere renamed disguised versioned; do
	t_run "A85: a body that is another object's is refused ($name)" \
		error_of "$mine:configmap/$name" "its content is another object's"
done
t_is "$(for ns in "$mine" "$outside" "$denied"; do kubectl -n "$ns" get configmaps,secrets -o name; done | grep -cE '/(elsewhere|renamed|another|disguised|versioned|path|query.*)$')" 0 \
	"A85: and so are names that mean another path"
t_is "$(audit_list '^fluxd/' 'patch|create|update|delete' | grep -c "namespaces/$outside")" 0 \
	"A85: no request was sent there"
fluxd_stop

# ---- whose an object is
kubectl apply -f - >/dev/null <<-YAML
	apiVersion: v1
	kind: ConfigMap
	metadata:
	  name: theirs
	  namespace: $mine
	  labels: {fluxcd.io/sync-gc-mark: $(mark "$(set_of ssh://git@elsewhere/theirs)" "$mine:configmap/theirs")}
	  annotations: {fluxcd.io/sync-checksum: $hash}
	data: {value: theirs}
YAML
theirs=$(kubectl -n "$mine" get configmap theirs -o 'jsonpath={.metadata.resourceVersion}')
MARK=$(mark "$(set_of ssh://git@elsewhere/theirs)" "$mine:configmap/theirs") \
	forge "$mine" ConfigMap theirs >"$T_DIR/forged"
play <"$T_DIR/forged"
t_wait "A85: an object with another set's mark is none of ours" 60 \
	fluxd_logged "component=sync-loop err=\"$mine:configmap/theirs: id or mark is another one's\""
fluxd_stop
ID=$mine:configmap/honest forge "$mine" ConfigMap theirs >"$T_DIR/forged"
play <"$T_DIR/forged"
t_wait "A85: nor is one with another one's id" 60 \
	fluxd_logged "component=sync-loop err=\"$mine:configmap/honest: id or mark is another one's\""
fluxd_stop
t_run "A85: such a set is not taken: nothing is deleted for it" has "$mine" configmap/honest
play </dev/null
gone() { has_not "$mine" configmap/honest; }
t_wait "A85: an empty set collects what is ours (control)" 60 gone
t_is "$(kubectl -n "$mine" get configmap theirs -o 'jsonpath={.metadata.resourceVersion}')" "$theirs" \
	"A85: and what is theirs was never touched"
t_done
