#!/usr/bin/env bash
# fluxd-sync and its credentials against a real API server.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \
	/O=system:masters/CN=sync-test -keyout "$T_DIR/client.key" \
	-out "$T_DIR/client.csr" 2>/dev/null
openssl x509 -req -in "$T_DIR/client.csr" -days 1 -set_serial 77 \
	-CA "$BED_DIR/pki/ca.crt" -CAkey "$BED_DIR/pki/ca.key" \
	-out "$T_DIR/client.crt" 2>/dev/null
export BED_CLIENT_CERT="$T_DIR/client.crt" BED_CLIENT_KEY="$T_DIR/client.key"
"$FX_BUILDDIR"/tests/integration/test_sync_login
