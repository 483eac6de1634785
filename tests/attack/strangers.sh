#!/usr/bin/env bash
# A11, A17: a git host that is not the one that is known gets nothing from the
# daemon, least of all a look at the key; a URL that is none is refused at start.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

bed_mine strangers
commit one

# ---- A11: an sshd whose log tells of this daemon only
port=$(bed port "$BED_DIR" "strangers-$$")
sed "s/^Port .*/Port $port/; s/^LogLevel .*/LogLevel DEBUG2/" "$BED_DIR/ssh/sshd_config" >"$T_DIR/sshd_config"
"$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$T_DIR/sshd_config" -E "$T_DIR/sshd.log" &
sshd=$!
kill_at_exit "$sshd"
must 60 grep -q 'Server listening' "$T_DIR/sshd.log"
ssh-keygen -q -t ed25519 -N '' -C other -f "$T_DIR/other"
real=$(sed -n "s/:$BED_SSH_PORT/:$port/p" "$BED_KNOWN_HOSTS")
print=$(ssh-keygen -lf "$BED_DIR/ssh/host/ed25519.pub" | cut -d' ' -f2)
offers() { grep -ciE 'userauth|publickey' "$T_DIR/sshd.log" || true; }
errors() { api_post /api/flux/v9/git-repo-config false | jq -r .errors; }

fluxd_start --git-url="${url/:$BED_SSH_PORT/:$port}" --git-poll-interval=1h # knows another port only
t_wait "A11: an unknown host is an error" 60 fluxd_logged 'err="git clone --mirror: .*No ED25519 host key is known'
t_run "A11: its fingerprint is logged" fluxd_logged "${print//+/\\+}"
t_like "$(errors)" 'Host key verification failed' "A11: clients see what failed"
t_isnt "$(grep -c 'Connection from' "$T_DIR/sshd.log")" 0 "A11: the server was reached (control)"
t_is "$(offers)" 0 "A11: and was offered no key"

echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$T_DIR/other.pub")" >"$FLUXD_HOME/.ssh/known_hosts"
mark=$(log_mark)
kill -HUP "$FLUXD_PID"
t_wait "A11: a changed key is an error" 60 logged_since "$mark" 'REMOTE HOST IDENTIFICATION HAS CHANGED'
t_is "$(offers)" 0 "A11: nor is a key offered to one that changed"

echo "$real" >"$FLUXD_HOME/.ssh/known_hosts"
kill -HUP "$FLUXD_PID"
t_wait "known hosts are read again, and all is well" 60 tag_is "$repo" "$last"
t_isnt "$(offers)" 0 "now a key is offered (control)"
fluxd_stop

# ---- A17
cd "$T_DIR" # where what a shell would make could be seen
for bad in 'git@h:$(touch pwned)' 'git@h:`touch pwned`' "git@h:a'b" 'ssh://-oProxyCommand=touch%20pwned/x' \
	'git@-oProxyCommand=x:y' 'ssh://h/a%0ab' 'ext::sh -c touch% pwned' 'ssh://h:99999/x' $'git@h:a\nb'; do
	mark=$(log_mark)
	fluxd_launch --git-url="$bad" --state-dir="$T_DIR/state-urls"
	if fluxd_wait 60; then
		t_isnt "$FLUXD_STATUS" 0 "A17: ${bad@Q} is refused at start"
	else
		t_fail "A17: ${bad@Q} is refused at start"
		fluxd_stop || true
	fi
	t_like "$(log_since "$mark")" ' err="--git-url: ' "A17: with a reason"
done
t_is "$(find . -name '*pwned*')" "" "A17: and nothing was run"
t_done
