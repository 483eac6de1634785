/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gc.h"

#include "str.h"

/*
 * Kinds that cannot be listed: nothing shows what others do to their objects
 * between two passes, and nothing of them is collected.  That has to be seen by
 * somebody.  Where it fails for the moment each object has an error that says
 * so.
 */

#define KINDS_TEXT_MAX 2048 /* bytes of the log's list */

/* NULL: it can be, or nobody wants it to be. */
static const char *
why_not(const struct kind *k)
{
	for (size_t i = 0; i < k->nstreams && !k->excluded; i++) {
		const struct stream *s = &k->streams[i];

		if (s->state == STREAM_DENIED)
			return s->error.code != FX_OK ? s->error.text
						      : "it cannot be listed";
	}
	return NULL;
}

void
unlisted_report(struct cluster *c)
{
	struct buf text = BUF_INIT(KINDS_TEXT_MAX);
	auto_free char *kinds = NULL;
	const char *first = NULL;
	uint64_t n = c->gc != NULL ? sweep_unlisted(&c->gc->sweep) : 0;

	for (size_t i = 0; i < c->nkinds; i++) {
		const struct kind *k = c->kinds[i];
		const char *why = k->objects > 0 ? why_not(k) : NULL;

		if (why == NULL)
			continue;
		n++;
		(void)str_addf(&text, "%s%s/%s", first != NULL ? "," : "",
		    k->api_version, k->kind);
		if (first == NULL)
			first = why;
	}
	kinds = str_take(&text);
	if (c->unlisted != NULL && strcmp(c->unlisted, kinds) == 0)
		first = NULL; /* it is known */
	c->hooks.unlisted(c->hooks.arg, n, kinds, first);
	free(c->unlisted);
	c->unlisted = fx_steal(&kinds);
}
