#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A77: no worker reads a byte that somebody else wrote before its filter is on.
# A trace of a whole fluxd: what each worker reads until it has loaded its own
# filter is the system's (libraries and their configuration) and the master's
# channel; afterwards, as a positive control, the key is read by fluxd-key and
# the kubeconfig by fluxd-sync.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
for program in strace ssh-keygen; do
	command -v $program >/dev/null || t_skip_all "needs $program"
done
! is_test_build || t_cannot_all "instruments read on their own account"

mkdir "$T_DIR/key"
ssh-keygen -q -N '' -t ed25519 -f "$T_DIR/key/identity"
fluxd_without_cluster

# -D: the daemon is our child, the tracer is not its parent
cat >"$T_DIR/fluxd-traced" <<-SH
	#!/bin/sh
	exec strace -D -f -y -qq -o '$T_DIR/trace' \\
		-e trace=execve,read,readv,pread64,preadv,recvfrom,recvmsg,mmap,seccomp '$FLUXD' "\$@"
SH
chmod 755 "$T_DIR/fluxd-traced"
FLUXD=$T_DIR/fluxd-traced
FLUXD_START_SECONDS=120 # traced, all is slow
fluxd_start --git-url=git@127.0.0.1:repo --k8s-secret-volume-mount-path="$T_DIR/key"
all_confined() {
	local role
	for role in net key git-remote git-local manifest sync api; do
		fluxd_logged "worker confined\" worker=$role " || return 1
	done
}
t_wait "every worker is confined" 120 all_confined
t_wait "the key was read" 120 fluxd_logged ' identity.pub='
t_wait "the kubeconfig was read" 120 grep -q 'read.*/kubeconfig>' "$T_DIR/trace"
tracer=$(sed -n 's/^TracerPid:\t//p' "/proc/$FLUXD_PID/status")
fluxd_stop
tracer_ended() { [ ! -e "/proc/$tracer" ]; }
t_wait "the trace is whole" 60 tracer_ended

# Prints: worker early|late file
awk '
$2 ~ /^execve\(/ && match($0, /"[^"]*"/) {
	name[$1] = substr($0, RSTART + 1, RLENGTH - 2)
	sub(/.*\//, "", name[$1])
}
$2 ~ /^seccomp\(/ {
	loads[$1] = $2 ~ /SECCOMP_SET_MODE_FILTER/
	if (loads[$1] && / = 0$/)
		on[$1] = 1
}
/<\.\.\. seccomp resumed>.* = 0$/ && loads[$1] { on[$1] = 1 }
$2 ~ /^(read|readv|pread64|preadv|recvfrom|recvmsg)\(/ ||
($2 ~ /^mmap\(/ && match($0, /[0-9]+<[^>]*>/)) {
	if (!match($0, /[0-9]+<[^>]*>/))
		next
	file = substr($0, RSTART, RLENGTH)
	print name[$1], on[$1] ? "late" : "early", file
}' "$T_DIR/trace" | sort -u >"$T_DIR/reads"

system='/(usr/)?lib(64)?/|/etc/ld.so.cache>|/etc/ssl/(openssl.cnf>|certs/)|/etc/localtime>'
system+='|/usr/share/zoneinfo/|/etc/gnutls/|/etc/pkcs11/|/proc/sys/|/proc/cpuinfo>'
system+='|/sys/devices/system/cpu|/etc/host.conf>|/etc/resolv.conf>|/etc/hosts>'
system+='|/etc/nsswitch.conf>|/dev/u?random>|/usr/lib/ssl/'
reads() { # WORKER WHEN: what it read
	sed -n "s/^fluxd-$1 $2 //p" "$T_DIR/reads"
}
for worker in net key git manifest sync api; do
	t_is "$(reads $worker early | grep -v -E "^[0-9]+<($system)" | grep -v -E '^3<(socket|UNIX)')" "" \
		"A77: fluxd-$worker reads nothing foreign before its filter is on"
	t_isnt "$(reads $worker late)" "" "control: fluxd-$worker reads, afterwards"
done
t_like "$(reads key late)" "$T_DIR/key/identity>" "control: fluxd-key reads its key, afterwards"
t_like "$(reads sync late)" "$T_DIR/kubeconfig>" "control: fluxd-sync reads its kubeconfig, afterwards"
t_is "$(grep -E "/key/identity>|/kubeconfig>" "$T_DIR/reads" |
	grep -v -e '^fluxd-key ' -e '^fluxd-sync ' -e '^fluxd early .*/kubeconfig>')" "" \
	"A77: nobody else reads them"
t_done
