#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A77, A78, A80: a running fluxd, seen from outside, in both modes.  What the
# kernel says about every process (/proc/PID) is what the roles table says:
# users, capabilities, filters, root, descriptors, environment.
set -u
n=0 failed=0
ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP descriptors of other users can be seen by root only"
	exit 0
fi
if grep -q 'FX_TEST_BUILD 1' "$FX_BUILDDIR/config.h"; then
	echo "1..0 # SKIP an instrumented build lets more through"
	exit 0
fi

dir=$(mktemp -d)
master=
cleanup() {
	[ -z "$master" ] || kill -KILL "$master" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
chmod 755 "$dir"

git init -q --bare -b master "$dir/repo"
tree=$(git -C "$dir/repo" hash-object -wt tree /dev/null)
commit=$(git -C "$dir/repo" -c user.name=a -c user.email=a@b \
	commit-tree -m one "$tree")
git -C "$dir/repo" update-ref refs/heads/master "$commit"
cat >"$dir/kubeconfig" <<'EOF'
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: "canary-token"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
EOF
mkdir "$dir/state"

field() { # PID NAME
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# Which worker it is: its second argument is the number of its role.
role() { # PID
	tr '\0' '\n' <"/proc/$1/cmdline" | sed -n 2p
}

start() { # COMMAND…
	KUBECONFIG=$dir/kubeconfig CANARY=canary-environment "$@" \
		"$FX_BUILDDIR/src/master/fluxd" --libexec-dir="$FX_BUILDDIR" \
		--git-url="file://$dir/repo" --listen="unix:$dir/state/sock" \
		--state-dir="$dir/state" >"$dir/log" 2>&1 </dev/null &
	master=$!
	for _ in $(seq 100); do
		launcher=$(pgrep -P "$master" -x fluxd-launch) &&
			[ "$(grep -c 'worker confined' "$dir/log")" -ge "$want" ] &&
			break
		sleep 0.1
	done
	workers=$(pgrep -P "$launcher")
}

stop() {
	kill -TERM "$master"
	wait "$master"
	master=
}

check_confined() { # PID NAME UID
	local bad=

	[ "$(field "$1" Seccomp)" = 2 ] || bad="$bad no filter;"
	[ "$(field "$1" NoNewPrivs)" = 1 ] || bad="$bad new privileges;"
	for set in CapInh CapPrm CapEff CapAmb; do
		[ "$(field "$1" $set)" = 0000000000000000 ] || bad="$bad $set;"
	done
	[ "$(field "$1" Uid | tr -s '\t' '\n' | sort -u)" = "$3" ] ||
		bad="$bad user $(field "$1" Uid);"
	[ -z "$(field "$1" Groups | tr -d ' ')" ] || bad="$bad groups;"
	grep -q 'canary' "/proc/$1/cmdline" && bad="$bad secret in argv;"
	if [ "$2" != master ]; then
		[ -s "/proc/$1/environ" ] && bad="$bad environment;"
		[ "$(field "$1" PPid)" = "$launcher" ] || bad="$bad parent;"
	fi
	[ -z "$bad" ] || echo "# $2 ($1):$bad"
	[ -z "$bad" ]
	ok $? "A78: $2 is confined, $mode"
}

# Only what the role table gives; no directory; nothing below /proc.
check_descriptors() { # PID NAME ALLOWED
	local bad= target

	for fd in "/proc/$1/fd"/*; do
		target=$(readlink "$fd") || continue
		if [ -d "$fd/." ]; then
			bad="$bad directory $target;"
		elif ! [[ $target =~ ^(/dev/null|$dir/log|socket:.*|$3)$ ]]; then
			bad="$bad ${fd##*/} is $target;"
		fi
	done
	[ -z "$bad" ] || echo "# $2 ($1):$bad"
	[ -z "$bad" ]
	ok $? "A77: $2 has the descriptors of its role, $mode"
}

check_all() { # BASE, empty without own users
	local uid number name

	uid=${1:-65534}
	check_confined "$master" master "$uid"
	check_descriptors "$master" master "$dir/state/.*|pipe:.*"
	for pid in $workers; do
		number=$(role "$pid")
		name=${names[$number]}
		[ -z "$1" ] || uid=$(($1 + number))
		case $name in
		git-*)
			# as the owner of the local repository
			check_confined "$pid" "$name" \
				"$(stat -c %u "$dir/repo")"
			check_descriptors "$pid" "$name" "$dir/state/.*"
			;;
		sync)
			check_confined "$pid" "$name" "$uid"
			check_descriptors "$pid" "$name" \
				"$dir/kubeconfig|/etc/ssl/.*|anon_inode:.*"
			;;
		api | net)
			check_confined "$pid" "$name" "$uid"
			check_descriptors "$pid" "$name" "anon_inode:.*"
			;;
		*)
			check_confined "$pid" "$name" "$uid"
			check_descriptors "$pid" "$name" "none"
			;;
		esac
	done
	[ "$(echo "$workers" | wc -w)" -eq "$((want - 2))" ]
	ok $? "every worker is there, $mode"
	FX_SRCDIR=$FX_SRCDIR "$FX_BUILDDIR/tests/attack/test_filters" \
		--live "$master" >"$dir/filters"
	status=$?
	[ $status -eq 0 ] || sed 's/^/# /' "$dir/filters"
	ok $status "A81: every process has its own list loaded, $mode"
}

names=(master launcher net key git-remote git-local manifest sync api)
want=8 # all but key, which a local repository does not need

mode="own users"
start env
check_all 64100
caps=$(field "$launcher" CapEff)
# CHOWN DAC_OVERRIDE KILL SETGID SETUID SETPCAP SYS_CHROOT at most
[ $((0x$caps & ~0x401e3)) -eq 0 ]
ok $? "the launcher keeps no other capabilities"
for pid in $master $workers; do
	case ${names[$(role "$pid" | grep -x '[0-9]*' || echo 0)]} in
	net | git-*) continue ;; # they need a path on disk
	esac
	readlink "/proc/$pid/root" | grep -q '(deleted)$' || echo "# $pid"
done >"$dir/roots"
cat "$dir/roots"
[ ! -s "$dir/roots" ]
ok $? "A77: an empty root without a name for who needs no files"
stop

mode="one user"
chown -R 65534:65534 "$dir"
start setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
	--bounding-set=-all
check_all ''
[ "$(field "$launcher" CapEff)" = 0000000000000000 ]
ok $? "the launcher has no capabilities where fluxd had none"
stop
echo "1..$n"
exit $failed
