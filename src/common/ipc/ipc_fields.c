/* SPDX-License-Identifier: Apache-2.0 */
/* What the table says about fields: for the walk, traces and documents. */
#include "base.h"
#include "ipc.h"
#include "ipc_wire.h"
#include "str.h"

/* clang-format off */
#define IPC_U64(f) { #f, IPC_K_U64, 0, NULL },
#define IPC_I64(f) { #f, IPC_K_I64, 0, NULL },
#define IPC_BOOL(f) { #f, IPC_K_BOOL, 0, NULL },
#define IPC_STR(f, max) { #f, IPC_K_STR, max, NULL },
#define IPC_BYTES(f, max) { #f, IPC_K_BYTES, max, NULL },
#define IPC_FD(f) { #f, IPC_K_FD, 0, NULL },
#define IPC_LIST(rec, f, max) { #f, IPC_K_LIST, max, rec_##rec },
#define IPC_RECORD(n, ...)						\
	static const struct ipc_field rec_##n[] = { __VA_ARGS__ { 0 } };
#define IPC_MSG(id, n, from, to, ph, kind, ...)				\
	static const struct ipc_field msg_##n[] = { __VA_ARGS__ { 0 } };
#include "ipc_messages.def"
#include "ipc_undef.h"
/* clang-format on */

static const struct ipc_field *const fields[IPC_T_COUNT] = {
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, ...) [IPC_T_##id] = msg_##n,
#include "ipc_messages.def"
#include "ipc_undef.h"
};

static const struct ipc_field none[] = { { 0 } };

const struct ipc_field *
ipc_fields(uint32_t type)
{
	return type == IPC_T_NONE || type >= IPC_T_COUNT ? none : fields[type];
}

bool
ipc_may_have_fd(uint32_t type)
{
	for (const struct ipc_field *f = ipc_fields(type); f->name != NULL; f++)
		if (f->kind == IPC_K_FD)
			return true;
	return false;
}

size_t
ipc_nfields(uint32_t type)
{
	const struct ipc_field *f = ipc_fields(type);
	size_t n = 0;

	while (f[n].name != NULL)
		n++;
	return n;
}

static int walk_fields(const struct ipc_field *, struct buf *, bool *has_fd);

static int
walk_list(const struct ipc_field *f, struct buf *b)
{
	bool no_fd_in_records = false;
	size_t n, count = 0, wanted = 0;
	int r = wire_get_array(b, f->max, &n);

	for (const struct ipc_field *q = f->record; q->name != NULL; q++)
		wanted++;
	for (size_t i = 0; r == FX_OK && i < n; i++) {
		r = wire_get_array(b, 64, &count);
		if (r == FX_OK && count != wanted)
			r = FX_ESYNTAX;
		if (r == FX_OK)
			r = walk_fields(f->record, b, &no_fd_in_records);
	}
	return r;
}

static int
walk_field(const struct ipc_field *f, struct buf *b, bool *has_fd)
{
	const uint8_t *p;
	const char *s;
	uint64_t u;
	int64_t v;
	size_t n;
	bool yes;

	switch (f->kind) {
	case IPC_K_U64:
		return wire_get_u64(b, &u);
	case IPC_K_I64:
		return wire_get_i64(b, &v);
	case IPC_K_BOOL:
		return wire_get_bool(b, &yes);
	case IPC_K_FD:
		return wire_get_bool(b, has_fd);
	case IPC_K_STR:
		return wire_view_str(b, f->max, &s, &n);
	case IPC_K_BYTES:
		return wire_view_bytes(b, f->max, &p, &n);
	case IPC_K_LIST:
		return walk_list(f, b);
	}
	return FX_EUNKNOWN;
}

/* Lists do not nest deeper than the table says, so neither does this. */
static int
walk_fields(const struct ipc_field *f, struct buf *b, bool *has_fd)
{
	int r = FX_OK;

	for (; r == FX_OK && f->name != NULL; f++)
		r = walk_field(f, b, has_fd);
	return r;
}

int
ipc_walk(uint32_t type, const struct buf *body, bool *has_fd)
{
	struct buf b = buf_view(buf_head(body), buf_left(body));
	int r;

	*has_fd = false;
	r = walk_fields(ipc_fields(type), &b, has_fd);

	return r == FX_OK && buf_left(&b) != 0 ? FX_ESYNTAX : r;
}

#define PRINT_MAX 80 /* bytes of one value in a trace */

static void
print_field(struct buf *out, const struct ipc_field *f, struct buf *b)
{
	const uint8_t *p = NULL;
	const char *s = NULL;
	uint64_t u = 0;
	int64_t v = 0;
	size_t n = 0;
	bool yes = false;

	(void)str_addf(out, " %s=", f->name);
	if (f->kind == IPC_K_U64 && wire_get_u64(b, &u) == FX_OK) {
		(void)str_addf(out, "%llu", (unsigned long long)u);
	} else if (f->kind == IPC_K_I64 && wire_get_i64(b, &v) == FX_OK) {
		(void)str_addf(out, "%lld", (long long)v);
	} else if ((f->kind == IPC_K_BOOL || f->kind == IPC_K_FD) &&
	    wire_get_bool(b, &yes) == FX_OK) {
		(void)str_add(out, yes ? "true" : "false");
	} else if (f->kind == IPC_K_STR &&
	    wire_view_str(b, f->max, &s, &n) == FX_OK) {
		str_printable(out, s, n, PRINT_MAX);
	} else if (f->kind == IPC_K_BYTES &&
	    wire_view_bytes(b, f->max, &p, &n) == FX_OK) {
		(void)str_addf(out, "(%zu bytes)", n);
	} else if (f->kind == IPC_K_LIST) {
		struct buf peek = buf_view(buf_head(b), buf_left(b));

		if (wire_get_array(&peek, f->max, &n) == FX_OK &&
		    walk_list(f, b) == FX_OK)
			(void)str_addf(out, "[%zu]", n);
	}
}

void
ipc_print(struct buf *out, uint32_t type, const struct buf *body)
{
	struct buf b = buf_view(buf_head(body), buf_left(body));
	bool has_fd;

	(void)str_add(out, ipc_type_name(type));
	if (ipc_walk(type, body, &has_fd) != FX_OK) {
		(void)str_add(out, " (malformed)");
		return;
	}
	for (const struct ipc_field *f = ipc_fields(type); f->name != NULL; f++)
		print_field(out, f, &b);
}

/* FNV-1a, 64 bits: tells tables apart, resists nobody. */
static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) /* the analyzer loses numbers' bytes */
		/* NOLINTNEXTLINE(clang-analyzer-core.Undefined*) */
		h = (h ^ s[i]) * 0x100000001b3u;
	return h;
}

static uint64_t
mix_fields(uint64_t h, const struct ipc_field *f)
{
	for (; f->name != NULL; f++) {
		uint64_t facts[] = { f->kind, f->max };

		h = mix(h, f->name, strlen(f->name) + 1);
		h = mix(h, facts, sizeof(facts));
		if (f->record != NULL)
			h = mix_fields(h, f->record);
	}
	return h;
}

uint64_t
ipc_table_id(void)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		const struct ipc_rule *r = ipc_rule(t);
		uint64_t facts[] = { r->from, r->to, r->phases, r->kind,
			r->of };

		h = mix(h, r->name, strlen(r->name) + 1);
		h = mix(h, facts, sizeof(facts));
		h = mix_fields(h, fields[t]);
	}
	return h;
}
