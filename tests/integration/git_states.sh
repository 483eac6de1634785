#!/usr/bin/env bash
# Repositories and sync tags in odd states, with a real git server and the whole
# daemon: empty, rewound, flapping; a tag that is light, leads to no commit, is
# called like the branch, may not be moved, or is accepted and not stored.
# A14 to A16.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

bed_mine states
path=$(repo_path "$repo")
commit() { # VALUE...: a commit with an object of each value; $last is its id
	local i=0
	for value in "$@"; do
		configmap "$work" "c$i" "$ns" "$value"
		i=$((i + 1))
	done
	last=$(repo_commit_all "$work" "$1")
}
push() { bed_git -C "$work" push -qf origin "${1:-HEAD}:refs/heads/master"; }
state_is() { [[ $(repo_state) =~ $1 ]]; }
start() { # ARG...
	mark=0
	[ ! -f "${FLUXD_LOG:-}" ] || mark=$(log_mark)
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h "$@"
}
hook() { # NAME SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >"$path/hooks/$1"
	chmod +x "$path/hooks/$1"
}
set_tag() { git -C "$path" update-ref refs/tags/flux-sync "$1"; }
tag_kind() { git -C "$path" cat-file -t refs/tags/flux-sync; }
synced() { tag_is "$repo" "$last" && value_is "$ns" c0 "$1"; }

# ---- empty, then not
start
t_wait "an empty repository has no branch" 60 state_is "^cloned: configured branch 'master' does not exist"
t_run_fails "nothing can be synced yet" ctl sync --timeout=5s
commit one
push
notify
t_wait "its first commit is synced" 60 synced one

# ---- tags of other kinds; read at a restart
fluxd_stop
first=$last
commit two
push
set_tag "$first"
start
t_wait "a light tag is a marker, too" 60 logged_since "$mark" "old=$first new=$last"
t_wait "and becomes an annotated one" 60 synced two
t_is "$(tag_kind)" tag "which it is"
fluxd_stop
set_tag "$(git -C "$path" rev-parse "$last:c0.yaml")"
start
t_wait "a tag on a file is no marker" 60 logged_since "$mark" "state=\"tag flux-sync\" old= new=$last"
t_wait "and is replaced" 60 synced two
fluxd_stop
set_tag "$(git -C "$path" -c advice.nestedTag=false -c user.name=a -c user.email=a@b tag -a -m x nested "$(git -C "$path" rev-parse refs/tags/flux-sync)" && git -C "$path" rev-parse nested)"
git -C "$path" update-ref -d refs/tags/nested
tag=$(repo_ref "$repo" refs/tags/flux-sync)
start
t_wait "with a tag on a tag" 60 logged_since "$mark" 'event=refreshed'
two=$last
commit three
push
notify
t_wait "the marker is the commit that it leads to, and is moved from there" 60 \
	logged_since "$mark" "state=\"tag flux-sync\" old=$two new=$last"
t_isnt "$(repo_ref "$repo" refs/tags/flux-sync)" "$tag" "by a new one"
fluxd_stop

start --git-sync-tag=master --state-dir="$T_DIR/state-name"
t_wait "a tag may be called like the branch" 60 logged_since "$mark" "state=\"tag master\" old= new=$last"
commit four
push
notify
t_wait "then commits are synced" 60 value_is "$ns" c0 four
t_wait "and the tag moves" 60 logged_since "$mark" "state=\"tag master\" old=[0-9a-f]{40} new=$last"
t_is "$(repo_ref "$repo" refs/heads/master)" "$last" "and the branch stays where it is"
fluxd_stop
git -C "$path" update-ref -d refs/tags/master

# ---- servers that do not take the tag
hook update "case \$1,\$2 in refs/tags/*,0000*) exit 0;; refs/tags/*) [ \$3 = 0000000000000000000000000000000000000000 ] || { echo 'tags cannot be moved by force' >&2; exit 1; };; esac"
start
commit five
push
notify
t_wait "where tags may be made and deleted but not moved, that is done" 60 synced five
t_unlike "$(log_since "$mark")" 'err="pushing tag' "without an error"
rm "$path/hooks/update"

commit six
push
: >"$T_DIR/pushes"
chmod 666 "$T_DIR/pushes"
pushes() { wc -l <"$T_DIR/pushes"; }
pushed() { [ "$(pushes)" -ge "$1" ]; }
loose() { find "$FLUXD_STATE/mirror/repository.git/objects/"?? -type f | wc -l; }
hook pre-receive "date +%s%3N >>$T_DIR/pushes; echo 'quota exceeded' >&2; exit 1"
mark=$(log_mark)
notify
t_wait "A16: a refused push is an error in the server's words" 60 \
	logged_since "$mark" 'err="pushing tag to origin: .*pre-receive hook declined.*quota exceeded'
t_wait "the cluster has the commit all the same" 60 value_is "$ns" c0 six
before=$(loose)
t_wait "it is tried again, and again" 60 pushed 4
# of 1, 2, 4 s; what a slow machine adds to one does not make another shorter
t_is "$(awk 'NR > 1 { if ($1 - last < 950 * 2 ^ (NR - 2)) bad = 1 } { last = $1 } END { print bad + 0 }' "$T_DIR/pushes")" 0 \
	"A16: with pauses that grow"
t_is "$(loose)" "$before" "and without a new tag each time"
rm "$path/hooks/pre-receive"
t_wait "in the end it is taken" 120 tag_is "$repo" "$last"

commit seven
push
: >"$T_DIR/pushes"
hook post-receive "echo x >>$T_DIR/pushes; git update-ref -d refs/tags/flux-sync"
mark=$(log_mark)
notify
t_wait "A16: a push that is accepted and not stored" 60 logged_since "$mark" "state=\"tag flux-sync\" old=[0-9a-f]* new=$last"
for _ in 1 2 3 4 5; do
	mark=$(log_mark)
	notify
	wait_for 10 logged_since "$mark" event=refreshed || true
done
t_is "$(($(pushes) <= 2))" 1 "A16: is not repeated without end"
rm "$path/hooks/post-receive"
commit eight
push
notify
t_wait "A16: and the next one is made from there" 60 synced eight

# ---- history that changes
good=$last
bed_git -C "$work" checkout -q --orphan other
commit other
push
git -C "$path" update-ref -d refs/tags/flux-sync
git -C "$path" -c gc.reflogExpire=now gc -q --prune=now 2>/dev/null
t_run_fails "the server has forgotten the old history" git -C "$path" cat-file -e "$good"
mark=$(log_mark)
notify
t_wait "a history that was replaced and thrown away is followed" 60 synced other
t_run "A14: and logged" logged_since "$mark" "warning=\"the branch was rewound\" branch=refs/heads/master old=$good new=$last refused=false"
fluxd_stop

start --git-refuse-rewind
t_wait "all is well" 60 logged_since "$mark" event=refreshed
good=$last
commit nine
push
notify
t_wait "with --git-refuse-rewind a branch that leads on is followed" 60 synced nine
nine=$last
push "$good"
mark=$(log_mark)
notify
t_wait "A14: a rewound one is not" 60 state_is "^ready: a rewind from ${nine:0:8} to ${good:0:8} is not followed"
t_run "A14: which is logged" logged_since "$mark" "old=$nine new=$good refused=true"
t_run "A14: the cluster keeps the last good state" value_is "$ns" c0 nine
t_run "clients are served" ctl sync
fluxd_stop
start --git-refuse-rewind
t_wait "A14: a restart changes nothing" 60 state_is "^ready: a rewind from ${nine:0:8}"
t_run "A14: nor in the cluster" value_is "$ns" c0 nine
bed_git -C "$work" reset -q --hard "$nine"
commit ten
push
notify
t_wait "A14: what leads on from there is followed again" 60 synced ten
t_wait "and the error is gone" 60 state_is '^ready: $'
fluxd_stop

# ---- a server that shows another head each time: two objects, always of one
# commit
aside() { # NAME: a commit beside the branch's, with both objects
	commit "$1" "$1"
	bed_git -C "$work" push -qf origin "$last:refs/heads/$1"
	bed_git -C "$work" reset -q --hard HEAD~
}
aside right
right=$last
aside still
still=$last
aside left
left=$last
push "$left"
start
t_wait "all is well" 60 value_is "$ns" c0 left
mark=$(log_mark)
for i in 1 2 3 4 5 6 7 8 9 10; do
	git -C "$path" update-ref refs/heads/master "$([ $((i % 2)) = 0 ] && echo "$left" || echo "$right")"
	notify
done
last=$still
git -C "$path" update-ref refs/heads/master "$last"
notify
t_wait "A15: when it stops, its last head is the cluster's" 60 synced still
t_run "A15: whole" value_is "$ns" c1 still
log_since "$mark" | grep 'event="Sync: ' >"$T_DIR/events" || true
t_diag "$(wc -l <"$T_DIR/events") passes had something to tell"
t_is "$(grep -v "no workloads changed" "$T_DIR/events" | grep -vc "configmap/c0, $ns:configmap/c1" || true)" 0 \
	"A15: each pass had both objects of one commit"
t_done
