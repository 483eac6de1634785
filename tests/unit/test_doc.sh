#!/bin/sh
# The documents that are printed from the tables equal them.
n=0
fail=0
for d in ipc flags metrics; do
	n=$((n + 1))
	if "$FX_BUILDDIR/doc/print_tables" $d | cmp -s - "$FX_SRCDIR/doc/$d.md"; then
		echo "ok $n - doc/$d.md equals its table"
	else
		echo "not ok $n - doc/$d.md equals its table (make doc)"
		fail=1
	fi
done
echo "1..$n"
exit $fail
