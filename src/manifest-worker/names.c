/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "names.h"

#include "resource_id.h"

#include <strings.h>

#define NS_FACTOR 0x9e3779b97f4a7c15u /* odd: spreads 32 bits over 64 */

struct name
name_make(const struct known_resource *r, const char *ns, uint32_t ns_digest)
{
	return (struct name){ r, ns, r->digest + ns_digest * NS_FACTOR };
}

char *
name_print(const struct name *n)
{
	return resource_id_make(n->ns, n->r->kind->kind, n->r->name);
}

char *
name_print_short(const struct name *n)
{
	char *id = name_print(n);
	char *s = xstrdup(strchr(id, ':') + 1);

	free(id);
	return s;
}

static bool
same_kind(const struct kind *a, const struct kind *b)
{
	size_t n;

	if (a == b)
		return true;
	n = known_group_span(a->api_version);
	return n == known_group_span(b->api_version) &&
	    memcmp(a->api_version, b->api_version, n) == 0 &&
	    strcasecmp(a->kind, b->kind) == 0;
}

static bool
same(const struct name *a, const struct name *b)
{
	return a->digest == b->digest && same_kind(a->r->kind, b->r->kind) &&
	    strcmp(a->r->name, b->r->name) == 0 && strcmp(a->ns, b->ns) == 0;
}

void
names_init(struct names *t, size_t n, uint64_t seed)
{
	t->nslots = 16;
	while (t->nslots < 2 * n)
		t->nslots *= 2;
	t->slots = xcalloc(t->nslots, sizeof(struct name *));
	t->seed = seed | 1;
}

void
names_clear(struct names *t)
{
	free(t->slots);
	*t = (struct names){ 0 };
}

/* Where the name is, or the empty slot where it would be. */
static struct name **
slot(const struct names *t, const struct name *n)
{
	size_t at = (size_t)((n->digest * t->seed) >> 32) & (t->nslots - 1);

	while (t->slots[at] != NULL && !same(t->slots[at], n))
		at = (at + 1) & (t->nslots - 1);
	return &t->slots[at];
}

struct name *
names_put(struct names *t, struct name *n)
{
	struct name **s = slot(t, n);

	if (*s != NULL)
		return *s;
	*s = n;
	return NULL;
}

struct name *
names_get(const struct names *t, const struct name *n)
{
	return *slot(t, n);
}
