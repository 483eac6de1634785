/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_wire.h"

#include <endian.h>

/* The packer's inline functions are the library's, not held to our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wundef"
#include <msgpack/pack.h>
#pragma GCC diagnostic pop

static int
write_to_buf(void *b, const char *p, size_t n)
{
	return buf_put(b, p, n) == FX_OK ? 0 : -1;
}

static msgpack_packer
packer(struct buf *b)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, b, write_to_buf);
	return pk;
}

int
wire_put_u64(struct buf *b, uint64_t v)
{
	msgpack_packer pk = packer(b);

	return msgpack_pack_uint64(&pk, v) == 0 ? FX_OK : FX_ELIMIT;
}

int
wire_put_i64(struct buf *b, int64_t v)
{
	msgpack_packer pk = packer(b);

	return msgpack_pack_int64(&pk, v) == 0 ? FX_OK : FX_ELIMIT;
}

int
wire_put_bool(struct buf *b, bool v)
{
	msgpack_packer pk = packer(b);
	int r = v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk);

	return r == 0 ? FX_OK : FX_ELIMIT;
}

int
wire_put_str(struct buf *b, const char *s, size_t max)
{
	msgpack_packer pk = packer(b);
	size_t n = s == NULL ? 0 : strlen(s);

	if (n > max || msgpack_pack_str(&pk, n) != 0)
		return FX_ELIMIT;
	return buf_put(b, s, n);
}

int
wire_put_bytes(struct buf *b, const void *p, size_t n, size_t max)
{
	msgpack_packer pk = packer(b);

	if (n > max || msgpack_pack_bin(&pk, n) != 0)
		return FX_ELIMIT;
	return buf_put(b, p, n);
}

int
wire_put_array(struct buf *b, size_t n, size_t max)
{
	msgpack_packer pk = packer(b);

	if (n > max || msgpack_pack_array(&pk, n) != 0)
		return FX_ELIMIT;
	return FX_OK;
}

static int
get_byte(struct buf *b, uint8_t *v)
{
	return buf_get(b, v, 1);
}

/* A big-endian number of 1, 2, 4 or 8 bytes. */
static int
get_be(struct buf *b, size_t width, uint64_t *v)
{
	uint8_t raw[8] = { 0 };
	int r = buf_get(b, raw + 8 - width, width);

	if (r != FX_OK)
		return r;
	memcpy(v, raw, sizeof(*v));
	*v = be64toh(*v);
	return FX_OK;
}

/* The same, refused when a shorter form would have held it. */
static int
get_shortest(struct buf *b, size_t width, uint64_t least, uint64_t *v)
{
	int r = get_be(b, width, v);

	return r == FX_OK && *v < least ? FX_ESYNTAX : r;
}

int
wire_get_u64(struct buf *b, uint64_t *v)
{
	uint8_t tag;
	int r = get_byte(b, &tag);

	if (r != FX_OK)
		return r;
	if (tag < 0x80) {
		*v = tag;
		return FX_OK;
	}
	switch (tag) {
	case 0xcc:
		return get_shortest(b, 1, 0x80, v);
	case 0xcd:
		return get_shortest(b, 2, 0x100, v);
	case 0xce:
		return get_shortest(b, 4, 0x10000, v);
	case 0xcf:
		return get_shortest(b, 8, 0x100000000, v);
	default:
		return FX_ESYNTAX;
	}
}

/* A negative number of the given width; refused above `most`, where a shorter
 * form would have held it. */
static int
get_negative(struct buf *b, size_t width, int64_t most, int64_t *v)
{
	uint64_t raw;
	int r = get_be(b, width, &raw);
	unsigned shift = (unsigned)(64 - 8 * width);

	if (r != FX_OK)
		return r;
	*v = (int64_t)(raw << shift) >> shift;
	return *v >= most ? FX_ESYNTAX : FX_OK;
}

int
wire_get_i64(struct buf *b, int64_t *v)
{
	uint8_t tag;
	uint64_t u = 0;
	int r;

	if (buf_left(b) == 0)
		return FX_ESHORT;
	tag = *buf_head(b);
	if (tag < 0x80 || (tag >= 0xcc && tag <= 0xcf)) {
		r = wire_get_u64(b, &u);
		if (r == FX_OK && u > INT64_MAX)
			r = FX_ELIMIT;
		*v = (int64_t)u;
		return r;
	}
	buf_skip(b, 1);
	if (tag >= 0xe0) {
		*v = (int8_t)tag;
		return FX_OK;
	}
	switch (tag) {
	case 0xd0:
		return get_negative(b, 1, -32, v);
	case 0xd1:
		return get_negative(b, 2, INT8_MIN, v);
	case 0xd2:
		return get_negative(b, 4, INT16_MIN, v);
	case 0xd3:
		return get_negative(b, 8, INT32_MIN, v);
	default:
		return FX_ESYNTAX;
	}
}

int
wire_get_bool(struct buf *b, bool *v)
{
	uint8_t tag;
	int r = get_byte(b, &tag);

	if (r != FX_OK)
		return r;
	if (tag != 0xc2 && tag != 0xc3)
		return FX_ESYNTAX;
	*v = tag == 0xc3;
	return FX_OK;
}

/* The length in a header with an optional short form (`fix` with `fixmask`
 * bits of length) and forms of 1, 2, 4 bytes from `tag8` on (0: no such form).
 */
static int
get_length(struct buf *b, uint8_t fix, uint8_t fixmask, uint8_t tag8,
    uint8_t tag16, uint64_t *n)
{
	uint8_t tag;
	uint64_t small = fixmask == 0 ? 0 : (uint64_t)fixmask + 1;
	int r = get_byte(b, &tag);

	if (r != FX_OK)
		return r;
	if (fixmask != 0 && (tag & ~fixmask) == fix) {
		*n = tag & fixmask;
		return FX_OK;
	}
	if (tag8 != 0 && tag == tag8)
		return get_shortest(b, 1, small, n);
	if (tag == tag16)
		return get_shortest(b, 2, tag8 != 0 ? 0x100 : small, n);
	if (tag == tag16 + 1)
		return get_shortest(b, 4, 0x10000, n);
	return FX_ESYNTAX;
}

int
wire_get_array(struct buf *b, size_t max, size_t *n)
{
	uint64_t v;
	int r = get_length(b, 0x90, 0x0f, 0, 0xdc, &v);

	if (r != FX_OK)
		return r;
	/* an element takes at least one byte: a larger count is a lie */
	if (v > max || v > buf_left(b))
		return FX_ELIMIT;
	*n = (size_t)v;
	return FX_OK;
}

static int
view(struct buf *b, uint64_t n, size_t max, const uint8_t **p, size_t *len)
{
	if (n > max)
		return FX_ELIMIT;
	if (n > buf_left(b))
		return FX_ESHORT;
	*p = buf_head(b);
	*len = (size_t)n;
	buf_skip(b, *len);
	return FX_OK;
}

int
wire_view_str(struct buf *b, size_t max, const char **s, size_t *n)
{
	const uint8_t *p;
	uint64_t v;
	int r = get_length(b, 0xa0, 0x1f, 0xd9, 0xda, &v);

	if (r == FX_OK)
		r = view(b, v, max, &p, n);
	if (r != FX_OK)
		return r;
	if (memchr(p, '\0', *n) != NULL)
		return FX_ESYNTAX;
	*s = (const char *)p;
	return FX_OK;
}

int
wire_view_bytes(struct buf *b, size_t max, const uint8_t **p, size_t *n)
{
	uint64_t v;
	int r = get_length(b, 0, 0, 0xc4, 0xc5, &v);

	return r == FX_OK ? view(b, v, max, p, n) : r;
}

int
wire_get_str(struct buf *b, size_t max, char **out)
{
	const char *s;
	size_t n;
	int r = wire_view_str(b, max, &s, &n);

	if (r == FX_OK)
		*out = xstrndup(s, n);
	return r;
}

int
wire_get_bytes(struct buf *b, size_t max, uint8_t **out, size_t *len)
{
	const uint8_t *p;
	size_t n;
	int r = wire_view_bytes(b, max, &p, &n);

	if (r != FX_OK || n == 0)
		return r;
	*out = xmalloc(n);
	memcpy(*out, p, n);
	*len = n;
	return FX_OK;
}
