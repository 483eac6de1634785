/*
 * jsonr: reading JSON of others: hostile, and decoded as upstream does.
 *
 * Upstream reads bodies with Go's stream decoder: the first value counts and
 * what follows is ignored, keys match in any letter case, null leaves a member
 * at its zero value, and the messages of syntax errors are seen by people.
 * jr_parse checks the text by that grammar and within our limits before the
 * library builds anything of it, so that a body costs memory in proportion to
 * its size, whatever it says.
 */
#ifndef FX_JSONR_H
#define FX_JSONR_H

#include "base.h"

#include <jansson.h>

#define JR_MAX_DEPTH 64	    /* nested arrays and objects */
#define JR_MAX_VALUES 16384 /* values of any kind, keys included */

/* Before lock-down: the library reads the seed of its hash tables from a
 * device. */
void jr_open(void);

/* The first JSON value of n bytes.  NULL and the reason on failure.  The
 * caller owns the reference. */
json_t *jr_parse(const char *, size_t n, struct fx_err *);

#define auto_json FX_CLEANUP(jr_free_at)
void jr_free_at(json_t **);

/* A member: the key as written, else one that differs in letter case only.
 * NULL if there is none or it is null. */
json_t *jr_member(const json_t *object, const char *key);

/* Is it there at all, null included? */
bool jr_has(const json_t *object, const char *key);

/* A member that is a text; "" if it is none.  Borrowed. */
const char *jr_text(const json_t *object, const char *key);

/* "json: cannot unmarshal number into Go struct field Cause.User of type
 * string"; field NULL: "into Go value of type …". */
int jr_mismatch(const json_t *, const char *field, const char *type,
    struct fx_err *);

#endif
