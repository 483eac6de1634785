#!/usr/bin/env bash
# Which commits are not applied yet, as clients ask: every kind of revision, a
# branch that is not the server's default, a path, a repository that was never
# synced, one that is not there; and what notifications of changes set off.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

ns=$(bed_namespace status)
repo=status-$$
url=$(bed_repo "$repo")
path=$(repo_path "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
mkdir "$work/apps"
commit() { # VALUE: a commit that changes the one object; $last is its id
	configmap "$work/apps" c "$ns" "$1"
	last=$(repo_commit_all "$work" "$1")
}
beside() { # TEXT: a commit that touches nothing of the path
	echo "$1" >"$work/README"
	last=$(repo_commit_all "$work" "$1")
}
# The configured branch is not the one that HEAD of the server leads to.
push() { bed_git -C "$work" push -qf "$path" HEAD:refs/heads/live; }
notify() { # [SOURCE]
	api_status POST /api/flux/v11/notify "{\"Kind\":\"git\",\"Source\":${1:-{\}}}"
}
status() { api_get "/api/flux/v6/sync?ref=$1"; }
status_is() { [ "$(status "$1")" = "$2" ]; }
failure() { # REF: "status error"
	fluxd_curl --max-time 60 -H 'Accept: application/json' -w '\n%{http_code}' \
		-G --data-urlencode "ref=$1" "$(fluxd_url)/api/flux/v6/sync" |
		jq -rs '"\(.[1]) \(.[0].error)"'
}
list() { jq -cn '$ARGS.positional' --args -- "$@"; }
hold() { # nobody moves the tag: what was applied is not yet synced
	printf '#!/bin/sh\ncase $1 in refs/tags/*) exit 1;; esac\n' >"$path/hooks/update"
	chmod +x "$path/hooks/update"
}
release() { rm "$path/hooks/update"; }
start() { # ARG...
	fluxd_start --git-branch=live --git-path=apps --git-poll-interval=1h --sync-interval=1h "$@"
}

# ---- no repository, one that is not there
start --git-url=
t_is "$(failure HEAD)" "422 git repo does not have valid config" "without a repository it is an error"
t_is "$(notify)" 202 "a notification is accepted all the same"
fluxd_stop
start --git-url=ssh://git@127.0.0.1:1/a/b --state-dir="$T_DIR/state-none"
not_ready() { [[ $(failure HEAD) == "422 git repo not ready: git clone --mirror: "* ]]; }
t_wait "a repository that cannot be reached is not ready, and the cause is said" 30 not_ready
fluxd_stop

# ---- never synced: everything is pending
bed_git -C "$work" commit -q --allow-empty -m base
push
bed_git -C "$work" push -qf "$path" HEAD:refs/heads/master
commit one
one=$last
commit two
two=$last
push
hold
start --git-url="$url"
t_wait "what was never synced is pending, although it is applied" 20 status_is "$two" "$(list "$two" "$one")"
t_wait "(the cluster has it)" 20 value_is "$ns" c two
t_is "$(status "$two")" "$(list "$two" "$one")" "as long as the marker does not say so"
release
# tried again after as long as it has failed, at most
t_wait "with the marker nothing is pending" 120 status_is "$two" '[]'
t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$two" "which is there"

# ---- revisions
t_is "$(status "$one")" '[]' "an ancestor of what is synced is"
t_is "$(status "${one:0:7}")" '[]' "in seven digits, too"
t_is "$(status "$(tr a-f A-F <<<"$two")")" '[]' "and in capitals"
hold
commit three
three=$last
push
t_is "$(failure "$three")" "422 fatal: Invalid revision range $two..$three, full output:
 fatal: Invalid revision range $two..$three" "a commit that nobody has fetched is an error in git's words"
t_is "$(failure "${three:0:7}")" "422 fatal: bad revision '$two..${three:0:7}', full output:
 fatal: bad revision '$two..${three:0:7}'" "with other ones for a short name"
job=$(api_post /api/flux/v9/update-manifests '{"type":"sync","spec":{}}' | jq -r .)
done_with() { [ "$(api_get "/api/flux/v6/jobs?id=$job" | jq -r '.StatusString + .Result.revision')" = "succeeded$1" ]; }
t_wait "a sync job reports it" 30 done_with "$three"
t_is "$(status "${three:0:7}")" "$(list "$three")" "and from then on it is pending, not unknown"
commit four
four=$last
push
notify >/dev/null
t_wait "one after it, too; the newest first" 20 status_is "$four" "$(list "$four" "$three")"
t_is "$(status "$three")" "$(list "$three")" "up to the one that is asked for"
t_is "$(status HEAD)" "$(list "$four" "$three")" "HEAD is the head of the configured branch"
t_is "$(status '')" "$(list "$four" "$three")" "so is no name at all"
t_is "$(status live)" "$(list "$four" "$three")" "the branch has a name"
t_is "$(status 'live~1')" "$(list "$three")" "and git's ways to name what is behind it"
for bad in 'no such' '--all' 'a..b' '@{u}' ':/x' "$(printf '\001')"; do
	t_like "$(failure "$bad")" "^422 fatal: bad revision '$two\.\." "what is no revision is none: $bad"
done
release
t_wait "the marker follows" 120 status_is "$four" '[]'

# ---- a pass under way: what is pending is not said before it must be
printf '#!/bin/sh\ncase $1 in refs/tags/*) until [ -e %s ]; do sleep 0.02; done;; esac\n' \
	"$T_DIR/gate" >"$path/hooks/update"
chmod +x "$path/hooks/update"
fives=() # the newest first
to_the_gate() { # VALUE: a commit that is applied, but for its marker
	rm -f "$T_DIR/gate"
	commit "$1"
	fives=("$last" "${fives[@]}")
	push
	notify >/dev/null
}
to_the_gate five
t_wait "a pass is about to move the marker" 30 value_is "$ns" c five
since=$(now_us)
t_is "$(status "$last")" "$(list "$last")" "until it has, the commit is pending"
took=$((($(now_us) - since) / 1000))
# not at once, and not with the end of the pass, which takes the gate or 20 s
t_run "which is said after a second: $took ms" [ $((took >= 1000 && took < 10000)) = 1 ]
ask_and_open() { # was the question's second not over before the pass?
	local asked began
	began=$(now_us)
	status "$last" >"$T_DIR/answer" &
	asked=$!
	read -rt 0.2 <> <(:) || true
	touch "$T_DIR/gate"
	wait "$asked"
	took=$((($(now_us) - began) / 1000))
	[ "$took" -lt 1000 ]
}
# Where the machine was too slow for that nothing is said about it: another pass.
for ((i = 0; i < 20; i++)); do
	if ask_and_open; then break; fi
	must 30 status_is "$last" '[]'
	to_the_gate "five-$i"
	must 30 value_is "$ns" c "five-$i"
done
t_run "or else what it has come to, at once: $took ms" [ "$took" -lt 1000 ]
t_is "$(cat "$T_DIR/answer")" '[]' "which is that nothing is"

# ---- commits that touch nothing of the path
hold
beside elsewhere
push
notify >/dev/null
is_head() { fluxd_logged "event=refreshed url=[^ ]* branch=live HEAD=$1"; }
t_wait "a commit beside the path is fetched" 30 is_head "$last"
t_is "$(status "$last")" '[]' "and nothing of it is pending"

# ---- a marker that is on no branch any more
fluxd_stop # while the marker is held, for it would move it again
git -C "$path" update-ref refs/tags/flux-sync "$(bed_git -C "$path" commit-tree -m gone "$four^{tree}")"
mark=$(log_mark)
start --git-url="$url"
t_wait "a marker that was moved elsewhere" 30 logged_since "$mark" "HEAD=$last"
t_is "$(status "$last")" "$(list "${fives[@]}" "$four" "$three" "$two" "$one")" "has everything pending that is not below it"
release
t_wait "until it is moved back" 120 status_is "$last" '[]'

# ---- the worker that knows dies
kill -KILL "$(role_pid git-local)"
t_is "$(status "$four")" '[]' "while git-local is started anew the answer is waited for"
until rm -rf "$FLUXD_STATE/mirror/repository.git" 2>/dev/null; do :; done
t_is "$(status "$four")" '[]' "so it is while the mirror is made anew"

# ---- notifications
fetched() { [ "$(grep -c "HEAD=$1" "$FLUXD_LOG")" -ge 1 ]; }
notified() { # SOURCE NAME: it makes a new commit known
	beside "$2"
	push
	t_is "$(notify "$1")" 202 "$2: accepted"
	t_wait "$2: fetched" 30 fetched "$last"
}
bare=${url#ssh://}
host=${bare%%/*}
notified "{\"URL\":\"$url\",\"Branch\":\"live\"}" "the repository and its branch"
notified "{\"URL\":\"https://${host#*@}/${bare#*/}\",\"Branch\":\"live\"}" "the same by another way"
notified "{\"url\":\"\",\"branch\":\"\"}" "empty fields"
notified '{}' "no fields"
notified '{"URL":"git@elsewhere.example.org:a/b","Branch":"other"}' "another repository"
mark=$(log_mark)
t_is "$(notify "{\"URL\":\"$url\",\"Branch\":\"other\"}")" 202 "another branch: accepted"
t_run "another branch: logged" logged_since "$mark" \
	"msg=\"notified about unrelated change\" url=$url branch=other"
t_is "$(api_status POST /api/flux/v11/notify '{"Kind":"image","Source":{"Name":{"Domain":"r.example.org","Image":"a/b"}}}')" \
	202 "an image: accepted"
for i in $(seq 120); do # upstream hangs at the 101st
	echo "{\"Kind\":\"image\",\"Source\":{\"Name\":{\"Domain\":\"r.example.org\",\"Image\":\"a/$i\"}}}"
done >"$T_DIR/images"
many() {
	local line
	while read -r line; do
		[ "$(api_status POST /api/flux/v11/notify "$line")" = 202 ] || return 1
	done <"$T_DIR/images"
}
t_run "as many of them as there may be" many
t_is "$(api_status POST /api/flux/v11/notify '{"Kind":"zz","Source":{}}')" 400 "an unknown kind is not"
t_is "$(api_status POST /api/flux/v11/notify '{"Kind":"git"}')" 400 "nor is a change without a source"
t_done
