#!/usr/bin/env bash
# A75: secrets are in the memory of the one process that needs them and nowhere
# else: not in another process (freed memory included), an environment, a
# command line, the log, a metric, an answer or an error.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || t_cannot_all "reads the memory of other processes: root only"
bed_require api ssh https

hex() { od -An -v -tx1 | tr -d ' \n'; }
# The seed: the first 32 bytes of the 64 at the end of an ed25519 key file.
seed_of() {
	sed '/^-/d' "$1" | base64 -d | "$python" -c '
import sys
d = sys.stdin.buffer.read()
i = d.rindex(b"\x00\x00\x00\x40")
print(d[i + 4:i + 36].hex())'
}

# At rest nobody starts or ends, and who is started on demand has ended.
at_rest() {
	ctl sandbox --no-headers | awk '$2 != 0 || $4 !~ /^(running|stopped)$/ { bad = 1 } END { exit bad || NR == 0 }'
}
# scan NAME=HEX...: look into every process, into found[ROLE NAME]; into the ones
# that are there from the beginning to the end.
declare -A found
roles=()
processes() { ctl sandbox --no-headers | awk '{ print $1, $2, $3 }'; }
scan_all() { # NAME=HEX...
	local role name count before
	wait_for 60 at_rest || return
	before=$(processes)
	roles_read
	found=()
	mapfile -t roles < <(printf '%s\n' "${!pid_of[@]}" | sort)
	for role in "${roles[@]}"; do
		while read -r name count; do
			found[$role $name]=$count
		done < <("$python" "$attack_dir/memscan.py" "${pid_of[$role]}" "$@")
	done
	[ "$(processes)" = "$before" ]
}
scan() {
	scan_all "$@" || scan_all "$@" || scan_all "$@" || { echo 'Bail out! the daemon does not come to rest'; exit 1; }
}

expect_only() { # NAME WHAT ROLE...: found there, and nowhere else
	local name=$1 what=$2 role
	shift 2
	for role in "${roles[@]}"; do
		if [[ " $* " == *" $role "* ]]; then
			t_isnt "${found[$role $name]}" 0 "$what is in the memory of $role (control)"
		else
			t_is "${found[$role $name]}" 0 "$what is not in the memory of $role"
		fi
	done
}

in_proc_texts() { # TEXT: in an environment or a command line of ours
	local role
	for role in "${roles[@]}"; do
		tr '\0' '\n' <"/proc/${pid_of[$role]}/environ" | grep -F -- "$1" || true
		tr '\0' '\n' <"/proc/${pid_of[$role]}/cmdline" | grep -F -- "$1" || true
	done
}

answers() {
	api_get /metrics
	api_post /api/flux/v9/git-repo-config false
	api_get /api/flux/v12/sandbox
	api_get /api/flux/v6/identity.pub
}

commit_something() { # REPOSITORY URL
	local work=$T_DIR/work-$1
	repo_clone "$2" "$work"
	configmap "$work" "$1" "$ns" "$RANDOM"
	repo_commit_all "$work" First >/dev/null
	repo_push "$work"
}
# What the process table says that git-remote holds.
remote_holds() { api_get /api/flux/v12/sandbox | jq -r '.[] | select(.role == "git-remote") | .holds'; }
tagged() { [ -n "$(repo_ref "$1" refs/tags/flux-sync)" ]; }
log_has() { grep -cF -- "$1" "$FLUXD_LOG" || true; }

ns=$(bed_namespace a75)

# ---- over ssh: deploy key and API token
over_ssh() { # REPOSITORY MODE
	local url
	url=$(bed_repo "$1")
	commit_something "$1" "$url"
	fluxd_start --git-url="$url" --state-dir="$T_DIR/state-$1" \
		--connect=http://127.0.0.1:1/x --token "$upstream_token"
	t_wait "$2: a sync over ssh ends" 60 tagged "$1"
	t_wait "$2: its event is tried to be sent" 60 fluxd_logged 'component=upstream err=".*" event="Sync: '
	scan "upstream=$(printf %s "$upstream_token" | hex)" "seed=$(seed_of "$BED_SSH_KEY")" "text=$(printf %s "$pem_line" | hex)" \
		"token=$(printf %s "$BED_API_TOKEN" | hex)"
	expect_only seed "$2: the deploy key's seed" key
	expect_only text "$2: the deploy key's text"
	expect_only token "$2: the API token" sync
	expect_only upstream "$2: the service's token" upstream
	t_is "$(in_proc_texts "$upstream_token") $(log_has "$upstream_token")" " 0" \
		"$2: which is in no environment, command line or log"
	t_is "$(in_proc_texts "$BED_API_TOKEN")" "" "$2: the API token is in no environment or command line"
	t_is "$(log_has "$BED_API_TOKEN") $(log_has "$pem_line")" "0 0" "$2: neither is in the log"
	t_unlike "$(answers)" "$BED_API_TOKEN" "$2: nor the token in an answer"
	t_is "$(remote_holds)" nothing "$2: git-remote holds nothing, says the process table"
	users=$(printf '%s\n' "${user_of[@]}" | sort -u | wc -l)
	fluxd_stop
}
upstream_token=service-token-$RANDOM$RANDOM$RANDOM
pem_line=$(sed -n '3p' "$BED_SSH_KEY")
over_ssh "a75-$$" "a user for each"
t_is "$((users > 5))" 1 "a user for each: $users users"
with=$FLUXD
fluxd_without_caps
over_ssh "a75u-$$" "one user for all"
t_is "$users" 1 "one user for all: it is so"
FLUXD=$with

# ---- a deploy key that is made while the daemon runs, and one of the start: in
# the one process that signs, once it has been stored, and in no other
mkdir "$T_DIR/account" "$T_DIR/mount"
printf %s "$BED_API_TOKEN" >"$T_DIR/account/token"
cp "$BED_API_CA" "$T_DIR/account/ca.crt"
printf %s "$ns" >"$T_DIR/account/namespace"
key_is_known() { [ -n "$(ctl identity)" ]; }
secret_key() {
	kubectl -n "$ns" get secret flux-git-deploy -o 'jsonpath={.data.identity}' | base64 -d >"$T_DIR/stored"
	pem_line=$(sed -n '3p' "$T_DIR/stored")
	as_stored=$(base64 -w0 "$T_DIR/stored" | cut -c101-160)
}
# MODE: none of it anywhere else, in none of its forms
made_key() {
	secret_key
	scan "seed=$(seed_of "$T_DIR/stored")" "text=$(printf %s "${pem_line:0:32}" | hex)" \
		"stored=$(printf %s "$as_stored" | hex)"
	expect_only seed "$1: the new key's seed" key
	expect_only text "$1: the new key's text"
	expect_only stored "$1: the new key as the Secret has it"
	t_is "$(log_has "$pem_line") $(log_has "${as_stored:0:40}")" "0 0" "$1: it is not in the log"
	t_unlike "$(answers)" "${pem_line:0:32}|$as_stored" "$1: nor in an answer"
	t_is "$(in_proc_texts "${pem_line:0:32}")" "" "$1: it is in no environment or command line"
}
regenerated() { # REPOSITORY MODE
	local first
	kubectl -n "$ns" delete secret flux-git-deploy >/dev/null 2>&1 || true
	kubectl -n "$ns" create secret generic flux-git-deploy >/dev/null
	fluxd_start --git-url="$(bed_repo "$1")" --state-dir="$T_DIR/state-$1" --k8s-secret-volume-mount-path="$T_DIR/mount"
	t_wait "$2: a first key is made" 60 key_is_known
	made_key "$2: at the start"
	first=$(seed_of "$T_DIR/stored")
	ctl identity --regenerate >/dev/null
	made_key "$2: regenerated"
	scan "seed=$first"
	expect_only seed "$2: the seed of the key that was replaced"
	fluxd_stop
}
if unshare -m true 2>/dev/null; then
	fluxd_in_pod
	regenerated "a75k-$$" "a user for each"
	FLUXD=$with
	fluxd_without_caps
	fluxd_in_pod
	regenerated "a75ku-$$" "one user for all"
	FLUXD=$with
else
	t_cannot "a deploy key that is made: no mount namespace here"
fi

# ---- over https: the password
url=$(bed_repo_https "a75s-$$")
commit_something "a75s-$$" "$url"
export SSL_CERT_FILE=$BED_GIT_HTTPS_CA
fluxd_start --git-url="$url"
t_wait "a sync over https ends" 60 tagged "a75s-$$"
basic=$(printf %s "$BED_GIT_HTTPS_USER:$BED_GIT_HTTPS_PASSWORD" | base64 -w0)
scan "password=$(printf %s "$BED_GIT_HTTPS_PASSWORD" | hex)" "basic=$(printf %s "${basic:16}" | hex)"
expect_only password "the git password" git-remote
t_is "$(remote_holds)" "https git password" "which the process table says"
for role in "${roles[@]}"; do
	[ "$role" = git-remote ] || t_is "${found[$role basic]}" 0 "nor as a header in the memory of $role"
done
t_is "$(in_proc_texts "$BED_GIT_HTTPS_PASSWORD")" "" "the password is in no environment or command line"
t_is "$(log_has "$BED_GIT_HTTPS_PASSWORD") $(log_has "${basic:16}")" "0 0" "nor in the log"
t_unlike "$(answers)" "$BED_GIT_HTTPS_PASSWORD|${basic:16}" "nor in an answer"
fluxd_stop

# ---- a client's key in the kubeconfig: its text, its DER and the number itself,
# which libcrypto keeps with the last byte first
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=system:masters/CN=a75 \
	-keyout "$T_DIR/client.key" -out "$T_DIR/client.csr" 2>/dev/null
openssl x509 -req -in "$T_DIR/client.csr" -CA "$BED_DIR/pki/ca.crt" -CAkey "$BED_DIR/pki/ca.key" \
	-CAserial "$T_DIR/serial" -CAcreateserial -days 1 -out "$T_DIR/client.crt" 2>/dev/null
number=$(openssl pkey -in "$T_DIR/client.key" -noout -text | sed -n '/^priv:/,/^pub:/{s/[ :]//g;/^[0-9a-f]*$/p}' | tr -d '\n')
number=${number: -64}
bed_kubeconfig "$T_DIR/kubeconfig" unused
sed -i "s|token: \"unused\"|client-certificate-data: $(base64 -w0 "$T_DIR/client.crt"), \\
	client-key-data: $(base64 -w0 "$T_DIR/client.key")|" "$T_DIR/kubeconfig"
client_key() { # REPOSITORY MODE
	local url what
	url=$(bed_repo "$1")
	commit_something "$1" "$url"
	FLUXD_KUBECONFIG=$T_DIR/kubeconfig fluxd_start --git-url="$url" --state-dir="$T_DIR/state-$1"
	t_wait "$2: a sync with a client's certificate ends" 60 tagged "$1"
	scan "number=$(fold -w2 <<<"$number" | tac | tr -d '\n')" "der=$number" \
		"pem=$(sed -n 2p "$T_DIR/client.key" | hex)" \
		"base64=$(base64 -w0 "$T_DIR/client.key" | cut -c60-120 | tr -d '\n' | hex)"
	expect_only number "$2: the client's key" sync
	for what in der pem base64; do
		for role in "${roles[@]}"; do
			[ "$role" = sync ] || t_is "${found[$role $what]}" 0 "$2: nor as $what in the memory of $role"
		done
	done
	t_is "$(log_has "$(sed -n 2p "$T_DIR/client.key")")" 0 "$2: nor in the log"
	fluxd_stop
}
client_key "a75c-$$" "a user for each"
fluxd_without_caps
client_key "a75cu-$$" "one user for all"
FLUXD=$with

# ---- a password that is refused is not shown by the error
wrong=canary-b1f7c2e09d
fluxd_start --git-url="${url/$BED_GIT_HTTPS_PASSWORD/$wrong}" --state-dir="$T_DIR/state-wrong"
has_error() { [ -n "$(answers | jq -r '.errors? // empty | .[]' 2>/dev/null)" ] || fluxd_logged 'git clone --mirror: '; }
t_wait "a wrong password is an error" 60 has_error
t_is "$(log_has "$wrong")" 0 "the log does not show it"
t_unlike "$(answers)" "$wrong" "nor does an answer"
fluxd_stop

# ---- the token of clients
canary=canary-$(head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
echo "$canary" >"$T_DIR/token"
port=$(bed port "$BED_DIR" "secrets-$$")
token_test() { # STATE MODE
	local role
	fluxd_start --git-url="$url" --state-dir="$T_DIR/state-$1" --listen="unix:$T_DIR/fluxd.sock" \
		--listen="127.0.0.1:$port" --listen-token-file="$T_DIR/token"
	for wrong in "" x; do
		FLUX_SERVICE_TOKEN=$canary$wrong FLUX_URL=http://127.0.0.1:$port/api/flux "$FLUXCTL" sandbox >/dev/null 2>&1 || true
	done
	scan "client=$(printf %s "$canary" | hex)"
	expect_only client "$2: the token of clients" api
	t_is "$(in_proc_texts "$canary")" "" "$2: it is in no environment or command line"
	t_is "$(log_has "$canary")" 0 "$2: nor in the log"
	t_unlike "$(answers)" "$canary" "$2: nor in an answer"
	t_is "$(api_get /api/flux/v12/sandbox | jq -r '.[] | select(.role == "api") | .holds')" "token of clients" \
		"$2: the process table says who holds it"
	fluxd_stop
}
token_test token "a user for each"
fluxd_without_caps
token_test tokenu "one user for all"
t_done
