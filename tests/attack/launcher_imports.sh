#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A79: the launcher's filter refuses socket and connect, that of who starts the
# connector cannot; but neither has any code for them.  Master and launcher link
# libc and libseccomp only.
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

launcher=$FX_BUILDDIR/fluxd-launch
imports=$(nm -D --undefined-only "$launcher" | awk '{ sub(/@.*/, "", $2); print $2 }')
bad=$(echo "$imports" | grep -x -e socket -e connect -e bind -e listen \
	-e accept -e accept4 -e getaddrinfo -e dlopen -e system -e popen)
[ -z "$bad" ] || echo "# $bad"
[ -n "$imports" ] && [ -z "$bad" ]
ok $? "A79: the launcher, both its processes, has no code to make or connect a socket"

for program in "$launcher" "$FX_BUILDDIR/src/master/fluxd"; do
	libs=$(ldd "$program" | sed 's/^[[:space:]]*//; s/[ .].*//' |
		grep -v -e '^linux-vdso' -e '^/lib64/ld-linux' -e '^ld-linux' |
		sort | tr '\n' ' ')
	[ "$libs" = "libc libseccomp " ] || echo "# $program: $libs"
	[ "$libs" = "libc libseccomp " ]
	ok $? "$(basename "$program") links libc and libseccomp only"
done
# libcurl's 20 libraries are for those who need it
for program in git key net manifest api; do
	if ldd "$FX_BUILDDIR/fluxd-$program" | grep -e libcurl -e libssl >/dev/null; then false; else true; fi
	ok $? "fluxd-$program does not link libcurl"
done
ldd "$FX_BUILDDIR/fluxd-git-http" | grep libcurl >/dev/null
ok $? "fluxd-git-http does"
echo "1..$n"
exit $failed
