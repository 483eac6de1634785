#!/usr/bin/env bash
# A03, A09, A10 by http, A12, A13 by ssh: the servers of a01_git_server.sh and
# a11_ssh_server.sh against the whole daemon.  Each time clients and the log are
# told, in one clean line; nobody else is sent the password or offered the key;
# the mirror stays in use; and the next fetch from a good server is a good one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -x "$python" ] || t_skip_all "needs $python"
bed_require ssh
secret=canary-$RANDOM$RANDOM

fluxd_without_cluster
repo=a03-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
commit() {
	last=$(repo_commit_all "$work" "commit $RANDOM")
	repo_push "$work"
}
errors() { api_post /api/flux/v9/git-repo-config false | jq -r .errors; }
shown() { [[ $(errors) =~ $1 ]]; }
start() { # LOG ARG...
	FLUXD_LOG=$T_DIR/$1.log
	: >"$FLUXD_LOG"
	shift
	fluxd_start --git-poll-interval=1h --sync-interval=1h "$@"
}
# The state of git-remote: is there one, and which.
remote() { ctl sandbox --no-headers | awk '$1 == "git-remote" { print $4, $3 }'; }
remote_runs() { [[ $(remote) == "running "* ]]; }

# harms NAME REGEX [ended]: with the bad server in place a fetch fails, in these
# words; then with a good one it works.  A typed error costs the worker nothing.
harms() {
	local mark was
	must 60 remote_runs
	was=$(remote)
	mark=$(log_mark)
	bad
	notify
	t_wait "$1: is an error in the log" 60 logged_since "$mark" "err=\"git (fetch|clone --mirror): .*$2"
	t_wait "$1: and to clients" 60 shown "$2"
	t_wait "$1: the worker is there" 60 remote_runs
	[ "${3:-}" = ended ] || t_is "$(remote)" "$was" "$1: and is the one that it was"
	commit
	good
	mark=$(log_mark)
	notify
	t_wait "$1: the next good fetch works" 60 logged_since "$mark" "event=refreshed .*HEAD=$last"
}

# ---- by http
serve() { # NAME ARG...: one of git_server.py; its port is in $T_DIR/NAME.port
	: >"$T_DIR/$1.record"
	"$python" "$attack_dir/git_server.py" "$T_DIR/$1.port" "$T_DIR/$1.record" "${@:2}" &
	kill_at_exit $!
	must 60 test -s "$T_DIR/$1.port"
}
serve elsewhere
serve live "$(repo_path "$repo")" "$T_DIR/trick"
elsewhere=$(cat "$T_DIR/elsewhere.port")
trick=
bad() { echo "$trick" >"$T_DIR/trick"; }
good() { echo good >"$T_DIR/trick"; }

cd "$T_DIR" # where what a shell would make could be seen
trick=line:length-1
bad
start http --git-url="http://user:$secret@127.0.0.1:$(cat "$T_DIR/live.port")/live/$repo.git"
harms "A03: a pkt-line of length 1, at the first clone" "the server does not speak git's protocol"
for trick in line:length-3 line:length-max line:no-hex; do
	harms "A03: a pkt-line with ${trick#line:}" "the server does not speak git's protocol"
done
trick=line:err
harms "A03: an ERR line with escapes" 'remote: go.{1,2}x1b\[2J away ts=1 forged=yes'
for to in host "$elsewhere" file ssh ext other loop; do
	trick=redirect:$to
	harms "A09, A10: a redirect to ${to/$elsewhere/another port}" 'redirects (to another place|without end)'
done
t_is "$(grep -c elsewhere "$T_DIR/live.record")" 0 "A09: the other name of the host is not asked"
t_is "$(cat "$T_DIR/elsewhere.record")" "" "A09: nor is the other port"
t_isnt "$(grep -c 'authorization=yes' "$T_DIR/live.record")" 0 "the password was given to the server itself (control)"
t_is "$(find . -name pwned)" "" "A10: nothing was run"
fluxd_stop
t_is "$(grep -c "$secret" "$FLUXD_LOG")" 0 "the password is in no line of the log"
t_is "$("$python" "$attack_dir/logcheck.py" fmt "$FLUXD_LOG" forged)" "" "A03: every record is the daemon's own"

# ---- by ssh
port=$(bed port "$BED_DIR" "a03-$$")
server=
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
away() { # the listener and the sessions it still has
	[ -z "$server" ] || kill $server $(children_of "$server") 2>/dev/null || true
	[ -z "$server" ] || wait "$server" 2>/dev/null || true
	server=
}
at_exit away
real_sshd() { # OPTION...: on our port, known by the host's own keys
	away
	{
		grep -v '^Port\|^LogLevel\|^KexAlg\|^Ciphers\|^MACs\|^HostKey' "$BED_DIR/ssh/sshd_config"
		echo "Port $port"
		echo "LogLevel DEBUG2"
		echo "HostKey $BED_DIR/ssh/host/ed25519"
		[[ $* != *ssh-rsa* ]] || echo "HostKey $BED_DIR/ssh/host/rsa"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$T_DIR/sshd_config"
	: >"$T_DIR/sshd.log"
	"$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$T_DIR/sshd_config" -E "$T_DIR/sshd.log" &
	server=$!
	must 60 grep -q 'Server listening' "$T_DIR/sshd.log"
}
offers() { grep -ciE 'userauth|publickey' "$T_DIR/sshd.log" || true; }
good() { real_sshd; }

commit
good
sed "s/:$BED_SSH_PORT/:$port/" "$BED_KNOWN_HOSTS" >"$FLUXD_HOME/.ssh/known_hosts"
start ssh --state-dir="$T_DIR/state-ssh" --git-url="${url/:$BED_SSH_PORT/:$port}"
t_wait "by ssh all is well at first" 60 fluxd_logged "event=refreshed .*HEAD=$last"
t_isnt "$(offers)" 0 "and the key was offered (control)"
bad() {
	away
	"$python" "$attack_dir/ssh_server.py" "$T_DIR/ssh.port" "$trick" "$port" &
	server=$!
	must 60 listens
}
for trick in length-max length-0 padding list-length old text endless-banner; do
	harms "A12: $trick" '.' ended
done
weak() { # NAME OPTION...
	local options=("${@:2}")
	bad() { real_sshd "${options[@]}"; }
	good() {
		t_is "$(offers)" 0 "A13: $what gets no look at the key"
		real_sshd
	}
	what=$1
	harms "A13: $1" 'ssh: no algorithm that is allowed'
}
weak "SHA-1 key exchange" "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"
weak "CBC" "Ciphers aes128-cbc,3des-cbc"
weak "SHA-1 MAC" "MACs hmac-sha1" "Ciphers aes128-ctr"
weak "an RSA host key by SHA-1" "HostKeyAlgorithms ssh-rsa"
t_done
