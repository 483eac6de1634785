/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "yread.h"

#include "anchors.h"
#include "buf.h"
#include "gotext.h"
#include "scalar.h"
#include "str.h"

#include <stdio.h>
#include <yaml.h>

/*
 * Upstream's bound on aliases: the share of nodes that may come from writing
 * them out falls from 99 % for small documents to 10 % for large ones.
 */
#define RATIO_LOW 400000
#define RATIO_HIGH 4000000
#define ALIASES_FREE 100 /* aliased nodes that are never too many */
#define NODES_FREE 1000	 /* nodes of a document that is never too large */

#define SLOTS_FIRST 256 /* room for waiting children at first */

/* A finished child that waits for its collection to end. */
struct slot {
	struct node *node;
	bool alias; /* stands for a node that is elsewhere */
	bool merge; /* a key `<<` */
};

/* A collection that has begun. */
struct level {
	struct node *node;
	size_t first; /* its first slot */
};

struct yread {
	yaml_parser_t parser;
	struct arena arena;
	const char *text; /* borrowed */
	size_t text_len;
	struct slot *slots; /* owned */
	size_t nslots, cap_slots;
	struct level levels[YREAD_MAX_DEPTH];
	size_t nlevels;
	struct anchors anchors;
	size_t documents;
	bool keeps_source; /* scalars are struct node_written */
	uint64_t nodes;	   /* of this document, aliases written out */
	uint64_t aliased;  /* how many of them come from aliases */
	/* What is wrong with the meaning of the document.  Reported at its
	 * end: mistakes of syntax, wherever they are, come first. */
	struct fx_err wrong;
};

/* ---- errors and limits -------------------------------------------------- */

static int
too_large(struct fx_err *err)
{
	return fx_fail(err, FX_ELIMIT,
	    "yaml: document needs more than %lu bytes of memory",
	    YREAD_MAX_MEMORY);
}

/* libyaml's complaint as go-yaml words it: it counts lines from one for the
 * scanner's and from zero for the parser's. */
static int
syntax_error(struct yread *y, struct fx_err *err)
{
	const yaml_parser_t *p = &y->parser;
	size_t line = 0;

	/* libyaml says what is wrong, unless it had no memory; that is not the
	 * fault of the file, for which it would be remembered */
	if (p->error == YAML_MEMORY_ERROR || p->problem == NULL)
		fx_no_memory();
	if (p->problem_mark.line != 0)
		line = p->problem_mark.line +
		    (p->error == YAML_SCANNER_ERROR ? 1 : 0);
	else if (p->context_mark.line != 0)
		line = p->context_mark.line;
	if (line != 0)
		return fx_fail(err, FX_ESYNTAX, "yaml: line %zu: %s", line,
		    p->problem);
	return fx_fail(err, FX_ESYNTAX, "yaml: %s", p->problem);
}

/* Remember the first thing that is wrong and read on. */
#define wrong(y, ...)                                                          \
	do {                                                                   \
		if ((y)->wrong.code == FX_OK)                                  \
			fx_fail(&(y)->wrong, FX_ESYNTAX, __VA_ARGS__);         \
	} while (0)

/* n more nodes, all of them from aliases or none. */
static void
count_nodes(struct yread *y, uint64_t n, bool aliased)
{
	double share, allowed;

	y->nodes += n;
	if (aliased)
		y->aliased += n;
	if (y->aliased <= ALIASES_FREE || y->nodes <= NODES_FREE)
		return;
	share = (double)y->aliased / (double)y->nodes;
	if (y->nodes <= RATIO_LOW)
		allowed = 0.99;
	else if (y->nodes >= RATIO_HIGH)
		allowed = 0.10;
	else
		allowed = 0.99 -
		    0.89 *
			((double)(y->nodes - RATIO_LOW) /
			    (double)(RATIO_HIGH - RATIO_LOW));
	if (share > allowed)
		wrong(y, "yaml: document contains excessive aliasing");
}

static uint32_t
add_ops(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* ---- building ----------------------------------------------------------- */

static void
push(struct yread *y, struct node *node, bool alias, bool merge)
{
	if (y->nslots == y->cap_slots) {
		y->cap_slots *= 2;
		y->slots =
		    xreallocarray(y->slots, y->cap_slots, sizeof(*y->slots));
	}
	y->slots[y->nslots++] = (struct slot){ node, alias, merge };
}

/* NULL stays NULL. */
static struct node *
init_node(struct node *n, enum node_kind kind)
{
	if (n != NULL) {
		memset(n, 0, sizeof(*n));
		n->kind = (uint8_t)kind;
		n->ops = 1;
	}
	return n;
}

static struct node *
new_node(struct yread *y, enum node_kind kind)
{
	return init_node(arena_alloc(&y->arena, sizeof(struct node)), kind);
}

static struct node *
new_scalar(struct yread *y, const char *s, size_t n)
{
	struct node_written *w;

	if (!y->keeps_source)
		return new_node(y, NODE_STR);
	w = arena_alloc(&y->arena, sizeof(*w));
	if (w == NULL)
		return NULL;
	init_node(&w->node, NODE_STR)->written = true;
	w->text = s;
	w->n = n;
	return &w->node;
}

/* Is the next node a key? */
static bool
at_key(const struct yread *y)
{
	const struct level *l;

	if (y->nlevels == 0)
		return false;
	l = &y->levels[y->nlevels - 1];
	return l->node->n == NODE_MAP && (y->nslots - l->first) % 2 == 0;
}

static int
on_scalar(struct yread *y, const yaml_event_t *e, struct fx_err *err)
{
	const char *tag = (const char *)e->data.scalar.tag;
	bool plain = e->data.scalar.plain_implicit != 0, merge;
	const char *s = arena_strn(&y->arena,
	    (const char *)e->data.scalar.value, e->data.scalar.length);
	struct node *n =
	    s == NULL ? NULL : new_scalar(y, s, e->data.scalar.length);
	struct fx_err e2 = { 0 };

	if (n == NULL)
		return too_large(err);
	if (scalar_resolve(n, tag, s, e->data.scalar.length, plain, &y->arena,
		&e2) == FX_ELIMIT)
		return too_large(err);
	if (e2.code != FX_OK)
		wrong(y, "%s", e2.text);
	anchors_set(&y->anchors, (const char *)e->data.scalar.anchor, n);
	merge = at_key(y) && strcmp(s, "<<") == 0 &&
	    e->data.scalar.length == 2 &&
	    (plain ||
		(tag != NULL && strcmp(tag, "tag:yaml.org,2002:merge") == 0));
	if (!merge)
		count_nodes(y, 1, false);
	push(y, n, false, merge);
	return FX_OK;
}

static int
on_alias(struct yread *y, const yaml_event_t *e, struct fx_err *err)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct node *n = anchors_get(&y->anchors, name);

	if (n == NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "yaml: unknown anchor '%s' referenced", name);
	count_nodes(y, 1, false);
	if (n->kind == NODE_OPEN) {
		wrong(y, "yaml: anchor '%s' value contains itself", name);
		if ((n = new_node(y, NODE_NULL)) == NULL)
			return too_large(err);
	}
	if (y->nlevels + n->depth > YREAD_MAX_DEPTH)
		return fx_fail(err, FX_ELIMIT, "yaml: exceeded max depth of %d",
		    YREAD_MAX_DEPTH);
	count_nodes(y, n->ops, true);
	push(y, n, true, false);
	return FX_OK;
}

static int
on_begin(struct yread *y, const yaml_event_t *e, struct fx_err *err)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	struct node *n = new_node(y, NODE_OPEN);

	if (n == NULL)
		return too_large(err);
	if (y->nlevels == YREAD_MAX_DEPTH)
		return fx_fail(err, FX_ELIMIT, "yaml: exceeded max depth of %d",
		    YREAD_MAX_DEPTH);
	n->n = map ? NODE_MAP : NODE_SEQ; /* what it will be */
	anchors_set(&y->anchors,
	    (const char *)(map ? e->data.mapping_start.anchor
			       : e->data.sequence_start.anchor),
	    n);
	count_nodes(y, 1, false);
	y->levels[y->nlevels++] = (struct level){ n, y->nslots };
	return FX_OK;
}

/* Count a finished child into its parent. */
static void
adopt(struct node *parent, const struct slot *child)
{
	const struct node *c = child->node;

	if (c->depth >= parent->depth)
		parent->depth = (uint8_t)(c->depth + 1);
	/* an alias is a node of its own besides the ones it stands for */
	parent->ops = add_ops(parent->ops, add_ops(c->ops, child->alias));
}

static int
end_sequence(struct yread *y, struct node *n, struct slot *s, size_t count,
    struct fx_err *err)
{
	n->items = arena_alloc(&y->arena, count * sizeof(*n->items));
	if (n->items == NULL)
		return too_large(err);
	for (size_t i = 0; i < count; i++) {
		n->items[i] = s[i].node;
		adopt(n, &s[i]);
	}
	n->n = (uint32_t)count;
	return FX_OK;
}

/* Where the pairs of a mapping are gathered before they are settled. */
struct gather {
	struct pair *pairs;
	size_t n, cap;
};

static bool
gather_add(struct gather *g, const struct pair *p, size_t n)
{
	/* merges of merges could multiply; what is left after settling cannot
	 */
	if (g->n + n > YREAD_MAX_MEMORY / sizeof(*p))
		return false;
	if (g->n + n > g->cap) {
		g->cap = (g->n + n) * 2;
		g->pairs = xreallocarray(g->pairs, g->cap, sizeof(*p));
	}
	if (n != 0)
		memcpy(g->pairs + g->n, p, n * sizeof(*p));
	g->n += n;
	return true;
}

/*
 * `<<: value`.  As upstream has it, the merged keys count as if they were
 * written in the place of the merge key: they replace earlier ones of the
 * mapping and are replaced by later ones.
 */
static bool
gather_merge(struct yread *y, struct gather *g, const struct slot *value)
{
	struct node *v = value->node;

	if (v->kind == NODE_MAP)
		return gather_add(g, v->pairs, v->n);
	if (v->kind != NODE_SEQ || value->alias) {
		wrong(y,
		    "yaml: map merge requires map or sequence of maps as "
		    "the value");
		return true;
	}
	for (uint32_t i = v->n; i-- > 0;) { /* the first one wins */
		if (v->items[i]->kind != NODE_MAP) {
			wrong(y,
			    "yaml: map merge requires map or sequence of "
			    "maps as the value");
			return true;
		}
		if (!gather_add(g, v->items[i]->pairs, v->items[i]->n))
			return false;
	}
	return true;
}

static bool
gather_pairs(struct yread *y, struct gather *g, struct node *n,
    const struct slot *s, size_t count)
{
	for (size_t i = 0; i + 1 < count; i += 2) {
		struct pair p = { s[i].node, s[i + 1].node };

		adopt(n, &s[i]);
		adopt(n, &s[i + 1]);
		if (s[i].merge) {
			if (!gather_merge(y, g, &s[i + 1]))
				return false;
			continue;
		}
		if (p.key->kind == NODE_SEQ || p.key->kind == NODE_MAP) {
			struct buf b = BUF_INIT(FX_ERR_TEXT_MAX / 2);
			auto_free char *text = NULL;

			go_syntax(&b, p.key);
			text = str_take(&b);
			wrong(y, "yaml: invalid map key: %s", text);
			continue;
		}
		if (!gather_add(g, &p, 1))
			return false;
	}
	return true;
}

static int
end_mapping(struct yread *y, struct node *n, const struct slot *s, size_t count,
    struct fx_err *err)
{
	struct gather g = { 0 };
	struct pair *scratch;
	size_t kept;
	int r = FX_OK;

	if (gather_pairs(y, &g, n, s, count)) {
		scratch = xreallocarray(NULL, g.n + 1, sizeof(*scratch));
		kept = node_settle(g.pairs, g.n, scratch);
		free(scratch);
		n->pairs = arena_alloc(&y->arena, kept * sizeof(*n->pairs));
		if (n->pairs != NULL && g.n != 0)
			memcpy(n->pairs, g.pairs, kept * sizeof(*n->pairs));
		n->n = (uint32_t)kept;
	}
	if (n->pairs == NULL)
		r = too_large(err);
	free(g.pairs);
	return r;
}

static int
on_end(struct yread *y, struct fx_err *err)
{
	struct level *l = &y->levels[--y->nlevels];
	enum node_kind kind = (enum node_kind)l->node->n;
	size_t count = y->nslots - l->first;
	struct slot *s = y->slots + l->first;
	int r;

	l->node->n = 0;
	l->node->depth = 1;
	r = kind == NODE_MAP ? end_mapping(y, l->node, s, count, err)
			     : end_sequence(y, l->node, s, count, err);
	if (r != FX_OK)
		return r;
	l->node->kind = (uint8_t)kind;
	y->nslots = l->first;
	push(y, l->node, false, false);
	return FX_OK;
}

static int
on_event(struct yread *y, const yaml_event_t *e, struct fx_err *err)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(y, e, err);
	case YAML_ALIAS_EVENT:
		return on_alias(y, e, err);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return on_begin(y, e, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(y, err);
	default:
		return FX_OK;
	}
}

/* ---- the stream --------------------------------------------------------- */

/*
 * libyaml compares each %TAG with all those before it, inside one call: so
 * they are counted beforehand.
 */
static int
check_directives(const char *p, size_t n, struct fx_err *err)
{
	const char *end = p + n;
	size_t count = 0;

	while (p != NULL && p < end) {
		if (end - p >= 4 && memcmp(p, "%TAG", 4) == 0 &&
		    ++count > YREAD_MAX_DIRECTIVES)
			return fx_fail(err, FX_ELIMIT,
			    "yaml: more than %d %%TAG directives",
			    YREAD_MAX_DIRECTIVES);
		p = memchr(p, '\n', (size_t)(end - p));
		if (p != NULL)
			p++;
	}
	return FX_OK;
}

struct yread *
yread_new(const void *text, size_t n)
{
	struct yread *y = xcalloc(1, sizeof(*y));

	y->arena = (struct arena)ARENA_INIT(YREAD_MAX_MEMORY);
	y->text = text;
	y->text_len = n;
	y->cap_slots = SLOTS_FIRST;
	y->slots = xcalloc(SLOTS_FIRST, sizeof(*y->slots));
	if (!yaml_parser_initialize(&y->parser))
		fx_no_memory();
	yaml_parser_set_input_string(&y->parser, text, n);
	return y;
}

void
yread_keep_source(struct yread *y)
{
	y->keeps_source = true;
}

void
yread_free(struct yread **yp)
{
	struct yread *y = *yp;

	if (y == NULL)
		return;
	yaml_parser_delete(&y->parser);
	anchors_clear(&y->anchors);
	arena_clear(&y->arena);
	free(y->slots);
	free(y);
	*yp = NULL;
}

struct arena *
yread_arena(struct yread *y)
{
	return &y->arena;
}

static void
start_document(struct yread *y)
{
	arena_reset(&y->arena);
	anchors_clear(&y->anchors);
	y->nslots = y->nlevels = 0;
	y->nodes = 1; /* the document is a node, too */
	y->aliased = 0;
	y->wrong.code = FX_OK;
}

int
yread_next(struct yread *y, struct node **root, struct fx_err *err)
{
	yaml_event_t e;
	yaml_event_type_t type;
	int r;

	*root = NULL;
	if (y->documents == 0 &&
	    (r = check_directives(y->text, y->text_len, err)) != FX_OK)
		return r;
	start_document(y);
	do {
		if (!yaml_parser_parse(&y->parser, &e))
			return syntax_error(y, err);
		type = e.type;
		r = on_event(y, &e, err);
		yaml_event_delete(&e);
		if (r != FX_OK)
			return r;
	} while (
	    type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT);
	if (type == YAML_STREAM_END_EVENT)
		return FX_OK;
	if (++y->documents > YREAD_MAX_DOCUMENTS)
		return fx_fail(err, FX_ELIMIT, "yaml: more than %d documents",
		    YREAD_MAX_DOCUMENTS);
	if (y->wrong.code != FX_OK) {
		*err = y->wrong;
		return err->code;
	}
	*root = y->slots[0].node;
	return FX_OK;
}
