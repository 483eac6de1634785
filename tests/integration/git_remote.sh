#!/usr/bin/env bash
# The git worker, both roles in their sandboxes, against real servers: fetch,
# push, the tag, the kept session, over ssh, https and from a local repository.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require ssh https
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git
name=git-$$
ssh_url=$(bed_repo "$name")
path=$(repo_path "$name")
https_base=https://$BED_GIT_HTTPS_USER@${BED_GIT_HTTPS_BASE#https://}
https_url=$https_base/$name.git
mirror=$T_DIR/mirror
work=$T_DIR/work
mkdir "$mirror"
printf %s "$BED_GIT_HTTPS_PASSWORD" >"$T_DIR/password"

worker() { # ROLE URL COMMAND...
	local role=$1 url=$2 program=$git
	shift 2
	[[ $role != remote || $url != http* ]] || program=$git-http
	"$drive" "$program" "$role" git-url="$url" mirror-dir="$mirror" git-branch=master \
		known="$BED_KNOWN_HOSTS" key="$BED_SSH_KEY" \
		password="$T_DIR/password" ca="$BED_GIT_HTTPS_CA" ${option:-} -- "$@" 2>&1
}
commit() { # MESSAGE
	repo_commit_all "$work" "$1"
	repo_push "$work"
}
tag='push 60000 refs/fluxd/staged-tag refs/tags/flux-sync force'

out=$(worker remote "$ssh_url" "fetch 60000")
t_like "$out" 'fetched head= marker= created=true' "an empty repository has no head"
t_like "$(worker local "$ssh_url" refs)" 'refs_are head= marker= ' "nor has the mirror"

repo_clone "$ssh_url" "$work"
mkdir -p "$work/apps"
echo one >"$work/apps/one.yaml"
head -c 300000 /dev/urandom | base64 >"$work/apps/big.yaml"
first=$(commit First | head -1)
out=$(worker remote "$ssh_url" "fetch 60000" "fetch 60000" "fetch 60000" counts)
t_like "$out" "fetched head=$first marker= created=false" "a commit arrives over ssh"
t_like "$out" 'connects=1 signs=1' "three fetches are one session and one signature"

out=$(worker remote "$ssh_url" "fetch 60000" "hang-up" "fetch 60000" "check-write 60000" counts)
t_like "$out" 'connects=2 signs=2' "a session that died in between is made anew, once"
t_like "$out" 'writable writable' "a session for pushing can be had"

out=$(worker local "$ssh_url" "tree $first -" "blobs $(git -C "$path" rev-parse "$first:apps/big.yaml")")
t_like "$out" "entry apps/one.yaml 100644 4 $(git -C "$path" rev-parse "$first:apps/one.yaml")" \
	"the local role lists the tree"
t_is "$(grep -c '^chunk 0 65536 ' <<<"$out")" 6 "and sends a large file in chunks"

# the tag, over each transport in turn
for url in "$ssh_url" "$https_url" "$path" "file://$path"; do
	what=${url%%:*}
	[[ $url != /* ]] || what=path
	rm -rf "${mirror:?}"/*
	echo "$what" >"$work/apps/two.yaml"
	head=$(commit "For $what" | head -1)
	out=$(worker remote "$url" "fetch 60000")
	t_like "$out" "fetched head=$head .*created=true" "$what: a new mirror is filled"
	worker local "$url" "tag $head" >/dev/null
	out=$(worker remote "$url" "$tag" "fetch 60000" "check-write 60000")
	t_like "$out" "pushed pushed" "$what: the tag is pushed"
	t_like "$out" "fetched head=$head marker=$head created=false" "$what: and fetched back"
	t_like "$out" "writable writable" "$what: it can be written to"
	t_is "$(repo_ref "$name" 'refs/tags/flux-sync^{commit}')" "$head" "$what: the server has it"
	t_is "$(git -C "$path" cat-file tag refs/tags/flux-sync | sed 's/> [0-9]*/> N/')" "object $head
type commit
tag flux-sync
tagger Weave Flux <support@weave.works> N +0000

Sync pointer" "$what: it is the tag upstream would make"
	t_run "$what: both repositories are sound" bash -c "git -C '$path' fsck && git -C '$mirror/repository.git' fsck"
	out=$(worker remote "$url" "push 60000 - refs/tags/flux-sync no" "fetch 60000")
	t_like "$out" "fetched head=$head marker= created=false" "$what: a tag that is gone is forgotten"

	# a branch that was rewound, and one that is gone
	git -C "$path" update-ref refs/heads/master "$first"
	out=$(option=git-refuse-rewind=true worker remote "$url" "fetch 60000" "fetch 60000")
	t_like "$out" "fetched head=$head .*refused=a rewind from ${head:0:8} to ${first:0:8} is not followed" \
		"$what: A14: a rewound branch is not followed, if so asked"
	t_is "$(grep -c "^log warning=the branch was rewound branch=refs/heads/master old=$head new=$first refused=true" <<<"$out")" 1 \
		"$what: A14: which is logged once"
	git -C "$path" update-ref -d refs/heads/master
	t_like "$(option=git-refuse-rewind=true worker remote "$url" "fetch 60000")" "fetched head=$head .*to nothing is not followed" \
		"$what: A14: nor to where there is nothing"
	git -C "$path" update-ref refs/heads/master "$first"
	out=$(worker remote "$url" "fetch 60000")
	t_like "$out" "fetched head=$first .*refused= " "$what: a rewound branch is followed"
	t_like "$out" "log warning=the branch was rewound branch=refs/heads/master old=$head new=$first refused=false" \
		"$what: which is logged"
	rm -rf "${mirror:?}"/*
	t_like "$(option=git-refuse-rewind=true worker remote "$url" "fetch 60000")" "fetched head=$first .*refused= " \
		"$what: A14: a new mirror has nothing to compare with"
	t_like "$(worker remote "$url" "push 60000 refs/heads/master refs/heads/other no" \
		"push 60000 refs/heads/master refs/heads/other no")" 'pushed.*pushed' "$what: nothing new can be pushed"
	git -C "$path" update-ref refs/heads/other "$head"
	out=$(worker remote "$url" "push 60000 refs/heads/master refs/heads/other no")
	t_like "$out" 'failed code=conflict' "$what: what is no fast-forward is a conflict"
	git -C "$path" update-ref -d refs/heads/other
	git -C "$path" update-ref -d refs/heads/master
	t_like "$(worker remote "$url" "fetch 60000")" "fetched head= " "$what: a branch that is gone is no error"
	git -C "$path" update-ref refs/heads/master "$head"
done

# what was to be pushed went with the mirror: that can be made again
worker local "$ssh_url" "tag $head" >/dev/null
rm -rf "${mirror:?}"/*
out=$(worker remote "$ssh_url" "fetch 60000" "$tag")
t_like "$out" 'failed code=retry text=refs/fluxd/staged-tag is not there any more' \
	"a tag that went with the mirror is one to be made again"
staged() { git -C "$mirror/repository.git" rev-parse refs/fluxd/staged-tag; }
worker local "$ssh_url" "tag $head" >/dev/null
one=$(staged)
worker local "$ssh_url" "tag $head" >/dev/null
t_is "$(staged)" "$one" "made again for the same commit it is the same tag"
worker local "$ssh_url" "tag $first" >/dev/null
t_isnt "$(staged)" "$one" "for another commit it is another"

# a hook that says no: both words of the server, made harmless
printf '#!/bin/sh\nprintf "no \\033[2J way\\n" >&2\nexit 1\n' >"$path/hooks/update"
chmod +x "$path/hooks/update"
for url in "$ssh_url" "$https_url"; do
	worker remote "$url" "fetch 60000" >/dev/null
	worker local "$url" "tag $first" >/dev/null
	out=$(worker remote "$url" "$tag" "fetch 60000")
	t_like "$out" 'failed code=denied text=! \[remote rejected\] refs/tags/flux-sync \(hook declined\): .*no \\x1b\[2J way' \
		"${url%%:*}: a refused push says why, escaped"
	t_like "$out" 'fetched head=.* marker= ' "${url%%:*}: and the mirror does not pretend"
done
rm "$path/hooks/update"

out=$(worker remote "$BED_GIT_SSH_BASE/none-$$.git" "fetch 60000")
t_like "$out" "failed code=failed text=fatal: .*does not appear to be a git repository" \
	"ssh: a missing repository is told in git's words"
out=$(worker remote "$https_base/none-$$.git" "fetch 60000")
t_like "$out" "failed code=failed text=repository '.*' not found" "https: so it is here"
out=$(worker remote /none "fetch 60000")
t_like "$out" "failed code=.* text='/none': " "path: and here"
out=$(worker remote ssh://git@nohost.invalid/x "fetch 60000")
t_like "$out" "failed code=resolve text=Could not resolve hostname" "a name that does not resolve is told apart"

echo wrong >"$T_DIR/password"
out=$(worker remote "$https_url" "fetch 60000")
t_like "$out" 'failed code=denied text=Authentication failed' "https: a wrong password"
printf %s "$BED_GIT_HTTPS_PASSWORD" >"$T_DIR/password"
ca=$BED_GIT_HTTPS_CA
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$T_DIR/ca" -subj /CN=other -days 1 2>/dev/null
BED_GIT_HTTPS_CA=$T_DIR/ca
out=$(worker remote "$https_url" "fetch 60000")
t_like "$out" 'failed code=denied text=.*certificate' "https: a certificate of an unknown authority"
BED_GIT_HTTPS_CA=$ca
out=$(worker remote "${https_url/127.0.0.1/wrong.test}" "fetch 60000")
t_like "$out" 'failed code=denied text=.*(certificate|match)' "https: a certificate for another name"
ssh-keygen -q -t ed25519 -N '' -C other -f "$T_DIR/other"
out=$(BED_SSH_KEY=$T_DIR/other worker remote "$ssh_url" "fetch 60000")
t_like "$out" 'failed code=denied text=.*: Permission denied \(publickey\)' "ssh: a key the server does not know"

out=$(BED_SSH_KEY=$BED_SSH_KEY_ECDSA worker remote "$ssh_url" "fetch 60000" counts)
t_like "$out" 'fetched fetched.*signs=1' "ssh: an ecdsa key"
out=$(BED_SSH_KEY=$BED_SSH_KEY_RSA worker remote "$ssh_url" "fetch 60000" counts)
if [[ $out == *fetched* ]]; then
	t_like "$out" 'signs=1' "ssh: an RSA key, by SHA-2"
else
	t_like "$out" 'failed code=denied text=the deploy key is an RSA key, and libssh2 1.10.* use an ed25519 key' \
		"ssh: an RSA key where libssh2 could only sign by SHA-1 says what to do"
	t_like "$out" 'signs=0' "ssh: and signs nothing"
fi

# a failed fetch keeps the last good mirror; a damaged one is made anew
head=$(repo_ref "$name" refs/heads/master)
worker remote "$ssh_url" "fetch 60000" >/dev/null
mv "$path" "$path.away"
worker remote "$ssh_url" "fetch 60000" >/dev/null
t_like "$(worker local "$ssh_url" refs)" "refs_are head=$head" "a failed fetch keeps the mirror"
mv "$path.away" "$path"
find "$mirror/repository.git/objects" -type f -delete
t_like "$(worker local "$ssh_url" "tree $head -")" "failed code=gone" "a mirror without objects is an error"
t_like "$(worker remote "$ssh_url" "fetch 60000")" "fetched head=$head .*created=true" "and is made anew"
t_like "$(worker local "$ssh_url" "tree $head -")" "tree_end count=3" "and then serves again"
t_done
