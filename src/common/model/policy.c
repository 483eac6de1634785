/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "policy.h"

#include "str.h"

/* In the order in which they win. */
static const struct {
	const char *prefix;
	const char *names; /* what the policy's name begins with */
} prefixes[] = {
	{ "fluxcd.io/", "" },
	{ "flux.weave.works/", "" },
	{ "filter.fluxcd.io/", "tag." },
};

/* Where the name is, or where it would have to be. */
static size_t
find(const struct policy_set *set, const char *name, bool *found)
{
	size_t low = 0, high = set->n;

	*found = false;
	while (low < high && !*found) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(name, set->v[mid].name);

		if (r == 0) {
			*found = true;
			return mid;
		}
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void
put(struct policy_set *set, char *name, const char *value, unsigned rank)
{
	bool found;
	size_t at = find(set, name, &found);
	struct policy *p;

	if (!found) {
		set->v = xreallocarray(set->v, set->n + 1, sizeof(*set->v));
		memmove(set->v + at + 1, set->v + at,
		    (set->n - at) * sizeof(*set->v));
		set->n++;
		set->v[at] = (struct policy){ name, xstrdup(value), rank };
		return;
	}
	free(name);
	p = &set->v[at];
	if (rank >= p->rank)
		return;
	free(p->value);
	p->value = xstrdup(value);
	p->rank = rank;
}

void
policy_add(struct policy_set *set, const char *key, const char *value)
{
	for (unsigned i = 0; i < nitems(prefixes); i++)
		if (str_starts(key, prefixes[i].prefix)) {
			key += strlen(prefixes[i].prefix);
			put(set, xasprintf("%s%s", prefixes[i].names, key),
			    value, i);
			return;
		}
}

void
policy_clear(struct policy_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->v[i].name);
		free(set->v[i].value);
	}
	free(set->v);
	*set = (struct policy_set){ 0 };
}

const char *
policy_get(const struct policy_set *set, const char *name)
{
	bool found;
	size_t at = find(set, name, &found);

	return found ? set->v[at].value : NULL;
}

bool
policy_has(const struct policy_set *set, const char *name)
{
	const char *value = policy_get(set, name);

	return value != NULL && strcmp(value, "true") == 0;
}

bool
policy_is_sync_only(const struct policy_set *set)
{
	const char *value = policy_get(set, POLICY_IGNORE);

	return value != NULL && strcmp(value, "sync_only") == 0;
}
