/*
 * target: the target of a request line, taken apart.
 *
 * "/api/flux/v6/jobs?id=a%2Fb" becomes a decoded path and decoded parameters.
 * Only the origin form is read; anything that could be understood in two ways
 * is refused.  Clean means: no empty, "." or ".." segments.
 */
#ifndef FX_TARGET_H
#define FX_TARGET_H

#include "base.h"
#include "buf.h"

#define TARGET_MAX (24 * 1024) /* bytes of a request target */
#define TARGET_MAX_PARAMS 256

struct target_param {
	char *key, *value; /* owned, decoded */
};

/* Parameters of a query or of a form; repeated keys stay in order. */
struct target_params {
	struct target_param *v; /* owned */
	size_t n;
};

struct target {
	char *path; /* owned, decoded, begins with a slash */
	char
	    *query; /* owned, as it came, without "?"; NULL: there was no "?" */
	struct target_params params;
};

/* FX_ESYNTAX or FX_ELIMIT: answer 400. */
int target_parse(const char *, struct target *out, struct fx_err *) FX_MUSTUSE;
void target_clear(struct target *);

/* More than TARGET_MAX_PARAMS in n bytes of a query, form or target? */
bool params_too_many(const char *, size_t n);

/* The first value of a parameter; NULL: not given. */
const char *target_param(const struct target_params *, const char *key);

/* key=value&…, as in a query or a form body.  Pairs that do not decode are
 * left out, as upstream does. */
int params_parse(const char *, size_t n, struct target_params *out,
    struct fx_err *) FX_MUSTUSE;
void params_clear(struct target_params *);

/* The path without empty and dot segments; equal if it was clean already.
 * Owned by the caller. */
char *target_clean_path(const char *path);

/* Append the path escaped for a Location header. */
void target_escape_path(struct buf *, const char *path);

#endif
