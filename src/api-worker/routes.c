/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "routes.h"

#include "str.h"

struct route {
	const char *name;
	unsigned methods;
	const char *path;
	const char *query;
};

static const struct route routes[ROUTE_COUNT] = {
#define ROUTE(name, methods, path, query, access, handler)                     \
	[ROUTE_##name] = { #name, methods, path, query },
#include "routes.def"
};

static const struct {
	const char *name;
	enum route_methods method;
} methods[] = {
	{ "GET", M_GET },
	{ "HEAD", M_HEAD },
	{ "POST", M_POST },
	{ "PATCH", M_PATCH },
};

enum route_methods
route_method(const char *name)
{
	for (size_t i = 0; i < nitems(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return M_OTHER;
}

const char *
route_method_name(enum route_methods m)
{
	for (size_t i = 0; i < nitems(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;
	return "other";
}

static bool
has_params(const char *wanted, const struct target_params *ps)
{
	while (*wanted != '\0') {
		size_t n = strcspn(wanted, " ");
		auto_free char *key = xstrndup(wanted, n);

		if (target_param(ps, key) == NULL)
			return false;
		wanted += n + strspn(wanted + n, " ");
	}
	return true;
}

static bool
in_scope(enum route_scope scope, enum route_id id)
{
	if (id == ROUTE_Metrics)
		return scope != SCOPE_API;
	return scope != SCOPE_METRICS;
}

/* Below the prefix, where no route fits.  The version 5 path without more is
 * not found; with a slash it is gone. */
static void
find_in_api(const char *path, struct route_match *out)
{
	static const char *const gone[] = { "Deprecated:v1", "Deprecated:v2",
		"Deprecated:v3", "Deprecated:v4", "Deprecated:v5" };

	if (path[0] == '/' && path[1] == 'v' && path[2] >= '1' &&
	    path[2] <= '5' && path[3] == '/') {
		out->id = ROUTE_DEPRECATED;
		out->name = gone[path[2] - '1'];
		return;
	}
	out->id = ROUTE_NOT_FOUND;
	out->name = "NotFound";
	out->path = xstrdup(path);
}

void
route_find(enum route_scope scope, enum route_methods method,
    const struct target *t, struct route_match *out)
{
	auto_free char *clean = target_clean_path(t->path);

	*out = (struct route_match){ .id = ROUTE_NO_PAGE, .name = "other" };
	if (strcmp(clean, t->path) != 0 ||
	    (strcmp(clean, API_PREFIX) == 0 && scope != SCOPE_METRICS)) {
		out->id = ROUTE_REDIRECT;
		out->path = strcmp(clean, API_PREFIX) == 0
		    ? xstrdup(API_PREFIX "/")
		    : fx_steal(&clean);
		return;
	}
	for (size_t i = 0; i < nitems(routes); i++)
		if (in_scope(scope, (enum route_id)i) &&
		    (routes[i].methods & method) != 0 &&
		    strcmp(routes[i].path, clean) == 0 &&
		    has_params(routes[i].query, &t->params)) {
			out->id = (enum route_id)i;
			out->name = routes[i].name;
			return;
		}
	if (scope != SCOPE_METRICS && str_starts(clean, API_PREFIX "/"))
		find_in_api(clean + strlen(API_PREFIX), out);
}

void
route_match_clear(struct route_match *m)
{
	free(m->path);
	*m = (struct route_match){ 0 };
}
