/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "anchors.h"

#include "str.h"

#include <search.h>

struct anchor {
	char *name; /* owned; the key of the tree */
	struct node *node;
};

static int
order(const void *a, const void *b)
{
	return strcmp(((const struct anchor *)a)->name,
	    ((const struct anchor *)b)->name);
}

static void
anchor_free(void *p)
{
	struct anchor *a = p;

	free(a->name);
	free(a);
}

void
anchors_set(struct anchors *s, const char *name, struct node *node)
{
	struct anchor *a, **at;

	if (name == NULL)
		return;
	a = xcalloc(1, sizeof(*a));
	a->name = xstrdup(name);
	at = tsearch(a, &s->tree, order);
	if (at == NULL)
		fx_no_memory();
	if (*at != a)
		anchor_free(a);
	(*at)->node = node;
}

struct node *
anchors_get(const struct anchors *s, const char *name)
{
	struct anchor want = { .name = (char *)(uintptr_t)name };
	struct anchor **at = tfind(&want, &s->tree, order);

	return at == NULL ? NULL : (*at)->node;
}

void
anchors_clear(struct anchors *s)
{
	tdestroy(s->tree, anchor_free);
	s->tree = NULL;
}
