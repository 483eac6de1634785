#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fluxctl against recorded exchanges, and against the unmodified client.
# FLUXCTL: the program to test; BED_UPSTREAM_FLUXCTL: the unmodified client.
here=${FX_SRCDIR:-.}/tests/compat/ctl
if ! command -v python3 >/dev/null; then
	echo "1..0 # SKIP python3 is needed"
	exit 0
fi
FLUXCTL=${FLUXCTL:-${FX_BUILDDIR:-.}/src/fluxctl/fluxctl}
export FLUXCTL
exec python3 "$here/exchanges.py" "$@"
