/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "oidset.h"

#define FIRST_PLACES 64

/* Where the id is, or the free place where it belongs.  An id is a digest:
 * whoever wants many with the same beginning has to find them first. */
static size_t
place(const struct oidset *s, const git_oid *oid)
{
	size_t i;

	memcpy(&i, oid->id, sizeof(i));
	for (i &= s->places - 1; s->used[i]; i = (i + 1) & (s->places - 1))
		if (git_oid_equal(&s->v[i], oid))
			break;
	return i;
}

static void
grow(struct oidset *s)
{
	struct oidset old = *s;

	s->places = old.places == 0 ? FIRST_PLACES : 2 * old.places;
	s->v = xcalloc(s->places, sizeof(*s->v));
	s->used = xcalloc(s->places, sizeof(*s->used));
	for (size_t i = 0; i < old.places; i++) {
		if (!old.used[i])
			continue;
		size_t to = place(s, &old.v[i]);

		git_oid_cpy(&s->v[to], &old.v[i]);
		s->used[to] = true;
	}
	free(old.v);
	free(old.used);
}

bool
oidset_add(struct oidset *s, const git_oid *oid)
{
	size_t i;

	if (2 * s->n >= s->places)
		grow(s);
	i = place(s, oid);
	if (s->used[i])
		return false;
	git_oid_cpy(&s->v[i], oid);
	s->used[i] = true;
	s->n++;
	return true;
}

bool
oidset_has(const struct oidset *s, const git_oid *oid)
{
	return s->n != 0 && s->used[place(s, oid)];
}

void
oidset_clear(struct oidset *s)
{
	free(s->v);
	free(s->used);
	*s = (struct oidset){ 0 };
}
