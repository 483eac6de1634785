#!/usr/bin/env bash
# Notes made by git, read by the git worker in its sandbox: few in one
# directory, many spread over directories, restricted as the list of commits is.
# A34, A35: notes, messages and names that mean harm.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git
repo=$T_DIR/repo
mirror=$T_DIR/mirror
mkdir "$mirror"
git init -q --bare -b master "$repo"
worker() { # ROLE COMMAND...
	local role=$1
	shift
	"$drive" "$git" "$role" git-url="$repo" mirror-dir="$mirror" \
		git-branch=master ${paths:+"git-path=$paths"} -- "$@" 2>&1
}
paths=
noted() { # FROM TO MAX: commits and notes, a line each, without the rest
	worker remote "fetch 60000" >/dev/null
	worker local "notes $1 $2 $3" | sed -n 's/^note //p; s/^notes_end .*commits=\([0-9]*\).*/end \1/p; s/^log /log /p; s/ ms=.*//; /^failed/p'
}

# 320 commits; every other one touches apps
{
	for i in $(seq 320); do
		printf 'commit refs/heads/master\ncommitter a <a@b> %s +0000\ndata <<E\nc%s\nE\n' $((1700000000 + i)) "$i"
		dir=apps
		[ $((i % 2)) -eq 1 ] || dir=other
		printf 'M 100644 inline %s/a\ndata <<E\n%s\nE\n\n' $dir "$i"
	done
} | git -C "$repo" fast-import --quiet
mapfile -t c < <(git -C "$repo" rev-list --reverse master)
head=${c[319]}

t_is "$(noted - "$head" 0)" "end 320" "without a notes ref there are no notes"
note() { bed_git -C "$repo" notes --ref=flux add -f -m "$2" "$1" 2>/dev/null; }
note "${c[10]}" '{"jobID":"ten"}'
note "${c[20]}" '{"jobID":"twenty"}'
note "${c[21]}" '{"jobID":"twenty-one"}'
t_is "$(noted - "$head" 0)" "${c[10]} 16 {\"jobID\":\"ten\"}
${c[20]} 19 {\"jobID\":\"twenty\"}
${c[21]} 23 {\"jobID\":\"twenty-one\"}
end 320" "notes come oldest first, as they are"
t_is "$(noted "${c[19]}" "${c[20]}" 0 | head -1)" "${c[20]} 19 {\"jobID\":\"twenty\"}" \
	"those of a range"
t_is "$(noted "${c[19]}" "${c[20]}" 0 | tail -1)" "end 1" "and no others"
t_is "$(noted - "$head" 5)" "end 5" "of the newest commits only, if so asked"
paths=apps
t_is "$(noted - "$head" 0 | grep -o '^[0-9a-f]\{40\}\|^end.*' | tr '\n' ' ')" "${c[10]} ${c[20]} end 160 " \
	"and of those that touch the paths"
paths=

for i in $(seq 0 319); do note "${c[$i]}" "note $i"; done
t_isnt "$(git -C "$repo" ls-tree refs/notes/flux | grep -c ' tree ')" 0 "git spreads many notes over directories"
t_is "$(noted - "$head" 0 | grep -c '^[0-9a-f]\{40\} [0-9]* note [0-9]*$')" 320 "all of them are found there"
t_is "$(noted - "$head" 0 | sed -n 's/.* note //p' | tr '\n' ' ')" "$(seq -s' ' 0 319) " "in order"

# A34: too long, not text, not for a commit; the rest is as it was
head -c 262145 /dev/zero | tr '\0' '[' >"$T_DIR/long"
head -c 262144 "$T_DIR/long" >"$T_DIR/full"
bed_git -C "$repo" notes --ref=flux add -f -F "$T_DIR/long" "${c[100]}" 2>/dev/null
head -c 100000 "$T_DIR/long" >"$T_DIR/half"
bed_git -C "$repo" notes --ref=flux add -f -F "$T_DIR/half" "${c[99]}" 2>/dev/null
blob=$(git -C "$repo" hash-object -w "$T_DIR/full")
bed_git -C "$repo" notes --ref=flux add -f -C "$blob" "${c[101]}" 2>/dev/null
blob=$(printf 'nul\0\033[2J\377' | git -C "$repo" hash-object -w --stdin)
bed_git -C "$repo" notes --ref=flux add -f -C "$blob" "${c[102]}" 2>/dev/null
out=$(noted "${c[98]}" "${c[103]}" 0)
t_like "$out" "log warning=a note is passed over commit=${c[100]} err=.*more than 262144" \
	"A34: a note that is too long is passed over, which is logged with the commit's name"
t_is "$(grep -oE '^[0-9a-f]{40} [0-9]+|^end .*' <<<"$out" | tr '\n' ' ')" \
	"${c[99]} 100001 ${c[101]} 262144 ${c[102]} 9 ${c[103]} 9 end 5 " \
	"A34: the longest that is allowed and one that is no text come as they are"
bed_git -C "$repo" update-ref refs/notes/flux "$(git -C "$repo" rev-parse "${c[5]}:apps/a")"
t_like "$(noted - "$head" 0)" 'log warning=notes are passed over err=.*end 320' \
	"A34: a notes ref that leads to a file is no obstacle"
t_like "$(worker remote "fetch 60000")" 'created=false' "A34: nor taken for damage of the mirror"

# A35: what a commit can say
{
	printf 'tree %s\nparent %s\nauthor \033[2J <x\033]0;y> 1 +0000\ncommitter e\001 <a@b> 99999999999 +9999\n\n' \
		"$(git -C "$repo" rev-parse "$head^{tree}")" "$head"
	printf 'one\033[2J\001 \xff line\rforged=yes\n\n'
	head -c 10000000 /dev/zero | tr '\0' 'm'
} >"$T_DIR/commit"
evil=$(git -C "$repo" hash-object -w -t commit --literally "$T_DIR/commit")
git -C "$repo" update-ref refs/heads/master "$evil"
out=$(worker remote "fetch 60000")
t_like "$out" "fetched head=$evil " "A35: a commit of 10 MB is fetched"
out=$(worker local "commits - $evil 0" "notes - $evil 0")
t_like "$out" "commits_end more=false" "A35: it is listed"
t_like "$out" 'one\\x1b\[2J\\x01' "A35: what its message says is encoded"
t_unlike "$out" $'\033|\001|\r' "A35: and nothing comes raw"
bed_git -C "$repo" cat-file commit "$head" | sed 's/^author .*/author <<x/' >"$T_DIR/commit"
git -C "$repo" update-ref refs/heads/master "$(git -C "$repo" hash-object -w -t commit --literally "$T_DIR/commit")"
out=$(worker remote "fetch 60000")
t_like "$out" 'failed code=.* text=fetch: .*signature' "A35: a commit that is none by git's rules is an error"
t_like "$(worker local refs)" "refs_are head=$evil" "A35: and the last good one stays"
t_done
