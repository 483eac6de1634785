/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ydoc.h"

#include "str.h"

/*
 * The limits are kept while libyaml reads, so nothing it is bad at (nested
 * flow collections, anchors) gets long enough to cost time.  An alias counts
 * as what it stands for, each time: what is small on paper and enormous when
 * it is followed is as much too large as if it were written out.
 */
struct anchor {
	char name[YDOC_ANCHOR_MAX + 1];
	size_t nodes, height; /* of what it names, aliases followed */
	bool open;	      /* what it names has not ended yet */
};

struct limits {
	size_t nodes, depth;
	struct anchor anchors[YDOC_ANCHORS_MAX];
	size_t nanchors;
	/* the collections that are open: what was there when each began, how
	 * deep it got, and its anchor */
	struct {
		size_t nodes, deepest;
		struct anchor *anchor; /* NULL: none */
	} open[YDOC_DEPTH_MAX + 1];
};

static int
check_sum(const struct limits *l, size_t depth, struct fx_err *err)
{
	if (depth > YDOC_DEPTH_MAX)
		return fx_fail(err, FX_ELIMIT, "nested more than %d deep",
		    YDOC_DEPTH_MAX);
	if (l->nodes > YDOC_NODES_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d nodes",
		    YDOC_NODES_MAX);
	return FX_OK;
}

/* *out: the anchor's place; NULL: the node has none. */
static int
add_anchor(struct limits *l, const unsigned char *name, struct anchor **out,
    struct fx_err *err)
{
	struct anchor *a = &l->anchors[l->nanchors];

	*out = NULL;
	if (name == NULL)
		return FX_OK;
	if (l->nanchors == YDOC_ANCHORS_MAX ||
	    strlen((const char *)name) > YDOC_ANCHOR_MAX)
		return fx_fail(err, FX_ELIMIT,
		    "more than %d anchors, or one with a name of more than %d "
		    "bytes",
		    YDOC_ANCHORS_MAX, YDOC_ANCHOR_MAX);
	*a = (struct anchor){ .nodes = 1, .open = true };
	memcpy(a->name, name, strlen((const char *)name) + 1);
	l->nanchors++;
	*out = a;
	return FX_OK;
}

static void
note_depth(struct limits *l, size_t depth)
{
	if (l->open[l->depth].deepest < depth)
		l->open[l->depth].deepest = depth;
}

static int
on_scalar(struct limits *l, const unsigned char *name, struct fx_err *err)
{
	struct anchor *a;

	if (add_anchor(l, name, &a, err) != FX_OK)
		return err->code;
	if (a != NULL)
		a->open = false;
	l->nodes++;
	return check_sum(l, l->depth, err);
}

static int
on_begin(struct limits *l, const unsigned char *name, struct fx_err *err)
{
	struct anchor *a;

	if (add_anchor(l, name, &a, err) != FX_OK ||
	    check_sum(l, l->depth + 1, err) != FX_OK)
		return err->code;
	l->depth++;
	l->open[l->depth].nodes = l->nodes++;
	l->open[l->depth].deepest = l->depth;
	l->open[l->depth].anchor = a;
	return check_sum(l, l->depth, err);
}

static void
on_end(struct limits *l)
{
	size_t deepest = l->open[l->depth].deepest;
	struct anchor *a = l->open[l->depth].anchor;

	if (a != NULL) {
		a->nodes = l->nodes - l->open[l->depth].nodes;
		a->height = deepest - (l->depth - 1);
		a->open = false;
	}
	l->depth--;
	note_depth(l, deepest);
}

static int
on_alias(struct limits *l, const unsigned char *name, struct fx_err *err)
{
	const struct anchor *a = NULL;

	for (size_t i = 0; i < l->nanchors; i++)
		if (strcmp(l->anchors[i].name, (const char *)name) == 0)
			a = &l->anchors[i];
	if (a == NULL)
		return fx_fail(err, FX_ESYNTAX, "an alias of no anchor");
	if (a->open)
		return fx_fail(err, FX_ESYNTAX,
		    "an alias of what it is itself a part of");
	l->nodes += a->nodes;
	note_depth(l, l->depth + a->height);
	return check_sum(l, l->depth + a->height, err);
}

static int
check_event(const yaml_event_t *ev, struct limits *l, struct fx_err *err)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(l, ev->data.alias.anchor, err);
	case YAML_SCALAR_EVENT:
		return on_scalar(l, ev->data.scalar.anchor, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_begin(l, ev->data.sequence_start.anchor, err);
	case YAML_MAPPING_START_EVENT:
		return on_begin(l, ev->data.mapping_start.anchor, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(l);
		return FX_OK;
	default:
		return FX_OK;
	}
}

static void
parser_open(yaml_parser_t *p, const void *text, size_t n)
{
	if (yaml_parser_initialize(p) == 0)
		fx_no_memory();
	yaml_parser_set_input_string(p, text, n);
}

static int
yaml_problem(const yaml_parser_t *p, struct fx_err *err)
{
	/* libyaml says what is wrong, unless it had no memory; and a kubeconfig
	 * that is bad would end all of fluxd */
	if (p->problem == NULL)
		fx_no_memory();
	return fx_fail(err, FX_ESYNTAX, "yaml: line %zu: %s",
	    p->problem_mark.line + 1, p->problem);
}

/* Walk the events once before a tree is built. */
static int
check_limits(const void *text, size_t n, struct fx_err *err)
{
	yaml_parser_t p;
	yaml_event_t ev;
	struct limits l = { 0 };
	bool end = false;
	int r = FX_OK;

	parser_open(&p, text, n);
	while (r == FX_OK && !end) {
		if (yaml_parser_parse(&p, &ev) == 0) {
			r = yaml_problem(&p, err);
			break;
		}
		r = check_event(&ev, &l, err);
		end = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&p);
	return r;
}

int
ydoc_load(struct ydoc *d, const void *text, size_t n, struct fx_err *err)
{
	yaml_parser_t p;
	int r;

	*d = (struct ydoc){ 0 };
	if (n > YDOC_BYTES_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %u bytes",
		    YDOC_BYTES_MAX);
	r = check_limits(text, n, err);
	if (r != FX_OK)
		return r;
	parser_open(&p, text, n);
	if (yaml_parser_load(&p, &d->doc) == 0)
		r = yaml_problem(&p, err);
	else
		d->loaded = true;
	yaml_parser_delete(&p);
	return r;
}

void
ydoc_wipe(struct ydoc *d)
{
	if (!d->loaded)
		return;
	for (yaml_node_t *n = d->doc.nodes.start; n < d->doc.nodes.top; n++)
		if (n->type == YAML_SCALAR_NODE)
			explicit_bzero(n->data.scalar.value,
			    n->data.scalar.length);
	yaml_document_delete(&d->doc);
	d->loaded = false;
}

struct ynode
ydoc_root(struct ydoc *d)
{
	return (struct ynode){ &d->doc,
		d->loaded ? yaml_document_get_root_node(&d->doc) : NULL };
}

static struct ynode
node_of(struct ynode of, int index)
{
	return (struct ynode){ of.doc, yaml_document_get_node(of.doc, index) };
}

const char *
ynode_text(struct ynode v)
{
	const char *s;

	if (v.n == NULL || v.n->type != YAML_SCALAR_NODE)
		return NULL;
	s = (const char *)v.n->data.scalar.value;
	if (strlen(s) != v.n->data.scalar.length)
		return NULL; /* an embedded NUL: no value of ours has one */
	if (v.n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (s[0] == '\0' || strcmp(s, "null") == 0 || strcmp(s, "~") == 0))
		return NULL;
	return s;
}

/* A member of the mapping itself; the last of several. */
static struct ynode
own_member(struct ynode map, const char *key)
{
	struct ynode found = { map.doc, NULL };

	for (yaml_node_pair_t *p = map.n->data.mapping.pairs.start;
	     p < map.n->data.mapping.pairs.top; p++) {
		const char *k = ynode_text(node_of(map, p->key));

		if (k != NULL && strcmp(k, key) == 0)
			found = node_of(map, p->value);
	}
	return found;
}

struct ynode
ynode_get(struct ynode map, const char *key)
{
	struct ynode found = { map.doc, NULL }, merged, m;

	if (map.n == NULL || map.n->type != YAML_MAPPING_NODE)
		return found;
	found = own_member(map, key);
	merged = own_member(map, "<<");
	if (found.n != NULL || merged.n == NULL)
		return found;
	found = ynode_get(merged, key);
	for (size_t i = 0;
	     found.n == NULL && (m = ynode_at(merged, i)).n != NULL; i++)
		found = ynode_get(m, key);
	return found;
}

struct ynode
ynode_at(struct ynode list, size_t i)
{
	struct ynode none = { list.doc, NULL };

	if (list.n == NULL || list.n->type != YAML_SEQUENCE_NODE ||
	    i >= (size_t)(list.n->data.sequence.items.top -
		     list.n->data.sequence.items.start))
		return none;
	return node_of(list, list.n->data.sequence.items.start[i]);
}

/* A plain scalar that JSON writes without quotes, as Go's reader decides. */
static const char *
json_word(const char *s)
{
	static const struct {
		const char *yaml, *json;
	} words[] = {
		{ "", "null" },
		{ "~", "null" },
		{ "null", "null" },
		{ "true", "true" },
		{ "True", "true" },
		{ "yes", "true" },
		{ "on", "true" },
		{ "false", "false" },
		{ "False", "false" },
		{ "no", "false" },
		{ "off", "false" },
	};
	const char *p = s + (*s == '-');
	size_t digits = strspn(p, "0123456789");

	for (size_t i = 0; i < nitems(words); i++)
		if (strcmp(words[i].yaml, s) == 0)
			return words[i].json;
	/* no leading zero, which would be octal there and an error here */
	if (digits == 0 || (digits > 1 && *p == '0'))
		return NULL;
	p += digits;
	if (*p == '.' && (digits = strspn(p + 1, "0123456789")) != 0)
		p += 1 + digits;
	return *p == '\0' ? s : NULL;
}

static int
scalar_json(const yaml_node_t *n, struct buf *out)
{
	const char *s = (const char *)n->data.scalar.value, *word = NULL;

	if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strlen(s) == n->data.scalar.length)
		word = json_word(s);
	if (word != NULL)
		return str_add(out, word);
	(void)str_addc(out, '"');
	str_add_json(out, s, n->data.scalar.length, true);
	return str_addc(out, '"');
}

int
ynode_json(struct ynode v, struct buf *out)
{
	int r = FX_OK;

	if (v.n->type == YAML_SCALAR_NODE)
		return scalar_json(v.n, out);
	if (v.n->type == YAML_SEQUENCE_NODE) {
		struct ynode e;

		r = str_addc(out, '[');
		for (size_t i = 0; r == FX_OK && (e = ynode_at(v, i)).n != NULL;
		     i++)
			if (i == 0 || (r = str_addc(out, ',')) == FX_OK)
				r = ynode_json(e, out);
		return r == FX_OK ? str_addc(out, ']') : r;
	}
	r = str_addc(out, '{');
	for (yaml_node_pair_t *p = v.n->data.mapping.pairs.start;
	     r == FX_OK && p < v.n->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = node_of(v, p->key).n;

		if (key->type != YAML_SCALAR_NODE)
			return FX_ESYNTAX;
		(void)str_add(out,
		    p == v.n->data.mapping.pairs.start ? "\"" : ",\"");
		str_add_json(out, (const char *)key->data.scalar.value,
		    key->data.scalar.length, true);
		(void)str_add(out, "\":");
		r = ynode_json(node_of(v, p->value), out);
	}
	return r == FX_OK ? str_addc(out, '}') : r;
}
