/*
 * ipc_wire: the primitives of the wire format, MessagePack in its shortest
 * form.
 *
 * Writing uses msgpack-c's packer over a buf.  Reading takes one header at a
 * time and compares it with what is left before anything is allocated; the
 * library's whole-object unpacker stays outside the trust boundary.  A number
 * or length not in its shortest form is refused, so that what decodes encodes
 * to the same bytes.
 *
 * Readers return FX_OK, FX_ESHORT (input ends), FX_ESYNTAX (another type) or
 * FX_ELIMIT; writers FX_OK or FX_ELIMIT.
 */
#ifndef FX_IPC_WIRE_H
#define FX_IPC_WIRE_H

#include "base.h"
#include "buf.h"

int wire_put_u64(struct buf *, uint64_t) FX_MUSTUSE;
int wire_put_i64(struct buf *, int64_t) FX_MUSTUSE;
int wire_put_bool(struct buf *, bool) FX_MUSTUSE;
int wire_put_str(struct buf *, const char *, size_t max) FX_MUSTUSE;
int wire_put_bytes(struct buf *, const void *, size_t n, size_t max) FX_MUSTUSE;
int wire_put_array(struct buf *, size_t n, size_t max) FX_MUSTUSE;

int wire_get_u64(struct buf *, uint64_t *) FX_MUSTUSE;
int wire_get_i64(struct buf *, int64_t *) FX_MUSTUSE;
int wire_get_bool(struct buf *, bool *) FX_MUSTUSE;
/* The number of elements; never more than max or than bytes are left. */
int wire_get_array(struct buf *, size_t max, size_t *n) FX_MUSTUSE;
/* The text as a view into the buf's memory; no NUL inside. */
int
wire_view_str(struct buf *, size_t max, const char **, size_t *n) FX_MUSTUSE;
int wire_view_bytes(struct buf *, size_t max, const uint8_t **,
    size_t *n) FX_MUSTUSE;
/* Copies, owned by the caller. */
int wire_get_str(struct buf *, size_t max, char **) FX_MUSTUSE;
int wire_get_bytes(struct buf *, size_t max, uint8_t **, size_t *n) FX_MUSTUSE;

#endif
