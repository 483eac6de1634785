/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "policies.h"

#include "str.h"

/* Bytes that it takes, 0 if it is not kept. */
static size_t
cost(const struct policy *p)
{
	size_t name = strlen(p->name), value = strlen(p->value);

	return name > POLICIES_MAX_NAME || value > POLICIES_MAX_VALUE ||
		!str_is_utf8(p->name, name) || !str_is_utf8(p->value, value)
	    ? 0
	    : name + value + 2;
}

static char *
put(char *at, const char *s)
{
	size_t n = strlen(s) + 1;

	memcpy(at, s, n);
	return at + n;
}

struct policies *
policies_pack(const struct policy_set *set)
{
	bool kept[POLICIES_MAX] = { false };
	size_t n = set->n < POLICIES_MAX ? set->n : POLICIES_MAX;
	struct policies *ps;
	uint32_t count = 0, bytes = 0;
	char *at;

	for (size_t i = 0; i < n; i++) {
		size_t c = cost(&set->v[i]);

		kept[i] = c != 0 && bytes + c <= POLICIES_MAX_BYTES;
		count += kept[i];
		bytes += kept[i] ? (uint32_t)c : 0;
	}
	if (count == 0)
		return NULL;
	ps = xmalloc(sizeof(*ps) + bytes);
	*ps = (struct policies){ .n = count, .bytes = bytes };
	at = ps->text;
	for (size_t i = 0; i < n; i++)
		if (kept[i])
			at = put(put(at, set->v[i].name), set->v[i].value);
	return ps;
}

const char *
policies_value(const char *name)
{
	return name + strlen(name) + 1;
}

const char *
policies_next(const struct policies *ps, const char *name)
{
	const char *value;

	if (ps == NULL || name == NULL)
		return ps == NULL ? NULL : ps->text;
	value = policies_value(name);
	name = value + strlen(value) + 1;
	return name == ps->text + ps->bytes ? NULL : name;
}
