#!/usr/bin/env bash
# The test bed itself: its parts answer, keep their data over a restart, and
# leave nothing behind.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unset FLUXD_BED # this test takes its bed down
bed_require api ssh https

# -------------------------------------------------------------- environment

for name in DIR KUBECONFIG API_URL API_HOST API_PORT API_CA API_TOKEN AUDIT_LOG KUBECTL \
	SSH_PORT SSH_USER SSH_KEY SSH_KEY_ECDSA SSH_KEY_RSA KNOWN_HOSTS GIT_ROOT GIT_SSH_URL \
	GIT_HTTPS_URL GIT_HTTPS_CA; do
	name=BED_$name
	t_isnt "${!name:-}" "" "$name is set"
done
t_is "$(stat -c %a "$BED_SSH_KEY")" 600 "the deploy key is its owner's alone"
t_is "$(bed env "$BED_DIR")" "$(cat "$BED_DIR/env")" "bed env prints the file"
t_run "bed up is idempotent" bed up "$BED_DIR" api ssh https
t_is "$(cat "$BED_DIR/port/api")" "$BED_API_PORT" "the port stays"

# --------------------------------------------------------------- API server

namespace=$(bed_namespace selftest)
mark=$(audit_mark)
kubectl -n "$namespace" apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting}
data: {text: hello}
YAML
t_is "$(kubectl -n "$namespace" get configmap greeting -o 'jsonpath={.data.text}')" hello \
	"a ConfigMap is applied and read"
t_is "$(audit_count '^kubectl' create "$mark")" 1 "the audit log has the one create"
t_is "$(audit_count '^kubectl' create "$(audit_mark)")" 0 "and nothing after the next mark"
t_like "$(audit_list '^kubectl' create "$mark")" '^create 201 /api/v1/namespaces/selftest' \
	"a line of it says what was asked"

kubectl -n "$namespace" apply -f - >/dev/null <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.selftest.example.com}
spec:
  group: selftest.example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
YAML
t_wait "a new kind is served" 20 kubectl -n "$namespace" get things
t_run "a Pod needs no controller" kubectl -n "$namespace" run alone --image=example.com/web:1

token=$(bed_service_account "$namespace" limited)
bed_kubeconfig "$T_DIR/limited" "$token" "$namespace"
t_like "$(kubectl --kubeconfig "$T_DIR/limited" get configmaps 2>&1 || true)" \
	"\"system:serviceaccount:$namespace:limited\" cannot list" \
	"a service account's token is known and has no rights"
t_is "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$BED_API_CA" \
	-H 'Authorization: Bearer wrong' "$BED_API_URL/api")" 401 "a wrong token is refused"

# ---------------------------------------------------------------------- git

# shellcheck disable=SC2317
exchange() { # NAME URL: clone, commit, push, and look at the bare repository
	local name=$1 url=$2 id
	bed_git clone -q "$url" "$T_DIR/$name" 2>/dev/null || return 1
	echo "$name" >"$T_DIR/$name/file"
	id=$(repo_commit_all "$T_DIR/$name" "one")
	bed_git -C "$T_DIR/$name" push -q origin HEAD:master || return 1
	[ "$(repo_ref "$name" refs/heads/master)" = "$id" ]
}

t_run "clone and push over ssh" exchange by-ssh "$(bed_repo by-ssh)"
t_run "clone and push over https" exchange by-https "$(bed_repo_https by-https)"
for key in "$BED_SSH_KEY_ECDSA" "$BED_SSH_KEY_RSA"; do
	BED_SSH_KEY=$key t_run "log in with the key $(basename "$key")" \
		bed_git ls-remote "$(repo_url_ssh by-ssh)"
done
cp "$BED_KNOWN_HOSTS" "$T_DIR/other_hosts"
sed -i 's/^\[127.0.0.1\]:[0-9]* /[127.0.0.1]:1 /' "$T_DIR/other_hosts"
BED_KNOWN_HOSTS=$T_DIR/other_hosts t_run_fails "an unknown host is refused" \
	bed_git ls-remote "$(repo_url_ssh by-ssh)"
BED_GIT_HTTPS_CA=/etc/ssl/certs/ca-certificates.crt t_run_fails "an unknown authority is refused" \
	bed_git ls-remote "$(repo_url_https by-https)"
t_run_fails "a wrong password is refused" bed_git ls-remote \
	"${BED_GIT_HTTPS_URL/"$BED_GIT_HTTPS_PASSWORD"/wrong}"

repo_clone "$BED_GIT_SSH_URL" "$T_DIR/work"
mkdir "$T_DIR/work/apps"
echo 'a: 1' >"$T_DIR/work/apps/a.yaml"
id=$(repo_commit_all "$T_DIR/work" "first")
repo_push "$T_DIR/work"
t_is "$(repo_ref config refs/heads/master)" "$id" "the helpers reach the first repository"

# ------------------------------------------------------------------ restart

bed restart "$BED_DIR" api
t_is "$(kubectl -n "$namespace" get configmap greeting -o 'jsonpath={.data.text}')" hello \
	"the API server's data outlive a restart"
bed stop "$BED_DIR" ssh
t_run_fails "a stopped part does not answer" bed_git ls-remote "$BED_GIT_SSH_URL"
bed start "$BED_DIR" ssh
t_run "and answers again, on the same port" bed_git ls-remote "$BED_GIT_SSH_URL"

# ---------------------------------------------------------------------- end

survivors() { # processes that name the bed's folder, or that one of its files does
	{
		grep -las -- "$BED_DIR" /proc/[0-9]*/cmdline | cut -d/ -f3
		cat "$BED_DIR"/pid/* 2>/dev/null | cut -d' ' -f1
	} | sort -u | xargs -r ps -o pid=,stat=,args= -p 2>/dev/null | grep -v ' Z' || true
}

# An open login must not hold it up, nor outlive it.
mkfifo "$T_DIR/hold"
ssh -F /dev/null -p "$BED_SSH_PORT" -i "$BED_SSH_KEY" -o BatchMode=yes -o IdentityAgent=none \
	-o UserKnownHostsFile="$BED_KNOWN_HOSTS" -o GlobalKnownHostsFile=/dev/null \
	"$BED_SSH_USER@127.0.0.1" "echo in > '$T_DIR/hold'; cat $BED_DIR/port/ssh -" \
	</dev/zero >/dev/null 2>&1 &
login=$!
read -r _ <"$T_DIR/hold"
# ssh here and cat there, and a shell between if it did not make way
t_like "$(survivors | grep -c 'cat .*/port/ssh')" '^[23]$' "the login is seen while it is up"
bed down "$BED_DIR"
wait "$login" || true # our own end of it
t_is "$(survivors)" "" "no process is left after down"
t_run_fails "down takes the variables away" bed env "$BED_DIR"
t_run "bed down is idempotent" bed down "$BED_DIR"
t_run "bed down of no bed at all is no error" bed down "$T_DIR/none"
t_done
