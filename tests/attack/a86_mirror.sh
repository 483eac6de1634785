#!/usr/bin/env bash
# A86: one worker writes the mirror, another reads it.  An object whose content
# is not what its name says is not believed: nothing of it reaches the cluster,
# and the daemon gets whole again by itself.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || t_cannot_all "the mirror of another user can be changed by root only"
bed_require api ssh

bed_mine mirror
start() { fluxd_start --git-url="$url" --git-poll-interval=3s --sync-interval=2s; }
mirror=
in_mirror() { git -c safe.directory='*' -C "$mirror" "$@"; }

# forge ID KIND CONTENT: the file of an object with another one's content
forge() {
	"$python" - "$mirror/objects/${1:0:2}/${1:2}" "$2" "$3" <<-'PY'
		import os, sys, zlib
		path, kind, content = sys.argv[1], sys.argv[2].encode(), open(sys.argv[3], "rb").read()
		os.chmod(path, 0o644)
		with open(path, "wb") as f:
		    f.write(zlib.compress(kind + b" %d\0" % len(content) + content))
	PY
}

commit good
start
t_wait "the repository is in sync" 60 tag_is "$repo" "$last"
fluxd_stop

# what a fallen git-remote could leave behind
mirror=$FLUXD_STATE/mirror/repository.git
owner=$(stat -c %u:%g "$mirror/objects")
mkdir "$T_DIR/packs"
mv "$mirror"/objects/pack/*.pack "$T_DIR/packs/"
rm -f "$mirror"/objects/pack/*
for pack in "$T_DIR"/packs/*.pack; do in_mirror unpack-objects -q <"$pack"; done
blob=$(in_mirror rev-parse "$last:c.yaml")
sed 's/good/forged/' "$work/c.yaml" >"$T_DIR/forged.yaml"
forge "$blob" blob "$T_DIR/forged.yaml"
chown -R "$owner" "$mirror/objects"
t_is "$(in_mirror cat-file blob "$blob" 2>&1 | grep -c 'good')" 0 "the object is another one now (control)"

# somebody removes it, so that it has to be applied
kubectl -n "$ns" delete configmap c >/dev/null
kubectl -n "$ns" get configmaps -w -o 'jsonpath={.data.value}{"\n"}' >"$T_DIR/seen" 2>/dev/null &
kill_at_exit $!
mark=$(log_mark)
start
t_wait "the mirror is not believed" 60 logged_since "$mark" 'hash mismatch|corrupt|damaged'
t_diag "$(log_since "$mark" | grep -E -m3 'hash mismatch|corrupt|damaged')"
t_wait "what the repository holds is applied" 60 value_is "$ns" c good
commit next
notify
t_wait "and so is the next commit" 60 tag_is "$repo" "$last"
t_wait "as it is" 60 grep -qx next "$T_DIR/seen"
t_is "$(grep -c forged "$T_DIR/seen")" 0 "nobody ever saw what was forged"
t_done
