/*
 * answer: what the daemon's answer means.
 *
 * Turns a reply into JSON or an error, and takes fields out of JSON objects as
 * the original's decoder does (jr_member): what is missing or null is the zero
 * value; a value of another type is an error.
 */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

#include "base.h"
#include "client.h"
#include "error.h"
#include "jsonr.h"

#include <jansson.h>

/* An answer to POST may be empty, then *out is NULL; it must not go on after
 * the first value, one to GET may. */
int answer_json(const struct reply *, bool post, json_t **out,
    struct ctl_error *) FX_MUSTUSE;

/* *out is borrowed; "" when the field is missing. */
int answer_string(const json_t *object, const char *name, const char **out,
    struct ctl_error *) FX_MUSTUSE;

/* *out is borrowed; NULL when the field is missing. */
int answer_object(const json_t *object, const char *name, json_t **out,
    struct ctl_error *) FX_MUSTUSE;

/* The answer is of another type than `wanted`, "a list". */
int answer_mismatch(struct ctl_error *, const char *wanted);

#endif
