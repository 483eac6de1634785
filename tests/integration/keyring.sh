#!/usr/bin/env bash
# The deploy key is made and replaced: by clients and at the start, in a pod (a
# /run of its own with the account's files, as the kubelet makes them), with the
# real API server and a real sshd.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
[ "$(id -u)" -eq 0 ] || t_cannot_all "needs a mount namespace: root only"
unshare -m true 2>/dev/null || t_cannot_all "no mount namespace here"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api ssh

bed_mine keyring
python=/usr/bin/python3
other=$(bed_namespace keyring-none)

# ---- a pod and what is around it ------------------------------------------------

"$python" "$(dirname "$0")/relay.py" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/relay.port" >/dev/null &
relay=$!
kill_at_exit $!
wait_for 60 test -s "$T_DIR/relay.port"
silence() { # from the next byte on
	echo "1 silent" >"$T_DIR/relay.port.after"
	kill -ALRM $relay
	wait_for 60 test ! -e "$T_DIR/relay.port.after"
}
cut_off() {
	kill -USR1 $relay
	wait_for 60 is_cut
}
is_cut() { ! (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$T_DIR/relay.port")"); }

account() { # NAME NAMESPACE: whom the pod is to the API server, from now on
	mkdir -p "$T_DIR/account"
	bed_service_account "$ns" "$1" >"$T_DIR/account/token"
	cp "$BED_API_CA" "$T_DIR/account/ca.crt"
	printf %s "$2" >"$T_DIR/account/namespace"
}
may() { # NAME VERB...: with the one Secret, and nothing else of its kind
	local name=$1 verbs
	shift
	verbs=$(IFS=, && echo "$*")
	kubectl -n "$ns" create role "$name" --verb="$verbs" --resource=secrets \
		--resource-name=flux-git-deploy >/dev/null
	kubectl -n "$ns" create rolebinding "$name" --role="$name" --serviceaccount="$ns:$name" >/dev/null
	bed_await_right "$ns" "$name" "$1" secrets/flux-git-deploy
}
kubectl create clusterrole "$ns" --verb='*' --resource=configmaps,namespaces >/dev/null
at_exit "kubectl delete clusterrole,clusterrolebinding $ns >/dev/null 2>&1"
kubectl create clusterrolebinding "$ns" --clusterrole="$ns" --group="system:serviceaccounts:$ns" >/dev/null
may flux get patch
may reader get
bed_await_right "$ns" flux patch configmaps
account flux "$ns"

plain=$FLUXD
fluxd_in_pod "$(cat "$T_DIR/relay.port")"
mount=$T_DIR/mount
mkdir "$mount"

launch() { # ARG...
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--k8s-secret-volume-mount-path="$mount" "$@"
}
start() { # ARG...: with a key, which it knows soon
	launch "$@"
	wait_for 60 has_key
}
has_key() { [ -n "$(ctl identity)" ]; }
secret() { # KEY: what the Secret holds there
	kubectl -n "$ns" get secret flux-git-deploy -o json | jq -r --arg k "$1" '.data[$k] // empty' | base64 -d
}
# What the kubelet does, after a while: all at once.
refresh() {
	secret "${1:-identity}" >"$T_DIR/fresh"
	mv "$T_DIR/fresh" "$mount/${1:-identity}"
}
key() { ctl identity | cut -d' ' -f1,2; }
key_is() { [ "$(key)" = "$1" ]; }
# The public half of the Secret's private one, as ssh-keygen has it.
stored() {
	secret "${1:-identity}" >"$T_DIR/stored"
	chmod 600 "$T_DIR/stored"
	ssh-keygen -y -P '' -f "$T_DIR/stored" 2>&1 | cut -d' ' -f1,2
}
hosts=$BED_DIR/ssh/authorized_keys
allow() { echo "$1 $ns" >>"$hosts"; }
forbid() { grep -vF "$1" "$hosts" >"$T_DIR/hosts" || true; cat "$T_DIR/hosts" >"$hosts"; }
at_exit "grep -v ' $ns\$' '$hosts' >'$T_DIR/hosts'; cat '$T_DIR/hosts' >'$hosts'"
n=0
commit() { # the next one; prints its text
	n=$((n + 1))
	cat >"$work/one.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: one, namespace: $ns}
		data: {text: "$n"}
	YAML
	repo_commit_all "$work" "$n" >/dev/null
	repo_push "$work"
	notify 2>/dev/null || true
}
shows() { [ "$(kubectl -n "$ns" get configmap one -o 'jsonpath={.data.text}' 2>/dev/null)" = "$n" ]; }
state_like() { [[ $(repo_state) =~ $1 ]]; }
pid_of() { ctl sandbox --no-headers | awk -v r="$1" -v i="$2" '$1 == r && $2 == i && $4 == "running" { print $3 }'; }
runs() { [ -n "$(pid_of "$1" "$2")" ]; }
finds() { pid=$(pid_of "$1" "$2") && [ -n "$pid" ]; }
# ROLE INSTANCE: kill what runs there, once it does.
kill_there() {
	local pid=
	wait_for 60 finds "$1" "$2"
	kill -KILL "$pid"
	wait_for 60 sh -c "! kill -0 $pid 2>/dev/null"
}

# ---- the first key ----------------------------------------------------------------

FLUXD_STATE=
fluxd_launch --git-url="$url" --k8s-secret-volume-mount-path="$mount"
t_wait "without a key and without a Secret fluxd ends" 60 fluxd_wait 1
t_isnt "$FLUXD_STATUS" 0 "with an error"
t_run "that names the Secret" fluxd_logged \
	"component=cluster err=\"deploy key: secret $ns/flux-git-deploy: secrets \\\\\"flux-git-deploy\\\\\" not found\""

kubectl -n "$ns" create secret generic flux-git-deploy >/dev/null
launch
t_wait "with an empty one a key is made" 60 fluxd_logged "component=cluster identity.pub=\"ssh-ed25519 [^ ]+ flux\""
first=$(key)
t_like "$first" '^ssh-ed25519 AAAA' "and shown"
t_is "$(stored)" "$first" "the Secret holds it, for ssh-keygen to read"
t_is "$(secret identity.pub)" "$(ctl identity)" "and its public half"
t_is "$(kubectl -n "$ns" get secret flux-git-deploy -o json | jq -c '.data | keys')" '["identity","identity.pub"]' \
	"and nothing else"
allow "$first"
commit
t_wait "the host lets it in" 60 shows

# It is in use as long as the kubelet has not brought it to the file.
kill_key() {
	old_pid=$(pid_of key 0)
	kill -KILL "$old_pid"
}
another_has() { # KEY
	local pid=
	finds key 0 && [ "$pid" != "$old_pid" ] && key_is "$1"
}
kill_key
t_wait "another fluxd-key uses it as well, while the file is not there" 60 another_has "$first"
fluxd_stop
mark=$(audit_mark)
launch
t_wait "a daemon that starts before it is mounted does not make another one" 60 \
	fluxd_logged "it holds a key already, which is not where it should be mounted, or not yet"
t_is "$(stored)" "$first" "the Secret holds what it held"
t_is "$(audit_list '^fluxd/' patch "$mark" | grep -c "/$ns/secrets/" || true)" 0 "and was not written to"
refresh
t_wait "it waits for the file" 60 key_is "$first"

# ---- another one ---------------------------------------------------------------------

mark=$(audit_mark)
second=$(ctl identity --regenerate | cut -d' ' -f1,2)
t_like "$second" '^ssh-ed25519 AAAA' "our fluxctl has a new key made"
t_isnt "$second" "$first" "another one"
t_is "$(key)" "$second" "which is in use"
t_is "$(stored)" "$second" "and stored"
t_is "$(audit_list '^fluxd/' 'get|patch|list|watch' "$mark" | grep "/$ns/secrets/")" \
	"patch 200 /api/v1/namespaces/$ns/secrets/flux-git-deploy?fieldManager=fluxd" "by one request"
others() { ctl sandbox --no-headers | awk '$2 != 0'; }
t_becomes "who made and stored it is gone" 60 "" others
commit
denied='Permission denied \(publickey\)'
t_wait "the host does not know it: no session of the old key is used any more" 60 state_like "$denied"
t_run_fails "so nothing is applied" shows
allow "$second"
notify
t_wait "when it does, the commit is" 60 shows
forbid "$first"
kill_key
t_wait "the file's old key does not come back with another fluxd-key" 60 another_has "$second"
kill_there git-remote 0
commit
t_wait "and the host lets it in" 60 shows

if [ -n "${BED_UPSTREAM_FLUXCTL:-}" ]; then
	port=$(bed port "$BED_DIR" fluxd)
	fluxd_stop
	refresh
	start --listen="unix:$T_DIR/fluxd.sock" --listen="127.0.0.1:$port"
	upstream() { "$BED_UPSTREAM_FLUXCTL" --url "http://127.0.0.1:$port/api/flux" "$@" 2>&1; }
	third=$(upstream identity --regenerate | cut -d' ' -f1,2)
	t_like "$third" '^ssh-ed25519 AAAA' "upstream's fluxctl has one made"
	t_isnt "$third" "$second" "another one"
	t_is "$(upstream identity | cut -d' ' -f1,2) $(stored)" "$third $third" "which is in use and stored"
	t_is "$(upstream identity -l)" "$(ssh-keygen -l -E md5 -f "$T_DIR/stored" | cut -d' ' -f2 | sed 's/^MD5://')" \
		"with the fingerprint that ssh-keygen gives it"
	fluxd_stop
	start
else
	t_skip "upstream's fluxctl is not there"
	third=$second
fi
t_is "$(api_status POST /api/flux/v6/identity.pub)" 204 "the older route makes one"
fourth=$(key)
t_isnt "$fourth" "$third" "another one"
t_is "$(stored)" "$fourth" "which is stored"
refresh
fluxd_stop

# ---- somebody else's -------------------------------------------------------------------

start
t_is "$(key)" "$fourth" "the kubelet has brought it to the file"
fifth=$(ctl identity -r | cut -d' ' -f1,2)
ssh-keygen -q -t ed25519 -N '' -C theirs -f "$T_DIR/theirs"
cp "$T_DIR/theirs" "$T_DIR/fresh"
mv "$T_DIR/fresh" "$mount/identity"
theirs=$(cut -d' ' -f1,2 "$T_DIR/theirs.pub")
kill -HUP "$FLUXD_PID"
t_wait "a key that somebody else has put there since is the newer one" 60 key_is "$theirs"
fluxd_stop

# ---- types, and where they go ---------------------------------------------------------

kinds() { # FLAGS KIND FIRST-LINE BITS
	start $1
	ctl identity --regenerate >"$T_DIR/line"
	t_like "$(cat "$T_DIR/line")" "^$2 " "$1: $2"
	t_is "$(stored)" "$(cut -d' ' -f1,2 "$T_DIR/line")" "$1: as ssh-keygen reads it"
	t_is "$(head -n 1 "$T_DIR/stored") $(ssh-keygen -lf "$T_DIR/stored" | cut -d' ' -f1)" "$3 $4" "$1: of this form and size"
	fluxd_stop
}
kinds "--ssh-keygen-type=rsa" ssh-rsa "-----BEGIN OPENSSH PRIVATE KEY-----" 3072
# libssh2 before 1.11 can log in with no such key: that is why it is not the default
allow "$(stored)"
refresh
start
commit
in_or_told() { shows || state_like "the deploy key is an RSA key, and libssh2 1\.10.* use an ed25519 key"; }
t_wait "an RSA key logs in, or it is said what to do" 60 in_or_told
fluxd_stop
kinds "--ssh-keygen-bits=0x800 --ssh-keygen-format=PEM" ssh-rsa "-----BEGIN RSA PRIVATE KEY-----" 2048
kinds "--ssh-keygen-type=ecdsa --ssh-keygen-format=PKCS8" ecdsa-sha2-nistp256 "-----BEGIN PRIVATE KEY-----" 256
fluxd_launch --git-url="$url" --ssh-keygen-type=ecdsa --ssh-keygen-bits=512
t_wait "a key that cannot be is refused at the start" 60 fluxd_wait 1
t_run "and the flag named" fluxd_logged 'err="--ssh-keygen-bits=512: an ECDSA key has 256, 384 or 521 bits"'

kubectl -n "$ns" patch secret flux-git-deploy --type=merge -p '{"data":{"kept":"a2VwdA=="}}' >/dev/null
start --k8s-secret-data-key=git.key
made=$(ctl identity --regenerate | cut -d' ' -f1,2)
t_is "$(stored git.key) $(stored identity)" "$made $made" "another data key is what is mounted; upstream's is kept in step"
t_is "$(secret kept)" kept "what else the Secret holds stays"
refresh git.key
fluxd_stop
start --k8s-secret-data-key=git.key
t_is "$(key)" "$made" "and so it is there after a restart"
fluxd_stop
refresh

# ---- what goes wrong -----------------------------------------------------------------

unchanged() { # WHAT: the key in use and the Secret are as they were
	t_is "$(key) $(stored)" "$before $before" "$1: the old key stays, in use and in the Secret"
}
refused() { # WHAT TEXT: a regeneration is a 422 that says so
	local out
	out=$(fluxd_curl --max-time 120 -w ' %{http_code}' -X POST -H 'Accept: application/json' \
		-H 'Content-Type: application/json' -d true "$(fluxd_url)/api/flux/v9/git-repo-config")
	t_like "$out" "$2.* 422\$" "$1: the client is told"
	out=$(ctl identity --regenerate 2>&1) && out="no error: $out"
	t_like "$out" "$2" "$1: so fluxctl says"
}
account reader "$ns"
start
before=$(key)
refused "who may not patch" "secret $ns/flux-git-deploy: secrets .+flux-git-deploy.+ is forbidden: User .+:reader.+ cannot patch"
unchanged "who may not patch"
fluxd_stop
account flux "$other"
start
refused "no such Secret" "secret $other/flux-git-deploy: secrets .+flux-git-deploy.+ is forbidden"
fluxd_stop
account flux "$ns"

start --ssh-keygen-bits=8192
before=$(key)
allow "$before"
# The one that makes it takes many seconds, and is stopped for as long as this
# needs; who signs goes on.
fluxd_curl --max-time 300 -o /dev/null -w '%{http_code}' -X POST "$(fluxd_url)/api/flux/v6/identity.pub" >"$T_DIR/status" &
slow=$!
pid=
t_wait "a long one is being made" 60 finds key 1
if kill -STOP "$pid" 2>/dev/null && finds key 1; then
	t_like "$(ctl identity -r 2>&1 || true)" "a new deploy key is being made already" "a second one at the same time is refused"
	kill_there git-remote 0
	commit
	t_wait "meanwhile logins are signed" 60 shows
	kill_there key 1
	wait "$slow" || true
	t_is "$(cat "$T_DIR/status")" 422 "killed in the middle: an error"
	unchanged "killed in the middle"
else
	t_cannot "killed in the middle: it was fast"
	wait "$slow" || true
	before=$(key)
fi
fluxd_stop

start
before=$(key)
silence
api_status POST /api/flux/v6/identity.pub >"$T_DIR/status" &
slow=$!
t_wait "a server that does not answer is waited for" 60 runs sync 1
kill_there sync 1
t_wait "its asker, killed, is started again" 60 runs sync 1
kill -HUP "$relay"
wait "$slow" || true
t_is "$(cat "$T_DIR/status")" 204 "and when the server answers the key is stored"
t_isnt "$(key)" "$before" "it is another one"
t_is "$(stored)" "$(key)" "the same in use and in the Secret"

fluxd_stop
refresh
start --sync-timeout=4s
before=$(key)
cut_off
refused_once() {
	out=$(ctl identity --regenerate 2>&1) && out="no error: $out"
	t_like "$out" "secret $ns/flux-git-deploy: API server: .*; if it holds the new key all the same" \
		"a server that is not there is an error that says what is known"
}
refused_once
t_like "$(ctl identity --regenerate 2>&1 || true)" "not known yet whether the last new deploy key was stored" \
	"until that is known no other one is made"
kill -HUP "$relay"
t_wait "it is found out" 60 fluxd_logged 'it does not hold the new key'
unchanged "a server that is not there"
fluxd_stop

# ---- outside of a cluster, and without a key ---------------------------------------------

FLUXD=$plain
start
t_like "$(ctl identity --regenerate 2>&1 || true)" \
	"fluxd makes a deploy key only in a cluster, where it is mounted from a Secret; here, replace $mount/identity and send fluxd a SIGHUP" \
	"outside of a cluster the operator is told what to do"
t_is "$(key)" "$before" "and the key stays"
t_done
