/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "journal.h"

#include "str.h"

/*
 * A line, texts in base64 ("-" when empty):
 *
 *	J  id  kind  state  queued  user  message  spec  revision  error
 */
#define LINE_MAX_BYTES (256 * 1024)
#define FIELDS 10

static void
add_text(struct buf *b, const char *s)
{
	(void)str_addc(b, '\t');
	if (s == NULL || *s == '\0')
		(void)str_addc(b, '-');
	else
		str_add_base64(b, (const uint8_t *)s, strlen(s), true, false);
}

/* FX_ELIMIT: it does not fit. */
static int
add_record(struct buf *b, const struct journal_record *r)
{
	size_t start = buf_left(b);

	(void)str_addf(b, "J\t%s\t%u\t%u\t%lld", r->id, r->kind, r->state,
	    (long long)r->queued_us);
	add_text(b, r->user);
	add_text(b, r->message);
	add_text(b, r->spec);
	add_text(b, r->revision);
	add_text(b, r->error);
	return ledger_end_line(b, start);
}

static char *
text_of(const char *field)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	if (strcmp(field, "-") != 0 &&
	    str_unbase64(field, strlen(field), &b) != FX_OK)
		buf_clear(&b);
	return str_take(&b);
}

struct reading {
	journal_fn *fn;
	void *arg;
};

static bool
read_job(void *arg, char *f[], size_t n)
{
	const struct reading *to = arg;
	struct journal_record r = { .id = f[1] };
	uint64_t kind, state;
	char *texts[5];

	if (n != FIELDS || strcmp(f[0], "J") != 0 ||
	    fx_parse_u64(f[2], 0, 100, &kind) != FX_OK ||
	    fx_parse_u64(f[3], 0, 100, &state) != FX_OK ||
	    fx_parse_i64(f[4], INT64_MIN, INT64_MAX, &r.queued_us) != FX_OK)
		return false;
	for (size_t i = 0; i < nitems(texts); i++)
		texts[i] = text_of(f[5 + i]);
	r.kind = (unsigned)kind;
	r.state = (unsigned)state;
	r.user = texts[0];
	r.message = texts[1];
	r.spec = texts[2];
	r.revision = texts[3];
	r.error = texts[4];
	to->fn(to->arg, &r);
	for (size_t i = 0; i < nitems(texts); i++)
		free(texts[i]);
	return true;
}

int
journal_append(struct ledger *l, const struct journal_record *r,
    struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(LINE_MAX_BYTES);

	if (add_record(&b, r) != FX_OK)
		return fx_fail(err, FX_ELIMIT, "job journal: full");
	return ledger_append(l, &b, err);
}

int
journal_rewrite(struct ledger *l,
    bool (*next)(void *arg, struct journal_record *), void *arg,
    struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(JOURNAL_MAX);
	struct journal_record r;

	while (next(arg, &r))
		if (add_record(&b, &r) != FX_OK)
			return fx_fail(err, FX_ELIMIT, "job journal: full");
	return ledger_rewrite(l, &b, err);
}

int
journal_open(struct ledger *l, int a, int b, journal_fn *fn, void *arg,
    struct fx_err *err)
{
	struct reading to = { fn, arg };

	return ledger_open(l, "job journal", JOURNAL_MAX, a, b, read_job, &to,
	    err);
}
