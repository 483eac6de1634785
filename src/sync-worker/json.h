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
/* The document of an answer that was collected; NULL: its err says why. */
struct answer;
json_t *sw_answer(struct answer *) FX_MUSTUSE;

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

#define SW_FRAME_MAX 65536 /* of a list's document, without its items */

/*
 * A list as it comes in: each element of the top-level array "items" is handed
 * on by itself, so a list of any length needs the memory of one element.
 */
struct items {
	struct buf frame; /* the document with its items left out */
	struct buf item;  /* the one that has not ended yet */
	unsigned depth;	  /* open brackets */
	bool in_string, escaped;
	bool in_items; /* within the array */
	char name[6];  /* the last string on the top level, its beginning */
	size_t name_len;
	bool is_items; /* the member that began is "items" */
};

void items_init(struct items *);
void items_clear(struct items *);
/* FX_ELIMIT, FX_ESYNTAX, or what fn said of an element. */
int items_feed(struct items *, const void *, size_t n, line_fn *,
    void *arg) FX_MUSTUSE;
/* Has the document come to its end? */
bool items_whole(const struct items *);
/* The document without its items, once all of it was fed. */
json_t *items_end(struct items *, struct fx_err *) FX_MUSTUSE;

#endif
