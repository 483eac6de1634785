#!/usr/bin/env bash
# Memory that cannot be had ends a worker with words and with a status of its
# own: under a filter, abort would look like a forbidden call.  The last
# allocations of each one's work fail in turn (faults.c).  What a library does
# without is refused or done without; nobody is killed by a signal.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "the shim and the sanitizers are in each other's way"
last=6 # allocations of each role
rounds=40

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
declare -A next failed
for role in "${roles[@]}"; do
	next[$role]=$(sed -n "s/^count ${role#*:} malloc //p" "$T_DIR/counted" | head -n 1)
	failed[$role]=0
done
# From the last one backwards.  How many there are differs: some answers come in
# two pieces, or not before the end.  Where the last one was too late, earlier ones
# are what is called the last.
for ((i = 0; i < rounds; i++)); do
	armed=()
	for role in "${roles[@]}"; do
		[ "${failed[$role]}" -lt "$last" ] || continue
		echo "malloc ${next[$role]}" >"$libexec/fault.${role#*:}"
		armed+=("$role")
	done
	[ ${#armed[@]} -ne 0 ] || break
	smoke "$T_DIR/failed.$i"
	for role in "${armed[@]}"; do
		if grep -q "^fault ${role#*:} malloc" "$T_DIR/failed.$i"; then
			failed[$role]=$((failed[$role] + 1))
			next[$role]=$((next[$role] - 1))
		else
			next[$role]=$((next[$role] - 5))
		fi
	done
done

for role in "${roles[@]}"; do
	t_is "${failed[$role]}" "$last" "${role%:*}: the last $last allocations fail in turn"
done
t_diag "$i rounds"
said=$(cat "$T_DIR"/failed.* | grep -c '^out of memory')
t_isnt "$said" 0 "some end for it"
t_is "$(cat "$T_DIR"/failed.* | sed -n 's/^# the worker ended: //p' | sort | uniq -c | xargs)" \
	"$said exit status 72" "each with the status that says so, nobody by a signal"
t_done
