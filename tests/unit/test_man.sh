#!/bin/sh
# doc/fluxd.8 has an entry for every flag of the table, with its default, and
# none for anything else.
page=$FX_SRCDIR/doc/fluxd.8
table=$FX_SRCDIR/doc/flags.md
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

awk -F' [|] ' '/^[|] `--/ {
	sub(/^[|] `--/, "", $1)
	sub(/`.*/, "", $1)
	gsub(/`/, "", $3)
	gsub(/ /, "", $2)
	print $1 "\t" ($2 == "bool" && $3 == "false" ? "" : $3)
}' "$table" | sort >"$tmp/want"

awk '
function put() { if (flag != "") print flag "\t" def }
/^[.]It .*Fl -/ {
	put()
	flag = $0
	sub(/.*Fl -/, "", flag)
	sub(/ .*/, "", flag)
	def = ""
}
/^[.]El/ { put(); flag = "" }
/^[.]Sh SIGNALS/ { exit }
after && /^[.]Ql / { def = $0; sub(/^[.]Ql /, "", def); sub(/ [.]$/, "", def) }
{ after = $0 == "Default:" }
' "$page" | sort >"$tmp/got"

echo 1..2
if [ -s "$tmp/want" ]; then echo ok 1 - the table has flags
else echo not ok 1 - the table has flags; fi
if diff "$tmp/want" "$tmp/got" >"$tmp/diff"; then
	echo ok 2 - the page has them, with their defaults
else
	sed 's/^/# /' "$tmp/diff"
	echo not ok 2 - the page has them, with their defaults
fi
