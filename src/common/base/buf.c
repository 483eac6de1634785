/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "buf.h"

#define BUF_FIRST 256 /* bytes of a first allocation */

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

/* Move what is left to the front, so that taken bytes do not count. */
static void
compact(struct buf *b)
{
	if (b->off == 0)
		return;
	if (b->len != b->off)
		memmove(b->data, b->data + b->off, b->len - b->off);
	b->len -= b->off;
	b->off = 0;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t cap;

	if (n > b->max || b->len - b->off > b->max - n)
		return NULL;
	if (b->cap - b->len >= n)
		return b->data == NULL && n == 0 ? (uint8_t *)""
						 : b->data + b->len;
	compact(b);
	if (b->cap - b->len >= n)
		return b->data + b->len;
	cap = b->cap == 0 ? BUF_FIRST : b->cap;
	while (cap < b->len + n)
		cap = cap > SIZE_MAX / 2 ? b->len + n : cap * 2;
	if (cap > b->max)
		cap = b->max;
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
	return b->data + b->len;
}

void
buf_commit(struct buf *b, size_t n)
{
	b->len += n;
}

int
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL)
		return FX_ELIMIT;
	if (n != 0)
		memcpy(to, p, n);
	buf_commit(b, n);
	return FX_OK;
}

int
buf_get(struct buf *b, void *p, size_t n)
{
	if (buf_left(b) < n)
		return FX_ESHORT;
	if (n != 0)
		memcpy(p, b->data + b->off, n);
	buf_skip(b, n);
	return FX_OK;
}

const uint8_t *
buf_head(const struct buf *b)
{
	return b->data == NULL ? (const uint8_t *)"" : b->data + b->off;
}

size_t
buf_left(const struct buf *b)
{
	return b->len - b->off;
}

void
buf_skip(struct buf *b, size_t n)
{
	b->off += n;
	/* A view (cap 0) keeps its place; an owned buf starts over when empty.
	 */
	if (b->off == b->len && b->cap != 0)
		b->off = b->len = 0;
}

struct buf
buf_view(const void *p, size_t n)
{
	/* The cast drops const: reading functions never write through it. */
	return (struct buf){ .data = (uint8_t *)(uintptr_t)p, .len = n };
}

void
buf_reset(struct buf *b)
{
	b->off = b->len = 0;
}

void
buf_clear(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->off = b->len = b->cap = 0;
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}
