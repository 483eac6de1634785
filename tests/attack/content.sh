#!/usr/bin/env bash
# A18 to A21: a repository whose writer means harm, on the whole road: links to
# files of the host, names that lead elsewhere, trees without measure.  Each is
# refused or harmless, costs little, and the next good commit is applied.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

ns=$(bed_namespace content)
repo=content-$$
url=$(bed_repo "$repo")
path=$(repo_path "$repo")
canary=canary-$RANDOM$RANDOM
round=0
put() { # CASE
	round=$((round + 1))
	"$python" "$attack_dir/content.py" "$path" "$1" "$ns" "$round" >"$T_DIR/last"
	last=$(cat "$T_DIR/last")
}
configmap "$T_DIR" stolen "$ns" "$canary" # a manifest of the host

put ""
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --git-timeout=60s
t_wait "the repository is in sync" 60 tag_is "$repo" "$last"

refused() { # CASE REGEX NAME: the pass fails in these words
	local mark
	mark=$(log_mark)
	put "$1"
	notify
	if wait_for 60 logged_since "$mark" ' err='; then
		t_like "$(log_since "$mark" | grep -m1 ' err=')" "$2" "$3"
	else
		t_fail "$3" "$(log_since "$mark")"
	fi
}
applied() { # CASE NAME: the good part of it is, and nothing is wrong
	local mark
	mark=$(log_mark)
	put "$1"
	notify
	t_wait "$2" 60 tag_is "$repo" "$last"
	t_is "$(log_since "$mark" | grep -E ' (err|warn)=' || true)" "" "$2: without complaint"
}

outside='unable to read file at .*link.yaml.*: the (symbolic link|path) leaves the repository'
refused "link:$T_DIR/stolen.yaml" "$outside" "A18: a link to a file of the host is refused"
refused "link:/proc/self/environ" "$outside" "A18: a link into /proc is refused"
refused "link:../../../../../../../..$T_DIR/stolen.yaml" "$outside" "A18: a link upwards is refused"
refused "chain:41" 'link0.yaml.*too many levels of symbolic links' "A18: 41 links in a row are refused"
long=$(printf '%05000d' 0)
refused "link:$long" 'unable to read file at .*link.yaml.*: file name too long' \
	"A18: a link of 5,000 bytes is refused where it is read"
applied "dirlink:$long" "A18: and is nobody's trouble elsewhere"
applied "dirlink:$T_DIR" "A18: a link to a directory of the host is not followed"

for name in .. . .git .GIT git~1 a/b.yaml; do
	refused "name:$name" "the repository has an entry .*, which git refuses" "A19: the name $name is refused"
done
refused "dirname:.." "which git refuses" "A19: so is a directory .."
refused "dirname:.GiT" "which git refuses" "A19: and .GiT"
applied 'name:\x1b[2Ja\r\nts=1 err=forged\x7f.yaml' "A19: control bytes in a name are a name"
applied 'name:\xff\xfe\xc0\xaf.yaml' "A19: so is what is not UTF-8"
refused "long:5000" 'a path is longer than 4096 bytes' "A19: a name of 5,000 bytes is refused"

# git itself refuses more than 2048 from 2.43 on
refused "deep:2000" "directories nested more than 64 deep" "A20: 2,000 directories in each other are refused"
refused "many:201" "more than 200000|too many" "A20: 201,000 files are refused"
refused "big:8388609" 'big.yaml.*file has 8388609 bytes, more than the 8388608 of --git-max-file' \
	"A21: a file above the limit is refused"
refused "big:60000000" 'big.yaml.*file has 60000000 bytes' "A21: and is not read for that"

applied "" "the next good commit is applied"
t_is "$(kubectl -n "$ns" get configmaps -o name | grep -v kube-root | sort | tr '\n' ' ')" \
	"configmap/bad configmap/good " "what is in the cluster came out of the repository"
t_is "$(grep -cF "$canary" "$FLUXD_LOG" || true)" 0 "nothing of the host's files is in the log"
t_is "$(kubectl -n "$ns" get configmaps -o yaml | grep -c "$canary" || true)" 0 "nor in the cluster"
t_is "$(LC_ALL=C grep -c '[^[:print:]]' "$FLUXD_LOG" || true)" 0 "the log is printable"

roles_read
for role in git-remote git-local manifest master; do
	hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pid_of[$role]}/status")
	t_diag "$role: at most $hwm kB"
	t_is "$((hwm < 256 * 1024)) ${restarts_of[$role]}" "1 0" "$role lived through it in less than 256 MiB"
done
t_done
