#!/usr/bin/env bash
# A01 to A10, A17: a git server that means harm, against the git worker inside
# its sandbox.  Each time a typed error in bounded time, nothing of what the
# server sent raw, no credentials elsewhere, and the worker goes on.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -x "$python" ] || t_skip_all "needs $python"
drive=${FX_BUILDDIR:-.}/tests/integration/git_drive
git=${FX_BUILDDIR:-.}/fluxd-git
secret=canary-$RANDOM$RANDOM
lag_start

printf %s "$secret" >"$T_DIR/password"
: >"$T_DIR/record"
"$python" "$attack_dir/git_server.py" "$T_DIR/port" "$T_DIR/record" &
kill_at_exit $!
must 60 test -s "$T_DIR/port"
port=$(cat "$T_DIR/port")

run() { # TRICK MILLISECONDS COMMAND...: what the worker answers
	local url=http://user@127.0.0.1:$port/$1 dir=$T_DIR/mirror
	shift
	rm -rf "$dir" && mkdir "$dir"
	"$drive" "$git-http" remote git-url="$url" mirror-dir="$dir" \
		git-branch=main password="$T_DIR/password" -- "$@" 2>&1
}
ms() { sed -n 's/.* ms=\([0-9]*\).*/\1/p' <<<"$1" | tail -1; }
faster() { [ "$(ms "$1")" -lt $(($2 + $(lag_since "$began"))) ]; }

# Instruments need memory and time of their own.
has() { grep -q "$1" "${FX_BUILDDIR:-.}/config.h"; }
instrumented=0
if has 'FX_TEST_BUILD 1'; then instrumented=1; fi
# What libgit2 has no limit for costs a buffer of the size that was claimed.
bomb_mib=384
if has 'GIT_OPT_SET_PACK_MAX_OBJECT_SIZE 1'; then bomb_mib=128; fi
number() { sed -n "s/^$2 \([0-9]*\) .*/\1/p" <<<"$1"; }
cheap() { # NAME [MIB]: so was the last one that was refused
	local kb cpu mib=${2:-128}
	kb=$(number "$out" maxrss) cpu=$(number "$out" cpu)
	t_diag "$1: $kb kB, $cpu ms of the processor"
	[ "$instrumented" -ne 0 ] ||
		t_is "$((kb <= mib * 2024)) $((cpu <= mib * 20))" "1 1" "$1, at $mib MiB and $((mib * 20)) ms of the processor at most"
}

refused() { # TRICK REGEX NAME: fails at once, in these words
	began=$(now_us)
	out=$(run "$1" "fetch 20000")
	t_like "$out" "failed code=$2" "$3"
	faster "$out" 5000 || t_fail "$3: in time" "$out"
	case $out in
	*"$secret"* | *$'\033'*) t_fail "$3: nothing raw and no password is shown" "$out" ;;
	esac
	[[ $out != *$'\nstatus '* ]] || t_fail "$3: the worker lives" "$out"
}

refused endless "limit text=the server's list of refs is larger than 64 MiB" \
	"A02: an endless list of refs is cut off"
for trick in endless many; do
	out=$(run "$trick" "fetch 60000")
	[ $trick = endless ] || t_like "$out" "failed code=limit text=the server lists more than 750000 refs" \
		"A02: a list of a million refs is cut off"
	kb=$(number "$out" maxrss)
	t_diag "$trick: $kb kB"
	[ "$instrumented" -ne 0 ] ||
		t_is "$((kb <= 131072))" 1 "A02: $trick refs cost no more than 128 MiB"
done
for length in length-1 length-3 length-max no-hex; do
	refused "line:$length" "syntax text=the server does not speak git's protocol" \
		"A03: a pkt-line with $length is a typed error"
done
refused line:err 'denied text=remote: go\\x1b\[2J away ts=1 forged=yes ' \
	"A03: an ERR line is shown, escaped, in one line"
refused pack:count 'failed text=fetch: too many objects' \
	"A04: a pack of 2^32-1 objects is refused"
cheap "A04: before it is given room"
# libgit2 of an older patch level says so only when the object is missing
refused pack:bomb 'failed text=(fetch|update refs): ' "A05: a delta of 256 MiB is refused"
cheap "A05: with what it says it is" "$bomb_mib"
refused pack:cycle 'failed text=fetch: ' "A06: deltas on each other end"
refused pack:chain 'failed text=' "A06: a chain of 10,000 deltas ends"
cheap "A06: and costs little"
refused pack:before 'failed text=fetch: ' "A06: a delta on what is before the pack ends"
refused pack:truncated 'failed text=fetch: ' "A07: a truncated object ends"
refused pack:checksum 'failed text=fetch: ' "A08: a pack with a wrong checksum is refused"
refused pack:other 'failed text=update refs: ' "A08: an object that was not sent is no head"
refused pack:none 'failed text=fetch: ' "A08: no pack at all is an error"
# No two git objects of one SHA-1 are known that a server could send: what there
# is to see is that the library asks each block for the traces of such an attack.
library=$(ldd "$git" | awk '$1 ~ /^libgit2/ { print $3 }')
t_run "A08: SHA-1 is computed in the way that finds colliding pairs" \
	grep -q 'SHA1 collision attack detected' "$library"
for to in host port file ssh other; do
	refused "redirect:$to" "denied text=.*redirects to another place" \
		"A09, A10: a redirect to another $to is refused"
done
refused redirect:loop 'denied text=.*redirects without end' "A09: redirects end"
t_is "$(grep -c elsewhere "$T_DIR/record")" 0 "A09: nobody asked elsewhere"
refused redirect:path 'failed text=fetch: ' "a redirect to another path of the server is followed"
t_is "$(grep -c 'POST /pack:none/git-upload-pack' "$T_DIR/record")" 2 \
	"and what is posted goes there"
refused status:401 'denied text=Authentication failed' "a refusal is told as such"
refused status:500 'failed text=.*returned error: 500' "an error page is not shown"
refused page 'failed text=.*smart protocol' "a web page is no repository"

for trick in silent drip stall; do
	began=$(now_us)
	out=$(run "$trick" "fetch 1000" "fetch 300")
	t_like "$out" 'failed code=timeout .*failed code=timeout ' \
		"A01: a server that is $trick costs its deadline, and the worker goes on"
	on_time "$began" $(($(sed -n '0,/ ms=/s/.* ms=\([0-9]*\).*/\1/p' <<<"$out") - 1000)) \
		"A01: within half a second of the deadline ($trick)"
done

# A17: none of these reaches a server, and none is repeated in an error
for url in 'git@h:$(touch x)' "git@h:a'b" 'ssh://-oProxyCommand=x/y' 'git@h:-x' 'ssh://h/a%0ab' 'ext::sh -c x'; do
	out=$("$drive" "$git" remote "git-url=$url" mirror-dir="$T_DIR/mirror" -- "fetch 1000" 2>&1)
	t_like "$out" 'failed code=syntax text=git URL: ' "A17: $url is refused"
	t_unlike "$out" 'connect host' "A17: and nobody is dialled"
done
t_done
