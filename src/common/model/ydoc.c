/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ydoc.h"

/* The limits are kept while libyaml reads, so nothing it is bad at (nested
 * flow collections, anchors) gets long enough to cost time. */
static int
check_event(const yaml_event_t *ev, size_t *nodes, size_t *depth,
    struct fx_err *err)
{
	const unsigned char *anchor = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return fx_fail(err, FX_ESYNTAX,
		    "anchors and aliases are not supported");
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		++*depth;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		++*depth;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "anchors and aliases are not supported");
	if (*depth > YDOC_DEPTH_MAX)
		return fx_fail(err, FX_ELIMIT, "nested more than %d deep",
		    YDOC_DEPTH_MAX);
	if (++*nodes > YDOC_NODES_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d nodes",
		    YDOC_NODES_MAX);
	return FX_OK;
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
	size_t nodes = 0, depth = 0;
	bool end = false;
	int r = FX_OK;

	parser_open(&p, text, n);
	while (r == FX_OK && !end) {
		if (yaml_parser_parse(&p, &ev) == 0) {
			r = yaml_problem(&p, err);
			break;
		}
		r = check_event(&ev, &nodes, &depth, err);
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

struct ynode
ynode_get(struct ynode map, const char *key)
{
	struct ynode found = { map.doc, NULL };

	if (map.n == NULL || map.n->type != YAML_MAPPING_NODE)
		return found;
	for (yaml_node_pair_t *p = map.n->data.mapping.pairs.start;
	     p < map.n->data.mapping.pairs.top; p++) {
		const char *k = ynode_text(node_of(map, p->key));

		if (k != NULL && strcmp(k, key) == 0)
			found = node_of(map, p->value);
	}
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
