#!/usr/bin/env bash
# Memory that cannot be had ends a worker with words and with a status of its
# own: under a filter, abort would look like a forbidden call.  The last
# allocations of each one's work fail in turn (faults.c).  What a library does
# without is refused or done without; nobody is killed by a signal.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "the shim and the sanitizers are in each other's way"
last=6 # allocations of each role
# upstream connects and is told no meanwhile, or after it has ended
declare -A not_always=([10]=20)

libexec=$T_DIR/libexec
mkdir -p "$libexec/real"
ln -s "$FX_BUILDDIR"/fluxd-* "$libexec/real/"
ln -s "$FX_BUILDDIR/tests/attack/faults.so" "$libexec/"
for program in net key git manifest sync api upstream; do
	ln -s "$FX_BUILDDIR/tests/attack/faulty" "$libexec/fluxd-$program"
done

smoke() { # OUTPUT
	FX_BUILDDIR=$libexec "$FX_BUILDDIR/tests/attack/test_smoke" >"$1" 2>&1 || true
}

roles=(net:2 key:3 git-remote:4 git-local:5 manifest:6 sync:7 api:8 upstream:10) # roles.def
for role in "${roles[@]}"; do
	echo "malloc 0" >"$libexec/fault.${role#*:}"
done
smoke "$T_DIR/counted"
for ((i = 0; i < last; i++)); do
	for role in "${roles[@]}"; do
		n=$(sed -n "s/^count ${role#*:} malloc //p" "$T_DIR/counted" | head -n 1)
		n=$((n - ${not_always[${role#*:}]:-0}))
		echo "malloc $((n - i))" >"$libexec/fault.${role#*:}"
	done
	smoke "$T_DIR/failed.$i"
done

for role in "${roles[@]}"; do
	t_is "$(cat "$T_DIR"/failed.* | grep -c "^fault ${role#*:} malloc")" "$last" "${role%:*}: the last $last allocations fail in turn"
done
said=$(cat "$T_DIR"/failed.* | grep -c '^out of memory')
t_isnt "$said" 0 "some end for it"
t_is "$(cat "$T_DIR"/failed.* | sed -n 's/^# the worker ended: //p' | sort | uniq -c | xargs)" \
	"$said exit status 72" "each with the status that says so, nobody by a signal"
t_done
