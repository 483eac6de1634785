/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "resource_id.h"

#include "str.h"

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static char *
lower(const char *s, size_t n)
{
	char *p = xstrndup(s, n);

	for (char *c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return p;
}

/* Length of a namespace at s; 0 if there is none. */
static size_t
ns_span(const char *s)
{
	if (str_starts(s, RESOURCE_CLUSTER))
		return strlen(RESOURCE_CLUSTER);
	return strspn(s, WORD);
}

/* "kind/name" up to the end; the length of the kind, 0 if it is none. */
static size_t
kind_span(const char *s)
{
	size_t n = strspn(s, WORD), name;

	if (n == 0 || s[n] != '/')
		return 0;
	name = strspn(s + n + 1, WORD ".:");
	return name != 0 && s[n + 1 + name] == '\0' ? n : 0;
}

static bool
parse_full(const char *s, struct resource_id *out)
{
	size_t ns = ns_span(s), kind;

	if (ns == 0 || s[ns] != ':' || (kind = kind_span(s + ns + 1)) == 0)
		return false;
	*out = (struct resource_id){
		.ns = xstrndup(s, ns),
		.kind = lower(s + ns + 1, kind),
		.name = xstrdup(s + ns + 1 + kind + 1),
	};
	return true;
}

static bool
parse_legacy(const char *s, struct resource_id *out)
{
	size_t ns = strspn(s, WORD), name;

	if (ns == 0 || s[ns] != '/')
		return false;
	name = strspn(s + ns + 1, WORD);
	if (name == 0 || s[ns + 1 + name] != '\0')
		return false;
	*out = (struct resource_id){
		.ns = xstrndup(s, ns),
		.kind = xstrdup(RESOURCE_LEGACY_KIND),
		.name = xstrdup(s + ns + 1),
		.legacy = true,
	};
	return true;
}

static int
invalid(const char *s, struct fx_err *err)
{
	return fx_fail(err, FX_ESYNTAX, "parsing %s: invalid service ID", s);
}

int
resource_id_parse(const char *s, struct resource_id *out, struct fx_err *err)
{
	if (parse_full(s, out) || parse_legacy(s, out))
		return FX_OK;
	return invalid(s, err);
}

int
resource_id_parse_in(const char *s, const char *ns, struct resource_id *out,
    struct fx_err *err)
{
	size_t kind;

	if (parse_full(s, out))
		return FX_OK;
	if ((kind = kind_span(s)) == 0)
		return invalid(s, err);
	*out = (struct resource_id){
		.ns = xstrdup(ns),
		.kind = lower(s, kind),
		.name = xstrdup(s + kind + 1),
	};
	return FX_OK;
}

void
resource_id_clear(struct resource_id *id)
{
	free(id->ns);
	free(id->kind);
	free(id->name);
	*id = (struct resource_id){ 0 };
}

char *
resource_id_print(const struct resource_id *id)
{
	if (id->legacy)
		return xasprintf("%s/%s", id->ns, id->name);
	return xasprintf("%s:%s/%s", id->ns, id->kind, id->name);
}

char *
resource_id_make(const char *ns, const char *kind, const char *name)
{
	auto_free char *k = lower(kind, strlen(kind));

	return xasprintf("%s:%s/%s",
	    ns == NULL || *ns == '\0' ? RESOURCE_CLUSTER : ns, k, name);
}
