/*
 * buf: a byte queue with a hard limit.
 *
 * Bytes are appended at the end and taken from the front.  The largest size
 * is chosen when the buf is born, by the code that knows who may fill it, and
 * never changes: whatever a peer claims, it cannot make us hold more.
 */
#ifndef FX_BUF_H
#define FX_BUF_H

#include "base.h"

struct buf {
	uint8_t *data; /* owned; NULL until the first byte is stored */
	size_t off;    /* first byte not yet taken; off <= len */
	size_t len;    /* bytes stored; len <= cap <= max */
	size_t cap;    /* bytes allocated at data */
	size_t max;    /* limit in bytes, fixed at birth */
};

/* clang-format off */
#define BUF_INIT(limit) { .max = (limit) }
/* clang-format on */

void buf_init(struct buf *, size_t max);

/* Append n bytes.  FX_ELIMIT past the limit; then nothing was stored. */
int buf_put(struct buf *, const void *, size_t n) FX_MUSTUSE;

/* Make room for n bytes and return where they go; NULL past the limit.  The
 * room becomes content with buf_commit. */
uint8_t *buf_reserve(struct buf *, size_t n) FX_MUSTUSE;
void buf_commit(struct buf *, size_t n);

/* Take exactly n bytes.  FX_ESHORT if fewer are left; then none is taken. */
int buf_get(struct buf *, void *, size_t n) FX_MUSTUSE;

/* The bytes not yet taken: where they are (valid until the next call that
 * changes the buf), and how many. */
const uint8_t *buf_head(const struct buf *);
size_t buf_left(const struct buf *);

/* Take n bytes without looking at them; n <= buf_left. */
void buf_skip(struct buf *, size_t n);

/* A read-only view of foreign bytes; never put into it, never clear it. */
struct buf buf_view(const void *, size_t n);

/* Forget the content but keep the memory. */
void buf_reset(struct buf *);

/* Give the memory back and become empty again; the limit stays. */
void buf_clear(struct buf *);

/* The same, and overwrite it first: for content that was secret. */
void buf_wipe(struct buf *);

#define auto_buf FX_CLEANUP(buf_clear)

#endif
