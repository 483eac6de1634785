#!/usr/bin/env bash
# A18, A20, A21: repositories that are made to hurt, against both git workers
# inside their sandboxes: limits are named, memory stays small.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require ssh
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git
name=a20-$$
url=$(bed_repo "$name")
path=$(repo_path "$name")
mirror=$T_DIR/mirror
mkdir "$mirror"

worker() { # ROLE BRANCH COMMAND...
	local role=$1 branch=$2
	shift 2
	"$drive" "$git" "$role" git-url="$url" mirror-dir="$mirror" git-branch="$branch" \
		known="$BED_KNOWN_HOSTS" key="$BED_SSH_KEY" -- "$@" 2>&1
}
small() { # OUTPUT KILOBYTES NAME
	local kb
	kb=$(sed -n 's/^maxrss \([0-9]*\) kB/\1/p' <<<"$1")
	if [ "$kb" -le "$2" ]; then t_ok "$3: $kb kB"; else t_fail "$3" "$kb kB, more than $2"; fi
}
import() { git -C "$path" fast-import --quiet; }
commit() { # BRANCH
	printf 'commit refs/heads/%s\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n' "$1"
}
head_of() { repo_ref "$name" "refs/heads/$1"; }

# A20: many files, as cheap for their author as one
{
	printf 'blob\nmark :1\ndata 2\nx\n\n'
	commit many
	awk 'BEGIN { for (i = 0; i < 250000; i++) printf "M 100644 :1 d%d/f%d.yaml\n", i % 1000, i }'
} | import
out=$(worker remote many "fetch 60000")
t_like "$out" "fetched head=$(head_of many)" "A20: 250,000 files are fetched"
small "$out" $((256 * 1024)) "A20: the remote role's memory"
out=$(worker local many "tree $(head_of many) -" "refs" | grep -v '^entry')
t_like "$out" 'failed code=limit text=the repository has more than 200000 manifest files' \
	"A20: listing them ends at a named limit"
t_like "$out" 'refs_are' "A20: and the worker goes on"
small "$out" $((256 * 1024)) "A20: the local role's memory"

{
	commit deep
	# git itself refuses more than 2048 from 2.43 on
	printf 'M 100644 inline %sx.yaml\ndata 2\nx\n\n' "$(printf 'd/%.0s' $(seq 2000))"
} | import
worker remote deep "fetch 60000" >/dev/null
out=$(worker local deep "tree $(head_of deep) -")
t_like "$out" 'failed code=limit text=the repository has directories nested more than 64 deep' \
	"A20: directories 2000 deep end at a named limit"

# A18: a link is its text, not what it leads to
n=0
{
	commit links
	for target in /etc/passwd /proc/self/environ ../../../../etc/passwd /var/run/secrets/kubernetes.io; do
		printf 'M 120000 inline %s.yaml\ndata %d\n%s\n' "l$((++n))" "${#target}" "$target"
	done
	echo
} | import
worker remote links "fetch 60000" >/dev/null
oids=$(git -C "$path" ls-tree "$(head_of links)" | awk '{ print $3 }' | tr '\n' ' ')
out=$(worker local links "tree $(head_of links) -" "blobs $oids")
t_is "$(grep -c ' 120000 ' <<<"$out")" 4 "A18: links are listed as links"
t_like "$out" 'chunk 0 11 last /etc/passwd' "A18: and read as their targets' names"
t_unlike "$out" 'root:|PATH=' "A18: nothing of the host is in it"

# A21: files beyond what is read, and objects beyond what is taken
{
	printf 'commit refs/heads/large\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n'
	printf 'M 100644 inline nine.yaml\ndata %d\n' $((9 << 20))
	head -c $((9 << 20)) /dev/zero | tr '\0' '#'
	printf '\n\n'
} | import
worker remote large "fetch 60000" >/dev/null
oid=$(git -C "$path" rev-parse "$(head_of large):nine.yaml")
out=$(worker local large "blobs $oid")
t_like "$out" "failed code=limit text=file $oid has 9437184 bytes, more than 8388608" \
	"A21: a file beyond --git-max-file is refused by name"
small "$out" $((64 * 1024)) "A21: without being read"
{
	printf 'commit refs/heads/huge\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n'
	printf 'M 100644 inline huge.yaml\ndata %d\n' $((100 << 20))
	head -c $((100 << 20)) /dev/zero | tr '\0' '#'
	printf '\n\n'
} | import
out=$(worker remote huge "fetch 60000")
small "$out" $((256 * 1024)) "A05: the memory that 100 MiB in 100 kB take"
if [[ $out != *fetched* ]]; then
	t_like "$out" 'failed code=' "A05: an object beyond --git-max-object is refused"
else
	# libgit2 without that limit: it may come, and is still not read
	oid=$(git -C "$path" rev-parse "$(head_of huge):huge.yaml")
	t_like "$(worker local huge "blobs $oid")" 'failed code=limit' \
		"A05: an object beyond the limits is not read"
fi
t_done
