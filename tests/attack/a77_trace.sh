#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A77: no worker reads a byte that somebody else wrote before its filter is on.
# A trace of a whole fluxd: what each worker reads until it has loaded its own
# filter is the system's (libraries and their configuration) and the master's
# channel; afterwards, as a positive control, the key is read by fluxd-key and
# the kubeconfig by fluxd-sync.
set -u

if ! command -v strace >/dev/null || ! command -v ssh-keygen >/dev/null; then
	echo "1..0 # SKIP needs strace and ssh-keygen"
	exit 0
fi
if grep -q 'FX_TEST_BUILD 1' "$FX_BUILDDIR/config.h"; then
	echo "1..0 # SKIP instruments read on their own account"
	exit 0
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/key" "$dir/state"
ssh-keygen -q -N '' -t ed25519 -f "$dir/key/identity"
cat >"$dir/kubeconfig" <<'EOF'
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: "abc"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
EOF

export KUBECONFIG=$dir/kubeconfig
strace -f -y -qq -o "$dir/trace" \
	-e trace=execve,read,readv,pread64,preadv,recvfrom,recvmsg,mmap,seccomp \
	"$FX_BUILDDIR/src/master/fluxd" --libexec-dir="$FX_BUILDDIR" \
	--git-url=git@127.0.0.1:repo --listen="unix:$dir/state/sock" \
	--state-dir="$dir/state" --k8s-secret-volume-mount-path="$dir/key" \
	>"$dir/log" 2>&1 &
tracer=$!
for _ in $(seq 150); do
	[ "$(grep -c 'worker confined' "$dir/log")" -ge 9 ] && break
	sleep 0.1
done
sleep 1 # the key and the kubeconfig are read
fluxd=$(pgrep -P "$tracer" -x fluxd)
kill -TERM "$fluxd"
wait "$tracer"

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
}' "$dir/trace" | sort -u >"$dir/reads"

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

system='/(usr/)?lib(64)?/|/etc/ld.so.cache>|/etc/ssl/(openssl.cnf>|certs/)|/etc/localtime>'
system+='|/usr/share/zoneinfo/|/etc/gnutls/|/etc/pkcs11/|/proc/sys/|/proc/cpuinfo>'
system+='|/sys/devices/system/cpu|/etc/host.conf>|/etc/resolv.conf>|/etc/hosts>'
system+='|/etc/nsswitch.conf>|/dev/u?random>|/usr/lib/ssl/'
for worker in net key git manifest sync api; do
	early=$(sed -n "s/^fluxd-$worker early //p" "$dir/reads" |
		grep -v -E "^[0-9]+<($system)" | grep -v -E '^3<(socket|UNIX)')
	[ -z "$early" ] || echo "$early" | sed 's/^/# /'
	[ -z "$early" ] && grep -q "^fluxd-$worker late " "$dir/reads"
	ok $? "A77: fluxd-$worker reads nothing foreign before its filter is on"
done
grep -q "^fluxd-key late .*$dir/key/identity>" "$dir/reads"
ok $? "control: fluxd-key reads its key, afterwards"
grep -q "^fluxd-sync late .*$dir/kubeconfig>" "$dir/reads"
ok $? "control: fluxd-sync reads its kubeconfig, afterwards"
! grep -E "/key/identity>|/kubeconfig>" "$dir/reads" |
	grep -v -e '^fluxd-key ' -e '^fluxd-sync ' -e '^fluxd early .*/kubeconfig>'
ok $? "A77: nobody else reads them"
[ $failed -eq 0 ] || sed 's/^/# /' "$dir/log"
echo "1..$n"
exit $failed
