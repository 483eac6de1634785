#!/usr/bin/env bash
# A11 to A13: ssh servers that are not who they should be, that speak nonsense
# and that know weak algorithms only, against the git worker inside its sandbox.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -x "$python" ] || t_skip_all "needs $python"
bed_require ssh
lag_start
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git

run() { # URL KNOWN_HOSTS COMMAND...
	local url=$1 known=$2
	shift 2
	mkdir -p "$T_DIR/mirror"
	"$drive" "$git" remote git-url="$url" mirror-dir="$T_DIR/mirror" \
		known="$known" key="$BED_SSH_KEY" -- "$@" 2>&1
}

url=$(bed_repo "a11-$$")
name="[127.0.0.1]:$BED_SSH_PORT"
print=$(ssh-keygen -lf "$BED_DIR/ssh/host/ed25519.pub" | cut -d' ' -f2)

: >"$T_DIR/known"
out=$(run "$url" "$T_DIR/known" "fetch 60000" counts)
t_like "$out" "denied text=No ED25519 host key is known for .*strict checking" \
	"A11: an unknown host is refused in ssh's words"
t_like "$out" "Host key verification failed." "A11: which say what failed"
t_like "$out" "${print//+/\\+}" "A11: with the fingerprint"
t_like "$out" 'signs=0' "A11: and no key was offered"

ssh-keygen -q -t ed25519 -N '' -C other -f "$T_DIR/other"
echo "$name $(cut -d' ' -f1,2 "$T_DIR/other.pub")" >"$T_DIR/known"
out=$(run "$url" "$T_DIR/known" "fetch 60000" counts)
t_like "$out" 'denied text=REMOTE HOST IDENTIFICATION HAS CHANGED!' "A11: a changed key is refused"
t_like "$out" 'signs=0' "A11: and no key was offered"

{
	cat "$BED_KNOWN_HOSTS"
	sed 's/^/@revoked /' "$BED_KNOWN_HOSTS"
} >"$T_DIR/known"
out=$(run "$url" "$T_DIR/known" "fetch 60000" counts)
t_like "$out" 'denied text=The ED25519 host key for .* is marked as revoked' \
	"A11: a revoked key is refused"
t_like "$out" 'signs=0' "A11: and no key was offered"

grep ecdsa "$BED_KNOWN_HOSTS" >"$T_DIR/known"
out=$(run "$url" "$T_DIR/known" "fetch 60000")
t_like "$out" 'fetched fetched' "a host known by its ecdsa key only is asked for that one"
cp "$BED_KNOWN_HOSTS" "$T_DIR/known"
ssh-keygen -q -H -f "$T_DIR/known" >/dev/null 2>&1
out=$(run "$url" "$T_DIR/known" "fetch 60000")
t_like "$out" 'fetched fetched' "hashed names are found"

for trick in silent banner-only length-max length-0 padding list-length old text endless-banner; do
	rm -f "$T_DIR/port"
	"$python" "$attack_dir/ssh_server.py" "$T_DIR/port" "$trick" &
	server=$!
	kill_at_exit "$server"
	must 60 test -s "$T_DIR/port"
	began=$(now_us)
	out=$(run "ssh://git@127.0.0.1:$(cat "$T_DIR/port")/x" "$BED_KNOWN_HOSTS" \
		"fetch 1500" "check-write 500")
	t_like "$out" 'failed code=.*failed code=' "A12: $trick is an error, and the worker goes on"
	took=$(sed -n 's/.* ms=\([0-9]*\).*/\1/p' <<<"$out" | sort -n | tail -1)
	lag=$(lag_since "$began")
	if [ "$took" -lt $((2000 + lag)) ]; then
		t_ok "A12: $trick keeps the deadline"
	else
		t_fail "A12: $trick keeps the deadline" "$took ms, the machine was late by $lag: $out"
	fi
	kill "$server"
done

# A13: what is switched off here must not be had by asking
servers=0
weak() { # NAME OPTION...: a second sshd that knows nothing better
	local what=$1 port pid out
	shift
	servers=$((servers + 1))
	port=$(bed port "$BED_DIR" "a11-$$-$servers")
	{
		grep -v '^Port\|^KexAlg\|^Ciphers\|^MACs\|^HostKey' "$BED_DIR/ssh/sshd_config"
		echo "Port $port"
		echo "HostKey $BED_DIR/ssh/host/ed25519"
		[[ $* != *ssh-rsa* ]] || echo "HostKey $BED_DIR/ssh/host/rsa"
		printf '%s\n' "$@"
	} >"$T_DIR/sshd_config"
	"$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$T_DIR/sshd_config" >"$T_DIR/sshd.log" 2>&1 &
	pid=$!
	kill_at_exit "$pid"
	must 60 grep -q 'Server listening' "$T_DIR/sshd.log"
	sed "s/:$BED_SSH_PORT/:$port/" "$BED_KNOWN_HOSTS" >"$T_DIR/known"
	out=$(run "${url/:$BED_SSH_PORT/:$port}" "$T_DIR/known" "fetch 60000" counts)
	t_like "$out" 'denied text=ssh: no algorithm that is allowed' "A13: $what is refused"
	t_like "$out" 'signs=0' "A13: $what gets no signature"
	kill "$pid"
}
weak "SHA-1 key exchange" "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"
weak "CBC" "Ciphers aes128-cbc,3des-cbc"
weak "SHA-1 MAC" "MACs hmac-sha1" "Ciphers aes128-ctr"
weak "an RSA host key by SHA-1" "HostKeyAlgorithms ssh-rsa"
t_done
