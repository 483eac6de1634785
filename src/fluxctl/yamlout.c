/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "yamlout.h"

#include "arena.h"
#include "canon.h"
#include "node.h"
#include "text.h"

#define MEMORY_MAX (256ul << 20) /* bytes of nodes */

int
yamlout_node(struct buf *out, struct node *node, struct ctl_error *err)
{
	uint8_t hash[CANON_HASH_LEN];
	struct fx_err why = { 0 };

	if (canon_write(node, out, hash, &why) != FX_OK)
		return ctl_fail(err, why.code, "%s", why.text);
	return FX_OK;
}

static bool fill(struct arena *, const json_t *, struct node *);

static bool
fill_list(struct arena *a, const json_t *list, struct node *out)
{
	const json_t *element;
	struct node *nodes;
	size_t i;

	out->kind = NODE_SEQ;
	out->n = (uint32_t)json_array_size(list);
	out->items = arena_alloc(a, out->n * sizeof(struct node *));
	nodes = arena_alloc(a, out->n * sizeof(*nodes));
	if (out->items == NULL || nodes == NULL)
		return false;
	json_array_foreach (list, i, element) {
		out->items[i] = &nodes[i];
		if (!fill(a, element, &nodes[i]))
			return false;
	}
	return true;
}

static bool
fill_object(struct arena *a, const json_t *object, struct node *out)
{
	struct node *nodes;
	const char *key;
	json_t *value;
	size_t n = 0;

	out->kind = NODE_MAP;
	out->n = (uint32_t)json_object_size(object);
	out->pairs = arena_alloc(a, out->n * sizeof(*out->pairs));
	nodes = arena_alloc(a, out->n * sizeof(*nodes));
	if (out->pairs == NULL || nodes == NULL)
		return false;
	/* the macro wants a pointer it could write through */
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		out->pairs[n] = (struct pair){ node_str(a, key), &nodes[n] };
		if (out->pairs[n].key == NULL || !fill(a, value, &nodes[n]))
			return false;
		n++;
	}
	return true;
}

/* false: it needs too much memory.  Strings stay the value's. */
static bool
fill(struct arena *a, const json_t *value, struct node *out)
{
	*out = (struct node){ .kind = NODE_NULL };
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return fill_object(a, value, out);
	case JSON_ARRAY:
		return fill_list(a, value, out);
	case JSON_STRING:
		out->kind = NODE_STR;
		out->s = json_string_value(value);
		out->n = (uint32_t)json_string_length(value);
		break;
	case JSON_INTEGER:
		out->kind = NODE_INT;
		out->i = json_integer_value(value);
		break;
	case JSON_REAL:
		out->kind = NODE_FLOAT;
		out->f = json_real_value(value);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		out->kind = NODE_BOOL;
		out->b = json_is_true(value);
		break;
	case JSON_NULL:
		break;
	}
	return true;
}

int
yamlout_json(FILE *to, const json_t *value, struct ctl_error *err)
{
	auto_arena struct arena arena = ARENA_INIT(MEMORY_MAX);
	auto_buf struct buf out = BUF_INIT(CANON_MAX);
	struct node root;
	int r;

	if (!fill(&arena, value, &root))
		return ctl_fail(err, FX_ELIMIT,
		    "the answer needs more than %lu bytes of memory",
		    MEMORY_MAX);
	r = yamlout_node(&out, &root, err);
	if (r == FX_OK)
		ctl_write(to, (const char *)buf_head(&out), buf_left(&out));
	return r;
}
