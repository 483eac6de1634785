/* SPDX-License-Identifier: Apache-2.0 */

/* A file of a repository, from its bytes to the bodies of what it defines.
 * Whatever loads has a body, and the same one again. */
#include "base.h"
#include "fuzz.h"

#include "bodies.h"

static int
on_body(void *arg, const struct set_want *w, const struct buf *json,
    struct fx_err *err)
{
	size_t *bodies = arg;

	(void)w;
	(void)err;
	if (buf_left(json) == 0)
		abort();
	(*bodies)++;
	return FX_OK;
}

static void
check_bodies(const struct set *s, const uint8_t *data, size_t size)
{
	struct set_want *wants = xcalloc(s->n + 1, sizeof(*wants));
	struct fx_err err = { 0 };
	size_t bodies = 0;

	for (size_t i = 0; i < s->n; i++)
		wants[i] = (struct set_want){ &s->v[i], i };
	set_sort_wants(wants, s->n);
	if (s->n != 0 &&
	    (set_bodies(s, wants, s->n, data, size, on_body, &bodies, &err) !=
		    FX_OK ||
		bodies != s->n))
		abort();
	free(wants);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_files files = { xcalloc(1, sizeof(*files.v)), 1 };
	struct set_scope *scopes;
	struct fx_err err = { 0 };
	struct set s;

	files.v[0] = (struct tree_file){ xstrdup("a.yaml"), "1", NULL };
	set_init(&s, "fuzz", 0);
	set_begin(&s, &files);
	set_parse(&s, 0, data, size);
	if (set_collect(&s, &err) == FX_OK) {
		scopes = xcalloc(s.nkinds + 1, sizeof(*scopes));
		if (set_commit(&s, scopes, "default", &err) == FX_OK)
			check_bodies(&s, data, size);
		free(scopes);
	}
	set_clear(&s);
	return 0;
}
