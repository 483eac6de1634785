#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A77, A78, A80: a running fluxd, seen from outside, in both modes.  What the
# kernel says about every process (/proc/PID) is what the roles table says:
# users, capabilities, filters, root, descriptors, environment.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || t_cannot_all "descriptors of other users can be seen by root only"
! is_test_build || t_cannot_all "an instrumented build lets more through"

git init -q --bare -b master "$T_DIR/repo"
tree=$(git -C "$T_DIR/repo" hash-object -wt tree /dev/null)
commit=$(git -C "$T_DIR/repo" -c user.name=a -c user.email=a@b commit-tree -m one "$tree")
git -C "$T_DIR/repo" update-ref refs/heads/master "$commit"
fluxd_without_cluster 'token: canary-token'
export CANARY=canary-environment

names=(master launcher net key git-remote git-local manifest sync api launch-net upstream)
running=(net key git-remote git-local manifest sync api upstream)

field() { # PID NAME
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# Which it is: a worker's second argument is the number of its role.
name_of() { # PID
	local number
	if [ "$(cat "/proc/$1/comm")" = fluxd-launchnet ]; then
		echo launch-net
		return
	fi
	number=$(tr '\0' '\n' <"/proc/$1/cmdline" | sed -n 2p)
	echo "${names[$number]}"
}

all_confined() {
	local role
	for role in "${running[@]}" master launcher launch-net; do
		grep -q "worker confined\" worker=$role " "$FLUXD_LOG" || return 1
	done
}

start() {
	FLUXD_LOG=$T_DIR/$1.log
	: >"$FLUXD_LOG"
	fluxd_start --git-url="file://$T_DIR/repo" --state-dir="$T_DIR/state" \
		--connect=http://127.0.0.1:1/x --token=canary-upstream
	t_wait "every process says what confines it, $mode" 60 all_confined
	master=$FLUXD_PID
	launcher=$(children_of "$master")
	launcher=${launcher% }
	read -ra below <<<"$(children_of "$launcher")"
}

check_confined() { # PID NAME UID
	local bad='' set

	[ "$(field "$1" Seccomp)" = 2 ] || bad="$bad no filter;"
	[ "$(field "$1" NoNewPrivs)" = 1 ] || bad="$bad new privileges;"
	for set in CapInh CapPrm CapEff CapAmb; do
		[ "$(field "$1" $set)" = 0000000000000000 ] || bad="$bad $set;"
	done
	[ "$(field "$1" Uid | tr -s '\t' '\n' | sort -u)" = "$3" ] ||
		bad="$bad user $(field "$1" Uid);"
	[ -z "$(field "$1" Groups | tr -d ' ')" ] || bad="$bad groups;"
	! grep -q 'canary' "/proc/$1/cmdline" || bad="$bad secret in argv;"
	if [ "$2" != master ]; then
		[ ! -s "/proc/$1/environ" ] || bad="$bad environment;"
		[ "$(field "$1" PPid)" = "$launcher" ] || bad="$bad parent;"
	fi
	t_is "$bad" "" "A78: $2 is confined, $mode"
}

# Only what the role table gives; no directory but a git worker's own, and that
# one only to be recognized (O_PATH); nothing below /proc.
only_its_own() { # PID NAME ALLOWED: else they are in `foreign`
	local bad='' fd target path_only=010000000

	for fd in "/proc/$1/fd"/*; do
		target=$(readlink "$fd") || continue
		if [ -d "$fd/." ]; then
			[[ $2 == git-* && $target == "$T_DIR/state/mirror" ]] &&
				(($(awk '$1 == "flags:" { print $2 }' "/proc/$1/fdinfo/${fd##*/}") & path_only)) ||
				bad="$bad directory $target;"
		elif ! [[ $target =~ ^(/dev/null|$FLUXD_LOG|socket:.*|$3)$ ]]; then
			bad="$bad ${fd##*/} is $target;"
		fi
	done
	foreign=$bad
	[ -z "$bad" ]
}

# At rest: while it works it has files of its own directory open, for a moment.
check_descriptors() { # PID NAME ALLOWED
	local foreign=
	wait_for 20 only_its_own "$@" || true
	t_is "$foreign" "" "A77: $2 has the descriptors of its role, $mode"
}

user_of_role() { # ROLE: own users are a number plus that of the role
	local i
	if [ -z "$base" ]; then
		echo 65534
		return
	fi
	for i in "${!names[@]}"; do
		[ "${names[$i]}" != "${1/launch-net/net}" ] || echo "$((base + i))"
	done
}

check_all() {
	local pid name allowed user seen=()

	check_confined "$master" master "$(user_of_role master)"
	check_descriptors "$master" master "$T_DIR/state/.*|$T_DIR/fluxd.sock.*|pipe:.*|/memfd:upstream-token .*"
	for pid in "${below[@]}"; do
		name=$(name_of "$pid")
		seen+=("$name")
		user=$(user_of_role "$name")
		allowed=none
		case $name in
		git-*) # as the owner of the local repository
			user=$(stat -c %u "$T_DIR/repo")
			allowed="$T_DIR/state/.*"
			;;
		sync) allowed="$T_DIR/kubeconfig|/etc/ssl/.*|anon_inode:.*" ;;
		api | net | upstream) allowed="anon_inode:.*" ;;
		esac
		check_confined "$pid" "$name" "$user"
		check_descriptors "$pid" "$name" "$allowed"
	done
	t_is "$(printf '%s\n' "${seen[@]}" | sort | xargs)" \
		"$(printf '%s\n' "${running[@]}" launch-net | sort | xargs)" "every process is there, $mode"
	t_run "A79, A81: every process has its own list loaded, $mode" \
		"$FX_BUILDDIR/tests/attack/test_filters" --live "$master"
	t_is "$(ctl sandbox --no-headers | awk '{ print $1, $3 }' | sort | xargs)" \
		"$({
			echo "master $master"
			echo "launcher $launcher"
			for pid in "${below[@]}"; do echo "$(name_of "$pid") $pid"; done
		} | sort | xargs)" "fluxctl sandbox shows each of them, $mode"
}

mode="own users" base=64100
start own
check_all
caps=$(field "$launcher" CapEff)
# CHOWN DAC_OVERRIDE KILL SETGID SETUID SETPCAP SYS_CHROOT at most
t_is "$((0x$caps & ~0x401e3))" 0 "the launcher keeps no other capabilities"
not_empty=
for pid in $master "${below[@]}"; do
	[ "$pid" = "$master" ] || case $(name_of "$pid") in
	net | launch-net | git-*) continue ;; # they need a path on disk
	esac
	readlink "/proc/$pid/root" | grep -q '(deleted)$' || not_empty+=" $pid"
done
t_is "$not_empty" "" "A77: an empty root without a name for who needs no files"
fluxd_stop

mode="one user" base=
chown -R 65534:65534 "$T_DIR"
cat >"$T_DIR/fluxd-as-nobody" <<-SH
	#!/bin/sh
	exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all '$FLUXD' "\$@"
SH
chmod 755 "$T_DIR/fluxd-as-nobody"
FLUXD=$T_DIR/fluxd-as-nobody
start one
check_all
t_is "$(field "$launcher" CapEff)" 0000000000000000 "the launcher has no capabilities where fluxd had none"
t_done
