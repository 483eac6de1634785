/*
 * logfmt: one log record as upstream writes it, `fmt` or `json`.
 *
 * A record is a list of typed pairs.  `fmt` keeps their order and quotes as
 * go-logfmt does; `json` sorts the keys.  Both end with a newline and never
 * contain a raw control byte, whatever the values are.
 */
#ifndef FX_LOGFMT_H
#define FX_LOGFMT_H

#include "base.h"
#include "buf.h"

enum log_kind { LOG_K_STR, LOG_K_BARE, LOG_K_NULL, LOG_K_MAX };

/* A value: text to be quoted where needed, or a bare number or boolean. */
struct log_pair {
	const char *key;
	const char *value; /* NULL with LOG_K_NULL */
	enum log_kind kind;
};

#define LOG_VALUE_MAX 8192 /* bytes of one value; more is cut */

void logfmt_add_fmt(struct buf *, const struct log_pair *, size_t n);
void logfmt_add_json(struct buf *, const struct log_pair *, size_t n);

#endif
