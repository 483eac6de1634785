/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "node.h"

#include "scalar.h"
#include "str.h"

#include <stdio.h>

bool
node_is_str(const struct node *n, const char *s)
{
	size_t len = strlen(s);

	return node_is(n, NODE_STR) && n->n == len && memcmp(n->s, s, len) == 0;
}

static struct pair *
find(const struct node *map, const char *key)
{
	if (!node_is(map, NODE_MAP))
		return NULL;
	for (uint32_t i = 0; i < map->n; i++)
		if (node_is_str(map->pairs[i].key, key))
			return &map->pairs[i];
	return NULL;
}

struct node *
node_get(const struct node *map, const char *key)
{
	const struct pair *p = find(map, key);

	return p == NULL ? NULL : p->value;
}

struct node *
node_path(const struct node *map, const char *const *keys)
{
	struct node *n = NULL;

	for (; *keys != NULL; keys++) {
		n = node_get(map, *keys);
		map = n;
	}
	return n;
}

/* A copy of the mapping (NULL: empty) with room for `more` pairs. */
static struct node *
copy_map(struct arena *a, const struct node *map, size_t more)
{
	size_t n = map == NULL ? 0 : map->n;
	struct node *copy = arena_alloc(a, sizeof(*copy));
	struct pair *pairs = arena_alloc(a, (n + more) * sizeof(*pairs));

	if (copy == NULL || pairs == NULL)
		return NULL;
	*copy = map != NULL ? *map : (struct node){ .kind = NODE_MAP };
	if (n != 0)
		memcpy(pairs, map->pairs, n * sizeof(*pairs));
	copy->pairs = pairs;
	return copy;
}

struct node *
node_without(struct arena *a, struct node *map, const char *key)
{
	const struct pair *p = find(map, key);
	struct node *n;
	size_t at;

	if (p == NULL)
		return map;
	at = (size_t)(p - map->pairs);
	if ((n = copy_map(a, map, 0)) == NULL)
		return NULL;
	memmove(n->pairs + at, n->pairs + at + 1,
	    (n->n - at - 1) * sizeof(*n->pairs));
	n->n--;
	return n;
}

struct node *
node_with(struct arena *a, struct node *map, const char *key,
    struct node *value)
{
	struct node *n = copy_map(a, map, 1), *k = node_str(a, key);
	struct pair *p;

	if (n == NULL || k == NULL || value == NULL)
		return NULL;
	if ((p = find(n, key)) != NULL)
		p->value = value;
	else
		n->pairs[n->n++] = (struct pair){ k, value };
	return n;
}

struct node *
node_str(struct arena *a, const char *s)
{
	struct node *n = arena_alloc(a, sizeof(*n));

	if (n != NULL)
		*n = (struct node){
			.kind = NODE_STR,
			.n = (uint32_t)strlen(s),
			.s = s,
		};
	return n;
}

const char *
node_text(const struct node *node, char tmp[NODE_TEXT_MAX], size_t *n)
{
	switch (node->kind) {
	case NODE_STR:
		*n = node->n;
		return node->s;
	case NODE_BOOL:
		snprintf(tmp, NODE_TEXT_MAX, "%s", node->b ? "true" : "false");
		break;
	case NODE_INT:
		snprintf(tmp, NODE_TEXT_MAX, "%lld", (long long)node->i);
		break;
	case NODE_UINT:
		snprintf(tmp, NODE_TEXT_MAX, "%llu",
		    (unsigned long long)node->u);
		break;
	case NODE_FLOAT:
		scalar_print_float(node->f, tmp);
		break;
	case NODE_NULL:
		snprintf(tmp, NODE_TEXT_MAX, "null");
		break;
	default:
		tmp[0] = '\0';
		break;
	}
	*n = strlen(tmp);
	return tmp;
}

const char *
node_source(const struct node *node, char tmp[NODE_TEXT_MAX], size_t *n)
{
	const struct node_written *w = (const void *)node;

	/* a string may have been decoded */
	if (node->kind == NODE_STR || !node->written)
		return node_text(node, tmp, n);
	*n = w->n;
	return w->text;
}

/* ---- the order of keys -------------------------------------------------- */

/* Kinds in the order of Go's reflect package, which upstream's keys of
 * different types follow. */
static int
kind_rank(const struct node *n)
{
	static const uint8_t rank[] = {
		[NODE_BOOL] = 1,
		[NODE_INT] = 2,
		[NODE_UINT] = 3,
		[NODE_FLOAT] = 4,
		[NODE_NULL] = 5,
		[NODE_STR] = 6,
	};

	return rank[n->kind];
}

static bool
is_number(const struct node *n, double *f)
{
	switch (n->kind) {
	case NODE_BOOL:
		*f = n->b ? 1 : 0;
		return true;
	case NODE_INT:
		*f = (double)n->i;
		return true;
	case NODE_UINT:
		*f = (double)n->u;
		return true;
	case NODE_FLOAT:
		*f = n->f;
		return true;
	default:
		return false;
	}
}

static uint32_t
next_char(const struct node *n, size_t *at)
{
	uint32_t cp;
	size_t w = str_utf8_next(n->s + *at, n->n - *at, &cp);

	if (w == 0) {
		(*at)++;
		return 0xfffd;
	}
	*at += w;
	return cp;
}

/*
 * Letters as Unicode has them, roughly: outside ASCII everything counts as one
 * but for the well-known blocks of signs.  A sign that is missed here only
 * means that a document with such keys gets another order than upstream's.
 */
static bool
is_letter(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} signs[] = {
		{ 0x80, 0xa9 },
		{ 0xab, 0xb4 },
		{ 0xb6, 0xb9 },
		{ 0xbb, 0xbf },
		{ 0xd7, 0xd7 },
		{ 0xf7, 0xf7 },
		{ 0x2000, 0x206f },
		{ 0x20a0, 0x20cf },
		{ 0x2190, 0x2bff },
		{ 0x3000, 0x3004 },
		{ 0x3008, 0x3030 },
		{ 0xe000, 0xf8ff },
		{ 0xfe00, 0xfe6f },
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xffff },
		{ 0x1f000, 0x1faff },
	};

	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	for (size_t i = 0; i < nitems(signs); i++)
		if (c >= signs[i].first && c <= signs[i].last)
			return false;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number at the place where two keys part, and the bytes it takes.  It
 * wraps around like upstream's. */
static uint64_t
number_at(const struct node *n, size_t at, uint64_t v, size_t *end)
{
	for (; at < n->n && is_digit(n->s[at]); at++)
		v = v * 10 + (uint64_t)(n->s[at] - '0');
	*end = at;
	return v;
}

/* Do the digits right before the place hold more than zeros? */
static bool
digits_before(const struct node *n, size_t at)
{
	while (at > 0 && is_digit(n->s[at - 1]))
		if (n->s[--at] != '0')
			return true;
	return false;
}

/* Text with numbers in it, by the value of the numbers: a2 before a10; and
 * letters after everything else. */
static int
str_order(const struct node *a, const struct node *b)
{
	size_t ia = 0, ib = 0, at, enda, endb;
	uint64_t na, nb, before;
	uint32_t ca, cb;

	for (;;) {
		if (ia >= a->n || ib >= b->n)
			return ia < a->n ? 1 : ib < b->n ? -1 : 0;
		at = ia; /* equal so far: the same place in both */
		ca = next_char(a, &ia);
		cb = next_char(b, &ib);
		if (ca != cb)
			break;
	}
	if (is_letter(ca) && is_letter(cb))
		return ca < cb ? -1 : 1;
	if (is_letter(ca) || is_letter(cb))
		return is_letter(cb) ? -1 : 1;
	before = (ca == '0' || cb == '0') && digits_before(a, at);
	na = number_at(a, at, before, &enda);
	nb = number_at(b, at, before, &endb);
	if (na != nb)
		return (int64_t)na < (int64_t)nb ? -1 : 1;
	if (enda != endb)
		return enda < endb ? -1 : 1;
	return ca < cb ? -1 : 1;
}

static int
key_order(const struct pair *a, const struct pair *b)
{
	const struct node *ka = a->key, *kb = b->key;
	double fa, fb;

	if (is_number(ka, &fa) && is_number(kb, &fb)) {
		if (fa < fb || fa > fb)
			return fa < fb ? -1 : 1;
		if (ka->kind != kb->kind)
			return kind_rank(ka) - kind_rank(kb);
		if (ka->kind == NODE_INT)
			return (ka->i > kb->i) - (ka->i < kb->i);
		return ka->kind == NODE_UINT ? (ka->u > kb->u) - (ka->u < kb->u)
					     : 0;
	}
	if (ka->kind != NODE_STR || kb->kind != NODE_STR)
		return kind_rank(ka) - kind_rank(kb);
	return str_order(ka, kb);
}

/* A total order in which only the same keys are equal: 1 and "1" and 1.0 are
 * different keys. */
static int
key_identity(const struct pair *a, const struct pair *b)
{
	const struct node *ka = a->key, *kb = b->key;
	int r;

	if (ka->kind != kb->kind)
		return (int)ka->kind - (int)kb->kind;
	switch (ka->kind) {
	case NODE_STR:
		r = memcmp(ka->s, kb->s, ka->n < kb->n ? ka->n : kb->n);
		return r != 0 ? r : (ka->n > kb->n) - (ka->n < kb->n);
	case NODE_NULL:
		return 0;
	case NODE_BOOL:
		return (int)ka->b - (int)kb->b;
	case NODE_FLOAT:
		return (ka->f > kb->f) - (ka->f < kb->f);
	case NODE_INT:
		return (ka->i > kb->i) - (ka->i < kb->i);
	default:
		return (ka->u > kb->u) - (ka->u < kb->u);
	}
}

/*
 * A stable merge sort.  Not qsort: the order of keys above is not transitive
 * for every hostile choice of them, and qsort may go astray on that.
 */
static void
sort(struct pair *v, size_t n, struct pair *tmp,
    int (*order)(const struct pair *, const struct pair *))
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort(v, half, tmp, order);
	sort(v + half, n - half, tmp, order);
	if (order(&v[half - 1], &v[half]) <= 0)
		return;
	memcpy(tmp, v, half * sizeof(*v));
	while (i < half && j < n)
		v[k++] = order(&tmp[i], &v[j]) <= 0 ? tmp[i++] : v[j++];
	memcpy(v + k, tmp + i, (half - i) * sizeof(*v));
}

size_t
node_settle(struct pair *v, size_t n, struct pair *scratch)
{
	size_t kept = 0;

	sort(v, n, scratch, key_identity);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || key_identity(&v[i], &v[i + 1]) != 0)
			v[kept++] = v[i];
	sort(v, kept, scratch, key_order);
	return kept;
}
