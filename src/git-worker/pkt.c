/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "pkt.h"

#include "str.h"
#include "text.h"

void
pkt_watch_init(struct pkt_watch *w, unsigned flushes)
{
	memset(w, 0, sizeof(*w));
	w->flushes = flushes;
}

static int
length(const char head[4])
{
	int n = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = head[i];

		if (c >= '0' && c <= '9')
			n = n * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			n = n * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return n;
}

static int
fail_head(const struct pkt_watch *w, struct fx_err *err)
{
	struct buf b = BUF_INIT(64);
	auto_free char *shown = NULL;

	str_printable(&b, w->head, sizeof(w->head), sizeof(w->head));
	shown = str_take(&b);
	return fx_fail(err, FX_ESYNTAX,
	    "the server does not speak git's protocol: \"%s\" is no line "
	    "length",
	    shown);
}

static int
on_head(struct pkt_watch *w, struct fx_err *err)
{
	int n = length(w->head);

	w->nhead = 0;
	w->nstart = 0;
	if (n == 0) {
		w->flushes--;
		return FX_OK;
	}
	if (n < 4 || n > PKT_LINE_MAX)
		return fail_head(w, err);
	if (++w->lines > PKT_MAX_LINES)
		return fx_fail(err, FX_ELIMIT,
		    "the server lists more than %d refs", PKT_MAX_LINES);
	w->left = (size_t)n - 4;
	return FX_OK;
}

/* A line is complete. */
static int
on_line(struct pkt_watch *w, struct fx_err *err)
{
	auto_free char *shown = NULL;

	if (w->nstart < 4 || memcmp(w->start, "ERR ", 4) != 0)
		return FX_OK;
	shown = text_one_line(w->start + 4, w->nstart - 4, PKT_ERR_MAX);
	return fx_fail(err, FX_EDENIED, "remote: %s", shown);
}

static int
take_line(struct pkt_watch *w, const char *p, size_t n, struct fx_err *err)
{
	size_t keep = sizeof(w->start) - w->nstart;

	if (keep > n)
		keep = n;
	memcpy(w->start + w->nstart, p, keep);
	w->nstart += keep;
	w->left -= n;
	return w->left == 0 ? on_line(w, err) : FX_OK;
}

int
pkt_watch_feed(struct pkt_watch *w, const void *data, size_t n,
    struct fx_err *err)
{
	const char *p = data;
	int r = FX_OK;

	while (n != 0 && w->flushes != 0 && r == FX_OK) {
		size_t take = 1;

		if (w->left != 0) {
			take = w->left < n ? w->left : n;
			r = take_line(w, p, take, err);
		} else {
			w->head[w->nhead++] = *p;
			if (w->nhead == sizeof(w->head))
				r = on_head(w, err);
		}
		p += take;
		n -= take;
		w->bytes += take;
		if (r == FX_OK && w->bytes > PKT_MAX_BYTES)
			r = fx_fail(err, FX_ELIMIT,
			    "the server's list of refs is larger than %u MiB",
			    PKT_MAX_BYTES >> 20);
	}
	return r;
}
