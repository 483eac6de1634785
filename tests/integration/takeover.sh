#!/usr/bin/env bash
# Objects of kubectl apply, with upstream's marks and checksums, are taken over:
# nothing but their ownership changes, what leaves git leaves them, and kubectl
# apply has nothing to do afterwards, so the way back is open.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

agent='^fluxd/'
record=kubectl.kubernetes.io/last-applied-configuration
bed_mine takeover

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
sha256() { openssl dgst -sha256 -binary | base64url; }
set_name=$(printf '%smaster' "$url" | sha256)

# object KIND NAME API_VERSION [MEMBERS-BEFORE-KIND] [MEMBERS-AFTER-METADATA]:
# one file in git in canonical form, so that its checksum is the file's, and
# the same as upstream gives it to kubectl.
object() {
	local kind=$1 name=$2 file=$work/$2.yaml id mark
	printf '%s\n' "apiVersion: $3" ${4:+"$4"} "kind: $kind" metadata: \
		"  name: $name" "  namespace: $ns" ${5:+"$5"} >"$file"
	id=$ns:${kind,,}/$name
	mark=sha256.$(printf '%s%s' "$set_name" "$id" | sha256)
	sed "s|^metadata:\$|&\n  annotations:\n    fluxcd.io/sync-checksum: $(sha1sum <"$file" | cut -d' ' -f1)\n  labels:\n    fluxcd.io/sync-gc-mark: $mark|" \
		"$file" >"$T_DIR/upstream/$name.yaml"
}
mkdir "$T_DIR/upstream"

map() { # MEMBERS: the ConfigMap that changes
	object ConfigMap map v1 "data:
$1"
}
deployment() { # LINES of the container beside image and name
	object Deployment web apps/v1 '' "spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - image: example.org/web:1
        name: web${1:+
$1}"
}

map '  a: one
  b: <&> é
  c: "yes"'
object ConfigMap empty v1
object Secret secret v1 'data:
  key: dmFsdWU=' 'stringData:
  plain: text
type: Opaque'
object ServiceAccount account v1
object Service service v1 '' 'spec:
  ports:
  - name: dns
    port: 53
    protocol: UDP
  - name: dns-tcp
    port: 53
    protocol: TCP
  selector:
    app: web'
deployment '        resources:
          limits:
            cpu: 1500m
            memory: 1.5Gi'
object CronJob job batch/v1 '' 'spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - image: example.org/job:1
            name: job
          restartPolicy: Never
  schedule: 0 0 * * *'
object NetworkPolicy policy networking.k8s.io/v1 '' 'spec:
  ingress:
  - ports:
    - port: 80
  podSelector: {}'
object Role role rbac.authorization.k8s.io/v1 '' 'rules:
- apiGroups:
  - ""
  resources:
  - configmaps
  verbs:
  - get'
objects='configmap/map configmap/empty secret/secret serviceaccount/account service/service
	deployment/web cronjob/job networkpolicy/policy role/role'

tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
# shellcheck disable=SC2086
state() { # FILTER: of all objects, one a line
	kubectl -n "$ns" get $objects --show-managed-fields -o json | jq -cS ".items[] | $1"
}
content() { state 'del(.metadata.managedFields, .metadata.resourceVersion)'; }
entries() { # FILTER of an entry: what the objects' entries of it look like
	state "[.metadata.managedFields[] | select($1) | .time] | join(\",\")"
}
value() { kubectl -n "$ns" get "$1" -o "jsonpath={$2}"; }
has_not() { [ -z "$(value "$1" "$2")" ]; }
all_annotated() { [ "$(state ".metadata.annotations[\"$record\"] != null" | sort -u)" = "$1" ]; }
upstream_apply() { kubectl apply -f "$T_DIR/upstream" "$@"; }
fluxd() { fluxd_start --git-url="$url" --git-poll-interval=1s --sync-interval=1h "$@"; }
commit() { # MESSAGE
	head=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
client_side='.manager == "kubectl-client-side-apply"'
ours='.manager == "fluxd" and .operation == "Apply"'

# what upstream leaves behind
upstream_apply >/dev/null
before=$(content)
# of two of them it always says "configured"
again=$(upstream_apply)
t_is "$(content)" "$before" "kubectl apply is repeated without a change"
commit 'All of it'

# the take-over
mark=$(audit_mark)
fluxd
t_wait "the commit is synced" 30 tag_is "$head"
t_is "$(content)" "$before" "nothing of the objects has changed, no generation either"
t_is "$(entries "$client_side" | sort -u)" '""' "the entry of client-side apply is gone"
t_is "$(entries "$ours" | grep -c T)" 9 "and ours is there"
t_is "$(audit_count "$agent" patch "$mark")" 18 "that took two requests an object"
t_is "$(audit_count "$agent" 'get|create|update|delete' "$mark")" 3 "and none of another kind"
t_is "$(upstream_apply)" "$again" "kubectl apply finds nothing to do"
t_run "kubectl diff finds no difference" kubectl diff -f "$T_DIR/upstream"

# what leaves git leaves the object
map '  a: one
  c: "yes"'
deployment ''
commit 'Less'
t_wait "a key that left git leaves the object" 30 has_not configmap/map .data.b
t_wait "so does a field of a list's element" 30 has_not deployment/web '.spec.template.spec.containers[0].resources.limits'
t_wait "and the tag moves" 30 tag_is "$head"
t_is "$(value configmap/map .data.a)" one "the rest stays"
t_is "$(upstream_apply | grep -E 'map|web')" "configmap/empty unchanged
configmap/map unchanged
deployment.apps/web unchanged" "kubectl apply agrees: its record is kept current"
t_run "kubectl diff, too" kubectl diff -f "$T_DIR/upstream"

# a key that kubectl applied by hand on the way is taken over and removed
kubectl -n "$ns" get configmap map -o json >"$T_DIR/map.json"
jq '.data.hand = "made"' "$T_DIR/map.json" | kubectl apply -f - >/dev/null
t_wait "what somebody applies by hand with kubectl goes again" 30 has_not configmap/map .data.hand

# back to upstream, and forward again
fluxd_stop
map '  a: one'
upstream_apply >/dev/null
t_is "$(value configmap/map .data)" '{"a":"one"}' "back at upstream, what leaves git goes"
commit 'Still less'
before=$(content)
fluxd
t_wait "and forward again" 30 tag_is "$head"
t_is "$(content)" "$before" "without a change"
t_is "$(entries "$client_side" | sort -u)" '""' "and without the entry"

# an object of our own has no record; of a thousand ways to lose a field one
object ConfigMap own v1 'data:
  a: one'
commit 'One of our own'
t_wait "an object that kubectl never saw" 30 kubectl -n "$ns" get configmap own
t_is "$(value configmap/own ".metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration")" "" \
	"gets no record"
kubectl -n "$ns" delete configmap own --wait=true >/dev/null
t_wait "comes back" 30 kubectl -n "$ns" get configmap own
fluxd_stop

# the other two ways
objects="$objects configmap/own"
fluxd --k8s-last-applied=always
t_wait "with always each object has the record" 30 all_annotated true
t_is "$(upstream_apply | grep configmap)" "configmap/empty unchanged
configmap/map unchanged
configmap/own unchanged" "in kubectl's own words"
fluxd_stop
fluxd --k8s-last-applied=never
t_wait "with never none has it" 30 all_annotated false
t_unlike "$(cat "$FLUXD_LOG")" 'cannot take over' "no take-over failed"
fluxd_stop

# a take-over and garbage collection in one life: what upstream applied and git
# has no more goes, in its first pass already; what leaves git later goes, too
upstream_apply >/dev/null
object ConfigMap orphan v1 'data:
  a: one'
kubectl apply -f "$T_DIR/upstream/orphan.yaml" >/dev/null
rm "$work/orphan.yaml" "$T_DIR/upstream/orphan.yaml"
kubectl -n "$ns" create configmap bystander --from-literal=a=one >/dev/null
bystander=$(value configmap/bystander .metadata.resourceVersion)
gone() { ! kubectl -n "$ns" get "$1" >/dev/null 2>&1; }
commit 'Without the orphan'
before=$(content)
mark=$(audit_mark)
fluxd --sync-garbage-collection
t_wait "with garbage collection, what upstream left behind goes" 30 gone configmap/orphan
t_wait "and the commit is synced" 30 tag_is "$head"
t_is "$(content)" "$before" "what is in git is taken over without a change"
t_is "$(entries "$client_side" | sort -u)" '""' "entry and all"
rm "$work/account.yaml" "$work/job.yaml"
objects=${objects/serviceaccount\/account/} objects=${objects/cronjob\/job/}
commit 'Two less'
t_wait "what was taken over and leaves git goes" 30 gone serviceaccount/account
t_wait "all of it" 30 gone cronjob/job
t_wait "and the tag moves" 30 tag_is "$head"
t_is "$(audit_count "$agent" delete "$mark")" 3 "by one request each"
t_is "$(value configmap/bystander .metadata.resourceVersion)" "$bystander" "what was nobody's stays as it is"
t_done
