/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "arena.h"

#define ARENA_BLOCK (64 * 1024) /* bytes of an ordinary block */
#define ARENA_ALIGN 8

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes at data */
	size_t used; /* used <= size */
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

static struct arena_block *
grow(struct arena *a, size_t n)
{
	size_t size = n > ARENA_BLOCK ? n : ARENA_BLOCK;
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	b->size = size;
	b->used = 0;
	b->next = a->head;
	a->head = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	void *p;

	if (n > a->max || a->used > a->max - n)
		return NULL;
	n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (b == NULL || b->size - b->used < n)
		b = grow(a, n);
	p = b->data + b->used;
	b->used += n;
	a->used += n;
	return p;
}

char *
arena_strn(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (p == NULL)
		return NULL;
	if (n != 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

/* Free all blocks but `keep`, which may be NULL. */
static void
drop(struct arena *a, struct arena_block *keep)
{
	struct arena_block *b = a->head;

	while (b != NULL) {
		struct arena_block *next = b->next;

		if (b != keep)
			free(b);
		b = next;
	}
	a->head = keep;
	a->used = 0;
}

void
arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	for (struct arena_block *b = a->head; b != NULL; b = b->next)
		if (b->size == ARENA_BLOCK)
			keep = b;
	drop(a, keep);
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
	}
}

void
arena_clear(struct arena *a)
{
	drop(a, NULL);
}
