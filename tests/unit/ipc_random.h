/*
 * ipc_random: fields of any row, filled with whatever their limits allow: the
 * same in each run.  A descriptor is never there.
 */
#ifndef FX_IPC_RANDOM_H
#define FX_IPC_RANDOM_H

#include "ipc.h"
#include "ipc_wire.h"
#include "test.h"

static uint64_t ipc_rng = 88172645463325252u;

static inline uint64_t
ipc_rnd(void)
{
	ipc_rng ^= ipc_rng << 13;
	ipc_rng ^= ipc_rng >> 7;
	ipc_rng ^= ipc_rng << 17;
	return ipc_rng;
}

static inline void
ipc_put_random(struct buf *b, const struct ipc_field *f)
{
	static const char text[] = "The quick brown fox";
	size_t n;
	int r = FX_OK;

	for (; f->name != NULL && r == FX_OK; f++) {
		switch (f->kind) {
		case IPC_K_U64:
			r = wire_put_u64(b, ipc_rnd() >> (ipc_rnd() % 64));
			break;
		case IPC_K_I64:
			r = wire_put_i64(b,
			    (int64_t)(ipc_rnd() >> (ipc_rnd() % 64)));
			break;
		case IPC_K_BOOL:
			r = wire_put_bool(b, ipc_rnd() & 1);
			break;
		case IPC_K_FD:
			r = wire_put_bool(b, false);
			break;
		case IPC_K_STR:
			r = wire_put_str(b, text + ipc_rnd() % 20, f->max);
			break;
		case IPC_K_BYTES:
			n = ipc_rnd() % 19;
			r = wire_put_bytes(b, text, n, f->max);
			break;
		case IPC_K_LIST:
			n = ipc_rnd() % 4;
			r = wire_put_array(b, n, f->max);
			for (size_t i = 0; r == FX_OK && i < n; i++) {
				size_t k = 0;

				while (f->record[k].name != NULL)
					k++;
				r = wire_put_array(b, k, 64);
				ipc_put_random(b, f->record);
			}
			break;
		}
	}
	want_int(r, FX_OK);
}

#endif
