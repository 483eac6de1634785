/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_hosts files of any content.  The matcher answers, and a host with a
 * key of the right type and bytes in front of all other lines is known.
 */
#include "base.h"

#include "fuzz.h"
#include "known_hosts.h"
#include "str.h"

/* The line of a host that the input cannot take back, but by revoking it. */
#define LINE                                                                   \
	"h.example.org ssh-ed25519 "                                           \
	"AAAAC3NzaC1lZDI1NTE5AAAAIEm/gmyJ3la8dgI0rqxm1M4mZF3jD2IrUspaF5Gwq5Kw"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf blob = BUF_INIT(256), types = BUF_INIT(65536);
	const char *key = strrchr(LINE, ' ') + 1;
	struct known_hosts k;
	enum known_host r;

	if (size > 65536 || str_unbase64(key, strlen(key), &blob) != FX_OK)
		return 0;
	known_hosts_init(&k);
	if (known_hosts_add(&k, LINE, strlen(LINE)) != FX_OK ||
	    known_hosts_add(&k, data, size) != FX_OK)
		abort();
	r = known_hosts_check(&k, "H.example.org", 22, buf_head(&blob),
	    buf_left(&blob));
	if (r != KNOWN_HOST_OK && r != KNOWN_HOST_REVOKED)
		abort();
	(void)known_hosts_check(&k, "[::1]", 2222, data, size);
	known_hosts_types(&k, "h.example.org", 2222, &types);
	known_hosts_clear(&k);
	return 0;
}
