/*
 * node: the value of a YAML document after everything YAML has been resolved.
 *
 * Aliases have become shared nodes, merge keys are merged, of equal keys the
 * last one is left, keys are in the order in which they are printed.  Nodes
 * live in the arena of the reader that made them and are not changed later
 * (but for the line that canon_write notes); node_without makes a new one.
 */
#ifndef FX_NODE_H
#define FX_NODE_H

#include "base.h"
#include "arena.h"
#include "buf.h"

enum node_kind {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_UINT, /* above INT64_MAX */
	NODE_FLOAT,
	NODE_STR,
	NODE_SEQ,
	NODE_MAP,
	NODE_OPEN, /* being read: an alias to it is a cycle */
};

struct node;

struct pair {
	struct node *key; /* never a sequence or a mapping */
	struct node *value;
};

struct node {
	uint8_t kind;  /* enum node_kind */
	uint8_t depth; /* levels of collections, this one included */
	bool written;  /* it is the start of a struct node_written */
	uint32_t n;    /* bytes of str, items, pairs */
	uint32_t line; /* in the canonical text, from 0; set by canon_write */
	uint32_t ops;  /* nodes when all aliases are written out; saturates */
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double f;
		const char *s; /* ended by a NUL, may contain others */
		struct node **items;
		struct pair *pairs;
	};
};

/* A scalar of a reader that keeps what was written. */
struct node_written {
	struct node node;
	const char *text;
	size_t n;
};

static inline bool
node_is(const struct node *n, enum node_kind kind)
{
	return n != NULL && n->kind == kind;
}

/* true for a string equal to s. */
bool node_is_str(const struct node *, const char *s);

/* The value under a string key of a mapping; NULL if there is none, or if the
 * node is NULL or no mapping. */
struct node *node_get(const struct node *map, const char *key);

/* node_get along several keys, ended by a NULL. */
struct node *node_path(const struct node *map, const char *const *keys);

/* A copy of the mapping without this string key (not a deep one); the mapping
 * itself if it has no such key.  NULL when the arena is full. */
struct node *
node_without(struct arena *, struct node *map, const char *key) FX_MUSTUSE;
/* The same with this value under the key, replaced or added at the end; a NULL
 * map stands for an empty one. */
struct node *node_with(struct arena *, struct node *map, const char *key,
    struct node *value) FX_MUSTUSE;

/* A new string, borrowed. */
struct node *node_str(struct arena *, const char *) FX_MUSTUSE;

/* The text of a scalar as it is printed canonically, without quotes.  Strings
 * are given as they are; the others are written to tmp. */
#define NODE_TEXT_MAX 48
const char *node_text(const struct node *, char tmp[NODE_TEXT_MAX], size_t *n);

/* What a scalar was before it was resolved, where that is known: "01", not 1.
 * Else the same as node_text. */
const char *
node_source(const struct node *, char tmp[NODE_TEXT_MAX], size_t *n);

/*
 * Bring the pairs into their final form: of equal keys only the last is left,
 * and the order is that of the canonical text.  `scratch` has room for n
 * pairs.  Returns how many are left.
 */
size_t node_settle(struct pair *pairs, size_t n, struct pair *scratch);

#endif
