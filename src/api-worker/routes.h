/*
 * routes: which handler a request belongs to, by upstream's exact rules.
 *
 * Paths match exactly and in this letter case.  A method or a missing
 * parameter that does not fit makes the route not found, not "not allowed".
 */
#ifndef FX_ROUTES_H
#define FX_ROUTES_H

#include "base.h"
#include "target.h"

#define API_PREFIX "/api/flux"
#define METRICS_PATH "/metrics"

enum route_methods {
	M_GET = 1,
	M_HEAD = 2,
	M_POST = 4,
	M_PATCH = 8,
	M_OTHER = 16,
	M_ANY = 31,
};

enum route_id {
#define ROUTE(name, ...) ROUTE_##name,
#include "routes.def"
	ROUTE_COUNT,
	ROUTE_DEPRECATED = ROUTE_COUNT, /* /v1/ … /v5/ */
	ROUTE_NOT_FOUND,		/* below the API's prefix */
	ROUTE_NO_PAGE,			/* anywhere else */
	ROUTE_REDIRECT,			/* the path is not clean; `path` is */
};

/* What a listener serves. */
enum route_scope { SCOPE_API, SCOPE_ALL, SCOPE_METRICS };

struct route_match {
	enum route_id id;
	const char *name; /* label for metrics; static */
	char *path; /* owned; REDIRECT: where to; NOT_FOUND: without prefix */
};

enum route_methods route_method(const char *);
/* As clients write it; "other" for what no route uses. */
const char *route_method_name(enum route_methods);

void route_find(enum route_scope, enum route_methods, const struct target *,
    struct route_match *out);
void route_match_clear(struct route_match *);

#endif
