#!/usr/bin/env bash
# The git configuration as clients are shown it: each form of URL, without its
# password, with the state of the repository and why it is not ready.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

config() { api_post /api/flux/v9/git-repo-config "${1:-false}"; }
show() { config | jq -r "$@"; }
# what probes ask: an answer in every state, and at once
probe() { # WANT NAME
	local begun got ms
	begun=$(now_us)
	got=$(fluxd_curl -H 'Accept: */*' -w ' %{http_code}' --max-time 60 "$(fluxd_url)/api/flux/v6/identity.pub")
	ms=$((($(now_us) - begun) / 1000))
	t_is "$got" "$1 200" "probes have an answer $2"
	t_run "at once: $ms ms" [ "$ms" -le $((2000 + $(lag_since "$begun"))) ]
}
lag_start
begin() { # URL ARG...
	local u=$1
	shift
	rm -rf "$T_DIR/state-url"
	mkdir "$T_DIR/state-url"
	fluxd_start --git-url="$u" --state-dir="$T_DIR/state-url" --git-timeout=1s "$@"
}

mkdir "$T_DIR/local"
# configured, shown; an own table, as the tests of the parser have it
while read -r configured shown; do
	[ "$configured" != - ] || configured=
	begin "$configured"
	t_is "$(show .remote.url)" "$shown" "the URL \"$configured\" is shown as $shown"
	t_unlike "$(config)" 'sekret' "without its password"
	fluxd_stop
done <<TXT
git@127.0.0.1:shop/conf ssh://git@127.0.0.1/shop/conf
git@127.0.0.1:/abs/p ssh://git@127.0.0.1/abs/p
ssh://git@127.0.0.1:2/a/b.git ssh://git@127.0.0.1:2/a/b.git
https://u:sekret@127.0.0.1:2/a/b.git https://u@127.0.0.1:2/a/b.git
127.0.0.1:a/b ssh://127.0.0.1/a/b
$T_DIR/local file://$T_DIR/local
- file:
TXT

warning="the user name in --git-url is shown"
t_run "a token in the place of the password is not warned of" [ "$(grep -c "$warning" "$FLUXD_LOG")" = 0 ]
begin https://token@127.0.0.1:2/a/b.git
t_wait "one in the place of the user's name is" 30 fluxd_logged "$warning"
fluxd_stop

# ---- states
begin ""
t_is "$(config)" '{"remote":{"url":"file:","branch":"master","path":""},"publicSSHKey":{"key":"","fingerprints":null},"status":"unconfigured","errors":"git repo has not been cloned yet"}' \
	"without a repository nothing is configured"
t_is "$(config true)" "$(config)" "and making a new key is nothing to do"
probe '{"key":"","fingerprints":null}' "without a repository"
fluxd_stop
begin ssh://git@127.0.0.1:1/a/b --git-path=apps,infra --git-branch=live
is_new() { [[ $(show '"\(.status): \(.errors)"') == "new: git clone --mirror: "* ]]; }
t_wait "a server that does not answer: it is new, and why is said" 60 is_new
t_is "$(show '"\(.remote.branch) \(.remote.path)"')" "live apps,infra" "the branch and the paths are shown"
t_is "$(show '.publicSSHKey.key' | cut -d' ' -f1,2)" "$(cut -d' ' -f1,2 "$BED_SSH_KEY.pub")" "so is the deploy key"
t_is "$(show '.publicSSHKey.fingerprints | keys | join(" ")')" "md5 sha256" "with both fingerprints"
t_is "$(show .publicSSHKey.fingerprints.sha256.hash)" \
	"$(ssh-keygen -l -E sha256 -f "$BED_SSH_KEY.pub" | sed 's/^[^:]*:\([^ ]*\).*/\1/')" "as ssh-keygen has them"
for kind in md5 sha256; do
	t_is "$(config | jq -c ".publicSSHKey.fingerprints.$kind | [keys, .randomart]")" \
		"$(ssh-keygen -lv -E $kind -f "$BED_SSH_KEY.pub" | sed 1d | jq -Rsc '[["hash", "randomart"], .]')" "with the picture of $kind"
done
probe "$(show .publicSSHKey -c)" "where it is new"
fluxd_stop
begin ssh://git@no-such-host.invalid/a/b --git-timeout=60s
is_unreachable() { [ "$(show .status)" = unreachable ]; }
t_wait "a host that nobody knows is unreachable" 60 is_unreachable
probe "$(show .publicSSHKey -c)" "where it is unreachable"
fluxd_stop

repo=config-$$
url=$(bed_repo "$repo")
repo_clone "$url" "$T_DIR/work"
bed_git -C "$T_DIR/work" commit -q --allow-empty -m one
repo_push "$T_DIR/work"
begin "$url" --git-timeout=20s --git-branch=other
is_cloned() { [ "$(show '"\(.status): \(.errors)"')" = "cloned: configured branch 'other' does not exist" ]; }
t_wait "without the branch it is cloned, and why it is no more" 60 is_cloned
fluxd_stop
begin "$url" --git-timeout=20s
is_ready() { [ "$(show '"\(.status): \(.errors)"')" = "ready: " ]; }
t_wait "in the end it is ready" 60 is_ready
t_is "$(api_status POST /api/flux/v9/git-repo-config '"x"')" 400 "what is no boolean is an error"
t_is "$(config '"x"' 2>/dev/null | grep -c publicSSHKey)" 0 "without what follows it upstream"
probe "$(show .publicSSHKey -c)" "that is the same where it is ready"
t_is "$(api_status POST /api/flux/v9/git-repo-config null)" 200 "null counts as false"
t_done
