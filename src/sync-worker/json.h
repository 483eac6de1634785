/*
 * json: reading what the API server says, within bounds.
 */
#ifndef FX_SW_JSON_H
#define FX_SW_JSON_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

static inline void
json_put_at(json_t **j)
{
	json_decref(*j);
}
#define auto_json FX_CLEANUP(json_put_at)

/* Parse one document; the whole of the bytes. */
json_t *sw_json(const void *, size_t n, struct fx_err *) FX_MUSTUSE;

/* A member's string; "" when it is absent or something else. */
const char *sw_json_str(const json_t *, const char *key);

/* A member of a member: NULL when either is absent. */
json_t *sw_json_at(const json_t *, const char *outer, const char *inner);

/* Decimal digits only; 0 for anything else: a resourceVersion. */
uint64_t sw_json_version(const json_t *meta);

#define SW_LINE_MAX (4u << 20) /* one event of a watch */

/* A stream of lines, as watches send. */
struct lines {
	struct buf rest; /* of the line that has not ended yet */
};

/* A line without its newline; anything but FX_OK ends the stream. */
typedef int line_fn(void *arg, const char *line, size_t n);

void lines_init(struct lines *);
void lines_clear(struct lines *);
/* FX_ELIMIT: a line longer than SW_LINE_MAX; else what fn said. */
int lines_feed(struct lines *, const void *, size_t n, line_fn *,
    void *arg) FX_MUSTUSE;

#endif
