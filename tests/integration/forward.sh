#!/usr/bin/env bash
# fluxctl finds fluxd in a cluster: by the kubeconfig, its credentials and
# plugins, through the API server into the pod.  There it says what upstream's
# says.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
unset FLUXD_BED # one daemon only can be behind the port of all pods
bed_require api ssh kwok

upstream=${BED_UPSTREAM_FLUXCTL:-}
export HOME=$T_DIR KUBECONFIG=$BED_KUBECONFIG
unset FLUX_URL FLUX_TIMEOUT FLUX_FORWARD_NAMESPACE FLUX_FORWARD_LABELS KUBERNETES_SERVICE_HOST
if [ -e /run/fluxd/fluxd.sock ]; then
	t_skip_all "a daemon listens on this machine"
fi

pod() { # NAMESPACE NAME LABELS [PORT]: prints its manifest
	cat <<-YAML
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $2, namespace: $1, labels: {$3}}
		spec:
		  nodeName: bed
		  containers: [{name: c, image: i, ports: [{containerPort: ${4:-3030}}]}]
	YAML
}
run() { # NAMESPACE COUNT
	[ "$(kubectl -n "$1" get pods --field-selector=status.phase=Running -o name | wc -l)" = "$2" ]
}
ready_is() { # NAMESPACE NAME True|False: on a slow machine the controllers say so, too
	kubectl -n "$1" patch pod "$2" --subresource=status --type=strategic \
		-p '{"status":{"conditions":[{"type":"Ready","status":"'"$3"'"}]}}' >/dev/null
}

# said COMMAND...: exit status, then all it prints
said() {
	local status=0 out
	out=$("$@" 2>&1 </dev/null) || status=$?
	printf '%s %s' "$status" "$out"
}
says() { # NAME WHAT ARG...: fluxctl says exactly this
	local name=$1 want=$2
	shift 2
	t_is "$(said "$FLUXCTL" "$@")" "$want" "$name"
}
hint() { printf "\nRun 'fluxctl %s --help' for usage." "$1"; }
same() { # NAME ARG...: fluxctl says what upstream's says
	local name=$1
	shift
	if [ -n "$upstream" ]; then
		t_is "$(said "$FLUXCTL" "$@")" "$(said "$upstream" "$@")" "$name"
	fi
}
dialer='Error: Could not create a dialer: Could not get pod name: Listing pods in kubernetes: '

# config USER [CLUSTER] [SERVER]: a kubeconfig with these members
config() {
	cat >"$T_DIR/config" <<-YAML
		apiVersion: v1
		kind: Config
		current-context: here
		contexts: [{name: here, context: {cluster: bed, user: me, namespace: $ns}}]
		clusters: [{name: bed, cluster: {server: "${3:-$BED_API_URL}", ${2-certificate-authority: $BED_API_CA}}}]
		users: [{name: me, user: {$1}}]
	YAML
	export KUBECONFIG=$T_DIR/config
}

# ---- a real daemon ---------------------------------------------------------

ns=$(bed_namespace forward)
repo=forward-$$
url=$(bed_repo "$repo")
repo_clone "$url" "$T_DIR/work"
cat >"$T_DIR/work/one.yaml" <<-YAML
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: one, namespace: $ns}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata:
	  name: web
	  namespace: $ns
	  annotations: {fluxcd.io/automated: "true", fluxcd.io/locked: "true", fluxcd.io/tag.c: "semver:~1"}
	spec:
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec: {containers: [{name: c, image: "alpine:3.12"}, {name: d, image: "registry.example.org/x/y:1"}]}
YAML
head=$(repo_commit_all "$T_DIR/work" First)
repo_push "$T_DIR/work"
port=$(bed port "$BED_DIR" pod)
several=$(bed_namespace forward)
{
	pod "$ns" fluxd-1 "app: flux"
	pod "$several" sick "name: flux"
	pod "$several" two-1 "set: two"
	pod "$several" two-2 "set: two"
	pod "$several" ready-1 "set: ready"
	pod "$several" ready-2 "set: ready"
	pod "$several" port "set: port"
	pod "$several" memcached "set: port" 11211
} | kubectl apply -f - >/dev/null
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--listen="127.0.0.1:$port" --k8s-allow-namespace="$ns"
export FLUX_FORWARD_NAMESPACE=$ns
ready() { [ "$(api_post /api/flux/v9/git-repo-config false | jq -r .status)" = ready ]; }
t_wait "the daemon is ready" 60 ready
t_wait "its pod runs" 180 run "$ns" 2
t_wait "and so do others" 180 run "$several" 7

mark=$(audit_mark)
says "identity, through the API server" "0 $(cut -d' ' -f1-3 "$BED_SSH_KEY.pub")" identity
# (the second is over, and in the log, when the connection has ended)
t_becomes "two requests, as upstream's, and no more" 60 \
	"list 200 /api/v1/namespaces/$ns/pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Dflux
create 101 /api/v1/namespaces/$ns/pods/fluxd-1/portforward" audit_list '^fluxctl/' '.*' "$mark"
says "sync" "0 Synchronizing with $url
Revision of master to apply is ${head:0:7}
Waiting for ${head:0:7} to be applied ...
Done." sync
t_run "and what is in git is in the cluster" kubectl -n "$ns" get configmap one
same "sync, as upstream's" sync
same "identity, as upstream's" identity
t_like "$(said "$FLUXCTL" sandbox)" '^0 ROLE' "sandbox"
if ! command -v strace >/dev/null; then
	t_skip "nothing listens for the way there: no strace"
elif ! strace -o /dev/null true 2>/dev/null; then
	t_cannot "nothing listens for the way there: nothing may be traced here"
else
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T_DIR/trace" -e trace=listen,bind,accept,accept4 "$FLUXCTL" identity >/dev/null
	t_is "$(grep -cE '(listen|accept4?)\(' "$T_DIR/trace" || true)" 0 "nothing listens for the way there"
fi

# ---- both clients, by a URL ---------------------------------------------------

kubectl -n "$ns" create deployment other --image=nginx:1 >/dev/null
all_ready() { [ "$("$FLUXCTL" list-workloads -n "$ns" --no-headers | awk '$4 == "ready" { n++ } END { print n }')" = 2 ]; }
export FLUX_URL=http://127.0.0.1:$port/api/flux
t_wait "all workloads are ready" 180 all_ready
web=$ns:deployment/web
while read -r -a line; do
	same "both say the same: ${line[*]//$ns/NS}" "${line[@]}"
done <<-TXT
	list-workloads -n $ns
	list-workloads -n $ns -o json
	list-workloads -n $ns -c d --no-headers
	list-workloads --k8s-fwd-ns=x -n none
	list-images -n $ns
	list-images -w $web -o json
	list-images -w web
	identity -l
	identity -v
	save
	automate -w $web
	automate -w $ns:deployment/none
	lock -w $web -m why --user me
	unlock -w deployment/web -n $ns
	policy -w $web --tag-all=*
	release --all --update-all-images --dry-run
	release --workload=$web --update-image=alpine:3.13
TXT
t_like "$("$FLUXCTL" list-workloads -n "$ns" -o yaml)" "^- ID: $ns:deployment/other" "ours has YAML, too"
unset FLUX_URL

# ---- whose pod -------------------------------------------------------------

export FLUX_FORWARD_NAMESPACE=
empty=$(bed_namespace forward)
says "no pod" "1 Error: No pod found in namespace \"$empty\" using the following selectors:
  a=b,c=d
  name in (flux,fluxd,weave-flux-agent)

Make sure Flux is running in namespace \"$empty\".
If Flux is running in another different namespace, please supply it to --k8s-fwd-ns.$(hint sync)" \
	sync --k8s-fwd-ns "$empty" --k8s-fwd-labels c=d,a=b
same "no pod, as upstream's" sync --k8s-fwd-ns "$empty" --k8s-fwd-labels c=d,a=b
identity="0 $(cut -d' ' -f1-3 "$BED_SSH_KEY.pub")"
ready_is "$several" sick False
says "one by its other name, ready or not" "$identity" identity --k8s-fwd-ns "$several"
says "two, of which none is better" \
	"1 Error: Could not create a dialer: Could not get pod name: Ambiguous pod: found more than one pod for selector: labels \"set=two\"$(hint identity)" \
	identity --k8s-fwd-ns "$several" --k8s-fwd-labels set=two
same "two, as upstream's" identity --k8s-fwd-ns "$several" --k8s-fwd-labels set=two
ready_is "$several" ready-1 False
ready_is "$several" ready-2 True
says "of several, the one that is ready" "$identity" identity --k8s-fwd-ns "$several" --k8s-fwd-labels set=ready
says "or the one that is named" "$identity" identity --k8s-fwd-ns "$several" --k8s-fwd-pod two-2
says "which must be there" \
	"1 Error: Could not create port forward: error upgrading connection: pods \"none\" not found$(hint identity)" \
	identity --k8s-fwd-ns "$several" --k8s-fwd-pod none
says "of these, the one with the port" "$identity" identity --k8s-fwd-ns "$several" --k8s-fwd-labels set=port

# ---- what may go wrong ------------------------------------------------------

export FLUX_FORWARD_NAMESPACE=$ns
says "no such context" "1 Error: Could not load kubernetes configuration file: context \"nope\" does not exist$(hint identity)" \
	identity --context nope
token=$(bed_service_account "$ns" reader)
config "token: $token"
says "who may not list pods" \
	"1 ${dialer}pods is forbidden: User \"system:serviceaccount:$ns:reader\" cannot list resource \"pods\" in API group \"\" in the namespace \"$ns\"$(hint identity)" identity
same "as upstream's" identity
kubectl -n "$ns" create role lists --verb=list --resource=pods >/dev/null
kubectl -n "$ns" create rolebinding lists --role=lists --serviceaccount="$ns:reader" >/dev/null
refused() { [[ $(said "$FLUXCTL" identity) == *"error upgrading connection"* ]]; }
t_wait "the role counts" 60 refused
says "who may not forward" \
	"1 Error: Could not create port forward: error upgrading connection: pods \"fluxd-1\" is forbidden: User \"system:serviceaccount:$ns:reader\" cannot create resource \"pods/portforward\" in API group \"\" in the namespace \"$ns\"$(hint identity)" identity
same "as upstream's" identity
kubectl -n "$ns" create role forwards --verb=create --resource=pods/portforward >/dev/null
kubectl -n "$ns" create rolebinding forwards --role=forwards --serviceaccount="$ns:reader" >/dev/null
allowed() { [ "$(said "$FLUXCTL" identity)" = "$identity" ]; }
t_wait "list and create are all the rights it takes" 60 allowed

config "token: wrong"
says "who is unknown" "1 ${dialer}Unauthorized$(hint identity)" identity
config "token: $BED_API_TOKEN" "certificate-authority: /etc/ssl/certs/ca-certificates.crt"
t_like "$(said "$FLUXCTL" identity)" "^1 ${dialer}Get \"$BED_API_URL/.*\": SSL certificate problem: " \
	"a server of another authority is not talked to"
t_like "$(SSL_CERT_FILE=$BED_API_CA said "$FLUXCTL" identity)" "^1 .*: SSL certificate problem: " \
	"nor when the environment knows it: the kubeconfig says whom to believe"
config "token: $BED_API_TOKEN" ""
SSL_CERT_FILE=$BED_API_CA says "where it does not, the environment does" "$identity" identity
config "token: $BED_API_TOKEN" "certificate-authority: $BED_API_CA, tls-server-name: other.example"
t_like "$(said "$FLUXCTL" identity)" "^1 ${dialer}Get .*other.example" "nor one of another name"
config "token: $BED_API_TOKEN" "certificate-authority: $BED_API_CA, tls-server-name: localhost"
says "the name of the certificate may be another" "$identity" identity
config "token: $BED_API_TOKEN" "insecure-skip-tls-verify: true"
says "or not be looked at" "$identity" identity
config "token: $BED_API_TOKEN" "" https://127.0.0.1:1
says "no server" \
	"1 ${dialer}Get \"https://127.0.0.1:1/api/v1/namespaces/$ns/pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Dflux\": dial tcp 127.0.0.1:1: connect: connection refused$(hint identity)" identity
same "as upstream's" identity

# ---- credentials -------------------------------------------------------------

pki=$BED_DIR/pki
config "client-certificate: $pki/kwok.crt, client-key: $pki/kwok.key"
says "a client certificate" "$identity" identity
config "client-certificate-data: $(base64 -w0 "$pki/kwok.crt"), client-key-data: $(base64 -w0 "$pki/kwok.key")"
says "one in the file itself" "$identity" identity
echo "$BED_API_TOKEN" >"$T_DIR/token"
config "token: wrong, tokenFile: token" "certificate-authority: $BED_API_CA"
says "a token's file beside the kubeconfig, which beats the token" "$identity" identity
config "tokenFile: none"
says "a file that is not there" \
	"1 Error: Could not load kubernetes configuration file: open $T_DIR/none: no such file or directory$(hint identity)" identity
config "token: $BED_API_TOKEN, as: jane, as-groups: ['system:masters'], as-user-extra: {example.org/x: [y]}"
says "as somebody else" "$identity" identity
config "token: $BED_API_TOKEN, as: jane"
t_like "$(said "$FLUXCTL" identity)" 'User "jane" cannot list' "who is not allowed to"
config "token: $BED_API_TOKEN, username: a, password: b"
same "two ways to log in, as upstream's" identity

# several files count as one
cat >"$T_DIR/first" <<-YAML
	current-context: there
	users: [{name: me, user: {token: $BED_API_TOKEN}}]
YAML
config "token: wrong"
sed -i "s/^contexts:.*/contexts: [{name: there, context: {cluster: bed, user: me, namespace: $ns}}]/" "$T_DIR/config"
KUBECONFIG=$T_DIR/none:$T_DIR/first:$T_DIR/config says "of several kubeconfigs the first one that says it counts" \
	"$identity" identity

# ---- plugins -----------------------------------------------------------------

plugin() { # SCRIPT [MEMBERS]: a program in ./plugin beside the kubeconfig
	printf '#!/bin/sh\n%s\n' "$1" >"$T_DIR/plugin"
	chmod +x "$T_DIR/plugin"
	config "exec: {command: ./plugin, apiVersion: client.authentication.k8s.io/${3:-v1beta1}${2:+, $2}}"
}
credential() { # STATUS: prints it as a plugin does
	printf 'echo '\''{"apiVersion":"client.authentication.k8s.io/%s","kind":"ExecCredential","status":%s}'\' "${2:-v1beta1}" "$1"
}
good=$(credential "{\"token\":\"$BED_API_TOKEN\",\"expirationTimestamp\":\"2099-01-01T00:00:00Z\"}")
getting="1 ${dialer}Get \"$BED_API_URL/api/v1/namespaces/$ns/pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Dflux\": getting credentials: "

plugin "$good"
says "a plugin's token" "$identity" identity
# what a plugin says when it is run first, and later
runs() { wc -l <"$T_DIR/runs"; }
counted() { # FIRST LATER
	rm -f "$T_DIR/runs"
	plugin "echo >>'$T_DIR/runs'; if [ \$(wc -l <'$T_DIR/runs') = 1 ]; then $1; else $2; fi"
}
wrong=$(credential '{"token":"wrong"}')
expired=$(credential "{\"token\":\"$BED_API_TOKEN\",\"expirationTimestamp\":\"2001-01-01T01:00:00+01:00\"}")
counted "$good" "exit 7"
says "a plugin is run once for all requests" "$identity" identity
counted "$expired" "$good"
says "and again when its credentials have expired" "$identity" identity
t_is "$(runs)" 2 "for the next request"
counted "$wrong" "$good"
says "and when the server does not know them" "$identity" identity
t_is "$(runs)" 2 "for the same request"
counted "$wrong" "$wrong"
says "which is not asked for ever" "1 ${dialer}Unauthorized$(hint identity)" identity
t_is "$(runs)" 2 "but once more"
counted "$wrong" "$good"
says "the same, when the first question is for the way" "$identity" identity --k8s-fwd-pod fluxd-1
counted "$wrong" "exit 7"
says "one that fails the second time" "${getting}exec: executable $T_DIR/plugin failed with exit code 7$(hint identity)" identity
plugin "$(credential "{\"token\":\"$BED_API_TOKEN\",\"expirationTimestamp\":\"soon\"}")"
says "credentials that hold until nobody knows when" "${getting}decoding stdout: parsing time \"soon\"$(hint identity)" identity
plugin "[ \"\$1 \$2 \$A\" = 'x y z' ] && [ \"\$PWD\" = '$PWD' ] && $good" "args: [x, y], env: [{name: A, value: z}]"
A=0 says "with arguments and variables of its own" "$identity" identity
plugin "printf %s \"\$KUBERNETES_EXEC_INFO\" >'$T_DIR/info'; $(credential "{\"token\":\"$BED_API_TOKEN\"}" v1)" \
	"interactiveMode: IfAvailable, provideClusterInfo: true" v1
says "v1, which is told about the cluster" "$identity" identity
t_is "$(jq -c 'del(.spec.cluster["certificate-authority-data"])' "$T_DIR/info")" \
	"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{\"cluster\":{\"server\":\"$BED_API_URL\"},\"interactive\":false}}" \
	"in the words of the protocol"
t_is "$(jq -r '.spec.cluster["certificate-authority-data"]' "$T_DIR/info" | base64 -d)" "$(cat "$BED_API_CA")" \
	"and whom it believes"
plugin "printf %s \"\$KUBERNETES_EXEC_INFO\" >'$T_DIR/info'; $(credential "{\"token\":\"$BED_API_TOKEN\"}" v1)" \
	"interactiveMode: Never, provideClusterInfo: true" v1
sed -i 's#certificate-authority: [^}]*#&, tls-server-name: localhost, disable-compression: true, extensions: [{name: other, extension: 1}, {name: client.authentication.k8s.io/exec, extension: {audience: "x <y>", n: 7, deep: [true, null, "5", 1.5, a]}}]#' "$T_DIR/config"
says "v1, told about the cluster whatever its entry has" "$identity" identity
t_is "$(jq -c 'del(.spec.cluster["certificate-authority-data"])' "$T_DIR/info")" \
	"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{\"cluster\":{\"server\":\"$BED_API_URL\",\"tls-server-name\":\"localhost\",\"disable-compression\":true,\"config\":{\"audience\":\"x <y>\",\"n\":7,\"deep\":[true,null,\"5\",1.5,\"a\"]}},\"interactive\":false}}" \
	"its extension for plugins is their configuration"

# whether it may talk to the person
on_terminal() { # ARG...: fluxctl with a terminal for its standard input
	python3 -c 'import os, pty, subprocess, sys
ours, its = pty.openpty()
sys.exit(subprocess.run(sys.argv[1:], stdin=its).returncode)' "$FLUXCTL" "$@"
}
while read -r mode terminal pipe; do
	plugin "[ -t 0 ] && t=yes || t=no; echo \"\$t \$KUBERNETES_EXEC_INFO\" >'$T_DIR/info'; $good" ${mode:+"interactiveMode: $mode"}
	on_terminal identity >/dev/null
	t_like "$(cat "$T_DIR/info")" "^$terminal .*\"interactive\":$([ "$terminal" = yes ] && echo true || echo false)" \
		"interactiveMode $mode: on a terminal it is told so, and has it or not"
	[ "$pipe" = refused ] && continue
	says "interactiveMode $mode without a terminal" "$identity" identity
	t_like "$(cat "$T_DIR/info")" '^no .*"interactive":false' "interactiveMode $mode: there it has none"
done <<-TXT
	Never no no
	IfAvailable yes no
	Always yes refused
TXT
plugin "$good" "" v1
says "v1 has no mode of its own" "${getting}invalid configuration: interactiveMode must be specified for me to use exec authentication plugin$(hint identity)" identity
plugin "$good" "interactiveMode: Perhaps"
says "a mode that there is none of" "${getting}invalid configuration: invalid interactiveMode for me: \"Perhaps\"$(hint identity)" identity
certificate() { sed -z 's/\n/\\n/g' "$1"; }
plugin "$(credential "{\"clientCertificateData\":\"$(certificate "$pki/kwok.crt")\",\"clientKeyData\":\"$(certificate "$pki/kwok.key")\"}" | sed 's/echo/printf "%s\\n"/')"
says "a plugin's certificate" "$identity" identity
plugin "exit 3"
says "one that fails" "${getting}exec: executable $T_DIR/plugin failed with exit code 3$(hint identity)" identity
plugin "kill -9 \$\$"
says "one that is killed" "${getting}exec: executable $T_DIR/plugin was killed by signal 9$(hint identity)" identity
plugin "exec sleep 1000"
says "one that hangs" "${getting}exec: executable $T_DIR/plugin did not end within 1s$(hint identity)" identity --timeout=1s
plugin "exec yes '#'"
says "one that prints without end" "${getting}exec: executable $T_DIR/plugin prints too much$(hint identity)" identity
plugin "echo '{{{'"
t_like "$(said "$FLUXCTL" identity)" 'getting credentials: decoding stdout: yaml: line ' "one that prints junk"
plugin "echo hello"
says "one that says something else" "${getting}decoding stdout: this is no ExecCredential$(hint identity)" identity
plugin "$(credential '{}')"
says "one that has nothing" "${getting}exec plugin didn't return a token or cert/key pair$(hint identity)" identity
plugin "$(credential null)"
says "no status" "${getting}exec plugin didn't return a status field$(hint identity)" identity
plugin "$(credential '{"clientKeyData":"x"}')"
says "half a pair" "${getting}exec plugin returned only certificate or key, not both$(hint identity)" identity
plugin "$(credential '{"token":"x"}' v1)"
says "another version" "${getting}exec plugin is configured to use API version client.authentication.k8s.io/v1beta1, plugin returned version client.authentication.k8s.io/v1$(hint identity)" identity
plugin "$good" "" v1alpha1
says "one of a version that is gone" "1 Error: Could not create kubernetes client: exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\"$(hint identity)" identity
plugin "$good" "interactiveMode: Always"
says "one that must talk to somebody" "${getting}exec plugin cannot support interactive mode: standard input is not a terminal$(hint identity)" identity
config "exec: {command: no-such-plugin, apiVersion: client.authentication.k8s.io/v1beta1, installHint: Get it.}"
says "one that is not there" "${getting}exec: executable no-such-plugin not found

It is the program that user \"me\" of the kubeconfig logs in with.

Get it.$(hint identity)" identity
plugin "echo careful >&2; $good"
says "what it says to the person arrives" "0 careful
${identity#0 }" identity

# ---- in a pod -------------------------------------------------------------------

# a /run of its own, with the files of the account that may list and forward
in_pod() {
	unshare --mount sh -c 'mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
		cp "$1/." -r /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"' sh "$T_DIR/account" \
		env -u KUBECONFIG HOME=/nonexistent KUBERNETES_SERVICE_HOST="$BED_API_HOST" KUBERNETES_SERVICE_PORT="$BED_API_PORT" "$@"
}
mkdir "$T_DIR/account"
bed_service_account "$ns" reader >"$T_DIR/account/token"
cp "$BED_API_CA" "$T_DIR/account/ca.crt"
printf %s "$ns" >"$T_DIR/account/namespace"
if in_pod true 2>/dev/null; then
	t_is "$(said in_pod "$FLUXCTL" identity)" "$identity" "the service account of the pod it runs in"
	t_like "$(said in_pod "$FLUXCTL" list-workloads -n "$ns")" "$ns:deployment/web" "and more than one request"
	echo wrong >"$T_DIR/account/token"
	t_is "$(said in_pod "$FLUXCTL" identity)" "1 ${dialer}Unauthorized$(hint identity)" "one that is not known any more"
else
	t_cannot "the service account of a pod: no mount namespace here"
fi

# ---- what stands between -------------------------------------------------------

gateway() { # MODE: its port
	rm -f "$T_DIR/port" "$T_DIR/log"
	python3 "$here/gateway.py" "$1" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/token" "$BED_API_CA" \
		"$T_DIR/port" "$T_DIR/log" &
	kill_at_exit $!
	wait_for 60 test -e "$T_DIR/port"
	gateway_port=$(cat "$T_DIR/port")
}
gateway websocket
config "token: secret" "" "http://127.0.0.1:$gateway_port"
says "a gateway without SPDY is passed by WebSocket" "$identity" identity
t_is "$(cut -d' ' -f1,2 "$T_DIR/log" | sed 1d)" "POST /api/v1/namespaces/$ns/pods/fluxd-1/portforward
GET /api/v1/namespaces/$ns/pods/fluxd-1/portforward?ports=3030" "SPDY is asked for first"
says "sync by WebSocket" "0 Synchronizing with $url
Revision of master to apply is ${head:0:7}
Waiting for ${head:0:7} to be applied ...
Done." sync
gateway none
config "token: secret" "" "http://127.0.0.1:$gateway_port"
says "one that lets nothing through" \
	"1 Error: Could not create port forward: error upgrading connection: unable to upgrade connection: Upgrade refused.
$(hint identity)" identity
gateway proxy
config "token: $BED_API_TOKEN" "certificate-authority: $BED_API_CA, proxy-url: 'http://127.0.0.1:$gateway_port'"
says "a proxy" "$identity" identity
t_is "$(cut -d' ' -f1,2 "$T_DIR/log" | sort -u)" "CONNECT $BED_API_HOST:$BED_API_PORT" "is asked for every connection"

# ---- the way breaks -------------------------------------------------------------

python3 "$here/relay.py" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/relay" &
relay=$!
kill_at_exit $!
t_wait "the relay listens" 60 test -s "$T_DIR/relay"
config "token: $BED_API_TOKEN" "certificate-authority: $BED_API_CA" "https://127.0.0.1:$(cat "$T_DIR/relay")"
api=$(api_get /api/flux/v12/sandbox | jq '.[] | select(.role == "api") | .pid')
kill -STOP "$FLUXD_PID" "$api" # it hears, and says nothing
env -u BED_API_TOKEN "$FLUXCTL" identity >"$T_DIR/out" 2>&1 &
client=$!
printf -v hex ':%04X' "$port"
asked() { awk -v h="$hex" 'index($2, h) && $4 == "01" && $5 !~ /:0+$/ { n++ } END { exit !n }' /proc/net/tcp; }
t_wait "a request is on its way" 60 asked
forwarder=$(tr -d " " <"/proc/$client/task/$client/children")
confinement() { awk '/^(NoNewPrivs|Seccomp):/ { printf "%s%s ", $1, $2 }' "/proc/$1/status"; }
t_is "$(confinement "$client")" "NoNewPrivs:1 Seccomp:2 " "the process that reads the answer is confined"
t_is "$(confinement "$forwarder")" "NoNewPrivs:1 Seccomp:2 " "and the one that forwards"
# (a sanitizer's shadow is more memory than can be read)
if [ "$(id -u)" = 0 ] && ! ldd "$FLUXCTL" | grep -q libasan; then
	token=$(printf %s "$BED_API_TOKEN" | od -An -v -tx1 | tr -d ' \n')
	memory() { python3 "$here/../attack/memscan.py" "$1" "token=$token"; }
	t_is "$(memory "$client")" "token 0" "the credentials are not in the memory of the first"
	t_isnt "$(memory "$forwarder")" "token 0" "but of the second (control)"
fi
kill -USR1 "$relay"
status=0
wait "$client" || status=$?
t_is "$status $(cat "$T_DIR/out")" \
	"1 Error: executing HTTP request: executing HTTP request: Post \"http://127.0.0.1:3030/api/flux/v9/git-repo-config\": the connection to the pod was lost$(hint identity)" \
	"a connection that is cut is an error"
kill -CONT "$FLUXD_PID" "$api"
kill -HUP "$relay"

fluxd_stop
t_like "$(said "$FLUXCTL" identity)" \
	'^1 Error: executing HTTP request: executing HTTP request: Post "http://127.0.0.1:3030/api/flux/v9/git-repo-config": error forwarding port 3030 to pod .*: connection refused' \
	"a daemon that is not there"
t_done
