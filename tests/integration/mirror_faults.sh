#!/usr/bin/env bash
# The mirror is a cache: deleted, damaged, locked by somebody who died, on a full
# disk, at any time.  The daemon says what happened, loses nothing, and is right
# again by itself.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

bed_mine mirror
synced() { tag_is "$repo" "$last" && value_is "$ns" c "$1"; }
converges() { # VALUE NAME: a commit after the fault
	commit "$1"
	notify
	if ! wait_for 60 synced "$1"; then
		t_fail "$2" "$(log_since "$mark" | grep -E 'err=|warning=')"
		return
	fi
	t_ok "$2"
}
FLUXD_STATE=$T_DIR/state
mirror=$FLUXD_STATE/mirror/repository.git
start() { fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h "$@"; }
rubbish() { # locks, halves of packs, other mirrors
	find "$FLUXD_STATE/mirror" -name '*.lock' -o -name 'tmp_*' -o -name 'pack_git2_*' \
		-o -name repository.new -o -name 'set-aside*' -o -name damaged
}
# while somebody writes into it, it may take more than one try
wipe() { until rm -rf "$@" 2>/dev/null; do :; done; }
in_place() { # COMMAND...: what it makes stands where the mirror was
	until wipe "$mirror" && "$@" "$mirror" 2>/dev/null; do :; done
}
tidy() { [ -z "$(rubbish)" ]; }

commit one
start
t_wait "all is well" 30 synced one

# ---- deleted and damaged, while it runs
mark=$(log_mark)
wipe "$mirror"
converges two "a mirror that was deleted is made again"
wipe "$FLUXD_STATE/mirror"/*
converges three "so is all of its directory"
wipe "$FLUXD_STATE/mirror"
converges three-and-a-half "and the directory itself"
t_run "whose workers start over, which is said" logged_since "$mark" \
	"err=\"the mirror's directory was removed; starting over\""
until find "$mirror/objects" -type f -delete 2>/dev/null; do :; done
converges four "one without objects is made again"
for f in "$mirror"/objects/pack/*.pack; do
	chmod u+w "$f" 2>/dev/null || continue
	dd if=/dev/zero of="$f" bs=1 seek=12 count=64 conv=notrunc status=none
done
converges five "one whose pack is not what it was"
wipe "$mirror"/refs/* "$mirror/packed-refs"
converges six "one without refs"
echo 'not a commit' >"$mirror/refs/heads/master"
converges seven "one with a ref that is none"
: >"$mirror/HEAD"
converges eight "one with an empty HEAD"
echo '[core' >"$mirror/config"
converges nine "one with a broken config"
in_place mkdir
chown --reference="$FLUXD_STATE/mirror" "$mirror" 2>/dev/null || true
chmod 0 "$mirror"
converges ten "an empty one that nobody may enter"
t_run "what happened is in the log" logged_since "$mark" \
	'warning="the mirror was damaged and is new" err="[^"]+"'
t_wait "and no rubbish is left" 30 tidy

# nobody notifies, and the next poll is an hour away: who needs it has it made
status_is() { [ "$(api_get "/api/flux/v6/sync?ref=$last")" = "$1" ]; }
for part in "$mirror" "$FLUXD_STATE/mirror"; do
	wipe "$part"
	t_wait "a client's question has it made again: ${part#"$FLUXD_STATE/"}" 30 status_is '[]'
	t_run "it is there" test -e "$mirror/fluxd-mirror"
done

# while a pass is under way, over and over
for i in 1 2 3 4 5 6 7 8; do
	commit "storm-$i"
	notify
	case $((i % 3)) in
	0) wipe "$mirror" ;;
	1) wipe "$mirror/objects" ;;
	2) wipe "$mirror/refs/heads" ;;
	esac
done
converges eleven "deleted eight times in the middle of work, it is well in the end"
fluxd_stop
t_is "$FLUXD_STATUS" 0 "the daemon ends cleanly"

# ---- what a killed writer leaves: locks and halves of packs
for name in HEAD.lock refs/heads/master.lock refs/tags/flux-sync.lock packed-refs.lock config.lock \
	objects/pack/pack_git2_abcdef objects/pack/tmp_pack_123456; do
	mkdir -p "$(dirname "$mirror/$name")"
	: >"$mirror/$name"
	chown --reference="$mirror/HEAD" "$mirror/$name" 2>/dev/null || true
done
mark=$(log_mark)
start
converges twelve "locks of a dead writer do not matter"
t_wait "and are removed" 30 tidy
fluxd_stop

# of another daemon's format, or of another repository
echo 'fluxd mirror 0' >"$mirror/fluxd-mirror"
mark=$(log_mark)
start
converges thirteen "a mirror of another format is made again"
fluxd_stop

# a link where the mirror should be: nothing behind it is touched
mkdir "$T_DIR/precious"
echo keep >"$T_DIR/precious/file"
chmod -R a+rwX "$T_DIR/precious"
in_place ln -sT "$T_DIR/precious"
mark=$(log_mark)
start
converges fourteen "a link in its place is replaced"
t_is "$(cat "$T_DIR/precious/file")" keep "and what it led to is as it was"
fluxd_stop

# ---- a full disk
full_disk() {
	local disk=$T_DIR/disk
	[ "$(id -u)" -eq 0 ] || { t_skip "a full disk: needs a mount, root only"; return; }
	mkdir "$disk"
	mount -t tmpfs -o size=3m,mode=777 tmpfs "$disk" 2>/dev/null ||
		{ t_skip "a full disk: nothing can be mounted here"; return; }
	at_exit "umount -l '$disk'"
	mark=$(log_mark)
	start --mirror-dir="$disk/mirror"
	t_wait "with the mirror on a disk of its own" 30 logged_since "$mark" event=refreshed
	converges fifteen "all is well"
	head -c 4000000 /dev/urandom | base64 -w0 >"$work/noise.txt"
	mark=$(log_mark)
	commit sixteen
	notify
	t_wait "a fetch that does not fit is an error" 30 \
		logged_since "$mark" 'err="git fetch: .*([Nn]o space|write|allocate|fail)'
	t_diag "$(repo_state)"
	t_like "$(repo_state)" '^ready: git fetch: ' "the repository stays readable"
	t_run "the cluster is as it was" value_is "$ns" c fifteen
	t_run "clients are served" api_get "/api/flux/v6/sync?ref=$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')"
	no_halves() { [ -z "$(find "$disk" -name 'pack_git2_*' -o -name 'tmp_*')" ]; }
	t_wait "no half of a pack stays on the disk" 30 no_halves
	mount -o remount,size=64m "$disk"
	# at most as long as it has failed
	t_wait "with room again it goes on by itself" 120 synced sixteen
	: >"$disk/filler"
	mount -o remount,size=12m "$disk"
	head -c 64000000 /dev/zero >"$disk/filler" 2>/dev/null || true
	mark=$(log_mark)
	configmap "$work" c "$ns" seventeen
	rm "$work/noise.txt"
	last=$(repo_commit_all "$work" seventeen)
	repo_push "$work"
	notify
	t_wait "a disk that somebody else fills is an error, too" 30 logged_since "$mark" ' err='
	rm "$disk/filler"
	t_wait "and no longer one when there is room" 120 synced seventeen
	fluxd_stop
	t_is "$FLUXD_STATUS" 0 "the daemon ends cleanly"
}
full_disk
t_done
