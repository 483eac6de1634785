#!/usr/bin/env bash
# A75: secrets are in the memory of the one process that needs them and nowhere
# else: not in another process (freed memory included), an environment, a
# command line, the log, a metric or an answer.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
[ "$(id -u)" -eq 0 ] || t_skip_all "reads the memory of other processes: root only"
bed_require api ssh https
scan=$(dirname "$0")/memscan.py
python=/usr/bin/python3

hex() { od -An -v -tx1 | tr -d ' \n'; }
# The seed: the first 32 bytes of the 64 at the end of an ed25519 key file.
seed_of() {
	sed '/^-/d' "$1" | base64 -d | $python -c '
import sys
d = sys.stdin.buffer.read()
i = d.rindex(b"\x00\x00\x00\x40")
print(d[i + 4:i + 36].hex())'
}

declare -A pid_of
processes() {
	local role instance pid rest
	while read -r role instance pid rest; do
		pid_of[$role]=$pid
	done < <(FLUX_URL=unix://${FLUXD_LISTEN#unix:} "$FLUXCTL" sandbox --no-headers)
}
found() { # ROLE NAME=HEX
	$python "$scan" "${pid_of[$1]}" "$2" | cut -d' ' -f2
}
all_roles() { printf '%s\n' "${!pid_of[@]}" | sort; }

expect_only() { # WHAT HEX ROLE...: found there, and nowhere else
	local what=$1 pattern=$2 role n
	shift 2
	for role in $(all_roles); do
		n=$(found "$role" "s=$pattern")
		if [[ " $* " == *" $role "* ]]; then
			t_isnt "$n" 0 "$what is in the memory of $role (control)"
		else
			t_is "$n" 0 "$what is not in the memory of $role"
		fi
	done
}
in_proc_texts() { # TEXT: in an environment or a command line of ours
	local role
	for role in $(all_roles); do
		tr '\0' '\n' <"/proc/${pid_of[$role]}/environ" | grep -F -- "$1" || true
		tr '\0' '\n' <"/proc/${pid_of[$role]}/cmdline" | grep -F -- "$1" || true
	done
}

commit_something() { # URL
	local work=$T_DIR/work-$RANDOM
	repo_clone "$1" "$work"
	cat >"$work/c.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: a75, namespace: $ns}
		data: {n: "$RANDOM"}
	YAML
	repo_commit_all "$work" "$RANDOM" >/dev/null
	repo_push "$work"
}
tagged() { [ -n "$(repo_ref "$1" refs/tags/flux-sync)" ]; }
log_has() { grep -cF -- "$1" "$FLUXD_LOG" || true; }

ns=$(bed_namespace a75)

# ---- over ssh: deploy key and API token
url=$(bed_repo "a75-$$")
commit_something "$url"
fluxd_start --git-url="$url"
t_wait "a sync over ssh ends" 30 tagged "a75-$$"
processes
pem_line=$(sed -n '3p' "$BED_SSH_KEY")
expect_only "the deploy key's seed" "$(seed_of "$BED_SSH_KEY")" key
expect_only "the deploy key's text" "$(printf %s "$pem_line" | hex)"
expect_only "the API token" "$(printf %s "$BED_API_TOKEN" | hex)" sync
t_is "$(in_proc_texts "$BED_API_TOKEN")" "" "the API token is in no environment or command line"
t_is "$(log_has "$BED_API_TOKEN")$(log_has "$pem_line")" 00 "neither is in the log"
fluxd_stop

# ---- over https: the password
url=$(bed_repo_https "a75s-$$")
commit_something "$url"
export SSL_CERT_FILE=$BED_GIT_HTTPS_CA
fluxd_start --git-url="$url"
t_wait "a sync over https ends" 30 tagged "a75s-$$"
processes
expect_only "the git password" "$(printf %s "$BED_GIT_HTTPS_PASSWORD" | hex)" git-remote
t_is "$(in_proc_texts "$BED_GIT_HTTPS_PASSWORD")" "" "the password is in no environment or command line"
t_is "$(log_has "$BED_GIT_HTTPS_PASSWORD")" 0 "nor in the log"
answers=$(api_get /metrics; api_post /api/flux/v9/git-repo-config false; api_get /api/flux/v12/sandbox)
t_unlike "$answers" "$BED_GIT_HTTPS_PASSWORD" "nor in an answer"
fluxd_stop
t_done
