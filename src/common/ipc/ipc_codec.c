/* SPDX-License-Identifier: Apache-2.0 */
/* Encode, decode and clear for every row of the message table. */
#include "base.h"
#include "ipc.h"
#include "ipc_wire.h"

#include <unistd.h>

/* How many fields a row has. */
#define IPC_U64(f) +1
#define IPC_I64(f) +1
#define IPC_BOOL(f) +1
#define IPC_STR(f, max) +1
#define IPC_BYTES(f, max) +1
#define IPC_FD(f) +1
#define IPC_LIST(rec, f, max) +1
#define IPC_RECORD(n, ...) enum { ipc_##n##_nfields = 0 __VA_ARGS__ };
#define IPC_MSG(id, n, from, to, ph, kind, ...) IPC_RECORD(n, __VA_ARGS__)
#include "ipc_messages.def"
#include "ipc_undef.h"

/* ---- encode -------------------------------------------------------------- */

/* clang-format off */
#define PUT(x) do { int r_ = (x); if (r_ != FX_OK) return r_; } while (0);
#define IPC_U64(f) PUT(wire_put_u64(b, m->f))
#define IPC_I64(f) PUT(wire_put_i64(b, m->f))
#define IPC_BOOL(f) PUT(wire_put_bool(b, m->f))
#define IPC_STR(f, max) PUT(wire_put_str(b, m->f, max))
#define IPC_BYTES(f, max) PUT(wire_put_bytes(b, m->f.p, m->f.n, max))
#define IPC_FD(f) PUT(wire_put_bool(b, m->f != -1)) *fd = m->f;
#define IPC_LIST(rec, f, max)						\
	PUT(wire_put_array(b, m->f##_len, max))				\
	for (size_t i = 0; i < m->f##_len; i++)				\
		PUT(ipc_##rec##_encode(b, &m->f[i], fd))
#define IPC_RECORD(n, ...)						\
int									\
ipc_##n##_encode(struct buf *b, const struct ipc_##n *m, int *fd)	\
{									\
	(void)m;							\
	(void)fd;							\
	PUT(wire_put_array(b, ipc_##n##_nfields, 64))			\
	__VA_ARGS__							\
	return FX_OK;							\
}
/* A message's array header stands in front of the envelope: fields only. */
#define IPC_MSG(id, n, from, to, ph, kind, ...)				\
int									\
ipc_##n##_encode(struct buf *b, const struct ipc_##n *m, int *fd)	\
{									\
	(void)b;							\
	(void)m;							\
	(void)fd;							\
	__VA_ARGS__							\
	return FX_OK;							\
}
#include "ipc_messages.def"
#include "ipc_undef.h"

/* ---- clear --------------------------------------------------------------- */

#define IPC_U64(f)
#define IPC_I64(f)
#define IPC_BOOL(f)
#define IPC_STR(f, max) free(m->f); m->f = NULL;
#define IPC_BYTES(f, max) free(m->f.p); m->f.p = NULL; m->f.n = 0;
#define IPC_FD(f) if (m->f != -1) close(m->f); m->f = -1;
#define IPC_LIST(rec, f, max)						\
	for (size_t i = 0; i < m->f##_len; i++)				\
		ipc_##rec##_clear(&m->f[i]);				\
	free(m->f);							\
	m->f = NULL;							\
	m->f##_len = 0;
#define IPC_RECORD(n, ...)						\
void									\
ipc_##n##_clear(struct ipc_##n *m)					\
{									\
	(void)m;							\
	__VA_ARGS__							\
}
#define IPC_MSG(id, n, from, to, ph, kind, ...) IPC_RECORD(n, __VA_ARGS__)
#include "ipc_messages.def"
#include "ipc_undef.h"

/* ---- decode; a failure leaves *m empty ------------------------------------ */

static int
get_fd(struct buf *b, int *field, int *fd)
{
	bool there;
	int r = wire_get_bool(b, &there);

	if (r != FX_OK)
		return r;
	/* a descriptor comes exactly when the field says so */
	if (there != (*fd != -1))
		return FX_ESYNTAX;
	*field = *fd;
	*fd = -1;
	return FX_OK;
}

static int
get_nfields(struct buf *b, size_t wanted)
{
	size_t n;
	int r = wire_get_array(b, 64, &n);

	return r == FX_OK && n != wanted ? FX_ESYNTAX : r;
}

/* What a member is before it was decoded, so that clear is always right. */
#define IPC_U64(f)
#define IPC_I64(f)
#define IPC_BOOL(f)
#define IPC_STR(f, max)
#define IPC_BYTES(f, max)
#define IPC_FD(f) m->f = -1;
#define IPC_LIST(rec, f, max)
#define IPC_RECORD(n, ...)						\
static void								\
ipc_##n##_start(struct ipc_##n *m)					\
{									\
	memset(m, 0, sizeof(*m));					\
	__VA_ARGS__							\
}
#define IPC_MSG(id, n, from, to, ph, kind, ...) IPC_RECORD(n, __VA_ARGS__)
#include "ipc_messages.def"
#include "ipc_undef.h"

#define GET(x) r = (x); if (r != FX_OK) goto fail;
#define IPC_U64(f) GET(wire_get_u64(b, &m->f))
#define IPC_I64(f) GET(wire_get_i64(b, &m->f))
#define IPC_BOOL(f) GET(wire_get_bool(b, &m->f))
#define IPC_STR(f, max) GET(wire_get_str(b, max, &m->f))
#define IPC_BYTES(f, max) GET(wire_get_bytes(b, max, &m->f.p, &m->f.n))
#define IPC_FD(f) GET(get_fd(b, &m->f, fd))
#define IPC_LIST(rec, f, max)						\
	GET(wire_get_array(b, max, &count))				\
	if (count != 0)							\
		m->f = xcalloc(count, sizeof(*m->f));			\
	for (; m->f##_len < count; m->f##_len++) {			\
		GET(ipc_##rec##_decode(b, &m->f[m->f##_len], fd))	\
	}
/* Of a record the rest is somebody else's; of a message there is none. */
#define DECODER(n, header, rest, ...)					\
int									\
ipc_##n##_decode(struct buf *b, struct ipc_##n *m, int *fd)		\
{									\
	size_t count = 0;						\
	int r;								\
									\
	(void)b;							\
	(void)fd;							\
	(void)count;							\
	ipc_##n##_start(m);						\
	GET(header)							\
	__VA_ARGS__							\
	GET(rest)							\
	return FX_OK;							\
fail:									\
	ipc_##n##_clear(m);						\
	return r;							\
}
#define IPC_RECORD(n, ...)						\
	DECODER(n, get_nfields(b, ipc_##n##_nfields), FX_OK, __VA_ARGS__)
#define IPC_MSG(id, n, from, to, ph, kind, ...)				\
	DECODER(n, FX_OK, buf_left(b) == 0 ? FX_OK : FX_ESYNTAX, __VA_ARGS__)
#include "ipc_messages.def"
#include "ipc_undef.h"
/* clang-format on */
