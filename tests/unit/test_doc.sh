#!/bin/sh
# The documents that are printed from the tables equal them, and a manual page
# that lacks a flag, or has one too many, is not printed.
n=0
fail=0

# ok NAME STATUS
ok() {
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		fail=1
	fi
}

for d in ipc flags metrics; do
	"$FX_BUILDDIR/doc/print_tables" $d | cmp -s - "$FX_SRCDIR/doc/$d.md"
	ok "doc/$d.md equals its table (make doc)" $?
done

for p in fluxctl.1 fluxd.8; do
	"$FX_BUILDDIR/doc/print_man" ${p%.*} <"$FX_SRCDIR/doc/$p.in" |
		cmp -s - "$FX_SRCDIR/doc/$p"
	ok "doc/$p equals its text and its table (make doc)" $?
done

# refused NAME CHANGE WHY: fluxd's text with something changed in it
refused() {
	sed "$2" "$FX_SRCDIR/doc/fluxd.8.in" |
		"$FX_BUILDDIR/doc/print_man" fluxd 2>&1 >/dev/null | grep -q "$3"
	ok "no page: $1" $?
}
refused "a flag without a place" 's/^@print flags git-url/@print flags/' \
	'^print_man: --git-url is printed 0 times$'
refused "a flag with two places" 's/^@print flags git-url/& git-url/' \
	'^print_man: --git-url is printed 2 times$'
refused "a flag that there is not" 's/^@print flags git-url/&s/' \
	'^print_man: there is no flag --git-urls$'
refused "words about a flag that there is not" 's/^@--git-url$/&s/' \
	': @--git-urls: there is no entry for it$'

echo "1..$n"
exit $fail
