/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ssh_wire.h"

int
sshw_get_u32(struct buf *b, uint32_t *v)
{
	uint8_t p[4];

	if (buf_get(b, p, sizeof(p)) != FX_OK)
		return FX_ESHORT;
	*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
	    p[3];
	return FX_OK;
}

int
sshw_get_string(struct buf *b, struct buf *view)
{
	uint32_t n;

	if (sshw_get_u32(b, &n) != FX_OK || n > buf_left(b))
		return FX_ESHORT;
	*view = buf_view(buf_head(b), n);
	buf_skip(b, n);
	return FX_OK;
}

/* Every writer ends here: a full buf means that a limit of ours is wrong. */
static void
put(struct buf *b, const void *p, size_t n)
{
	if (buf_put(b, p, n) != FX_OK)
		fx_bug("ssh_wire: no room for %zu bytes in %zu", n, b->max);
}

void
sshw_put_u32(struct buf *b, uint32_t n)
{
	put(b,
	    (const uint8_t[]){ (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n },
	    4);
}

void
sshw_put_string(struct buf *b, const void *p, size_t n)
{
	sshw_put_u32(b, (uint32_t)n);
	put(b, p, n);
}

void
sshw_put_mpint(struct buf *b, const uint8_t *p, size_t n)
{
	bool sign; /* the top bit is set: a zero byte keeps it positive */

	for (; n > 0 && *p == 0; p++)
		n--;
	sign = n > 0 && (*p & 0x80) != 0;
	sshw_put_u32(b, (uint32_t)(n + sign));
	put(b, "", sign);
	put(b, p, n);
}

bool
sshw_equal(const struct buf *a, const struct buf *b)
{
	return buf_left(a) == buf_left(b) &&
	    memcmp(buf_head(a), buf_head(b), buf_left(a)) == 0;
}

bool
sshw_is(const struct buf *b, const char *text)
{
	const struct buf t = buf_view(text, strlen(text));

	return sshw_equal(b, &t);
}
