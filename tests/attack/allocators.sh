#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The C library's allocator decides which system calls a filter sees, and its
# settings change from one release to the next: every worker does some work
# under each of them.
set -u
n=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

under() { # PROGRAM SETTING…
	program=$1
	shift
	n=$((n + 1))
	if env "$@" "$FX_BUILDDIR/$program" >"$log" 2>&1; then
		echo "ok $n - $(basename "$program") under $*"
	else
		sed 's/^/# /' "$log"
		echo "not ok $n - $(basename "$program") under $*"
		failed=1
	fi
}

smoke=tests/attack/test_smoke
under $smoke MALLOC_ARENA_MAX=1
under $smoke MALLOC_PERTURB_=170
under $smoke MALLOC_MMAP_THRESHOLD_=4096 MALLOC_TRIM_THRESHOLD_=0
under $smoke MALLOC_TOP_PAD_=0 MALLOC_MMAP_MAX_=0
under $smoke GLIBC_TUNABLES=glibc.malloc.tcache_count=0
under $smoke GLIBC_TUNABLES=glibc.malloc.hugetlb=1
# more work, under what changes most
for t in tests/unit/test_key_worker tests/unit/test_net_worker; do
	under $t MALLOC_PERTURB_=170 MALLOC_MMAP_THRESHOLD_=4096 \
		MALLOC_TRIM_THRESHOLD_=0 \
		GLIBC_TUNABLES=glibc.malloc.tcache_count=0
done
echo "1..$n"
exit $failed
