/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "last_errors.h"

static void
clear(struct last_error **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		free((*v)[i].id);
		free((*v)[i].text);
	}
	free(fx_steal(v));
	*n = 0;
}

void
last_errors_add(struct last_errors *e, const char *id, const char *text)
{
	if (e->nnext == LAST_ERRORS_MAX)
		return;
	if (e->next == NULL)
		e->next = xcalloc(LAST_ERRORS_MAX, sizeof(*e->next));
	e->next[e->nnext++] = (struct last_error){ xstrdup(id),
		xstrndup(text, LAST_ERROR_TEXT_MAX) };
}

static int
compare(const void *a, const void *b)
{
	const struct last_error *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static struct last_error *
find(const struct last_errors *e, const char *id)
{
	const struct last_error key = { .id = (char *)(uintptr_t)id };

	return e->n == 0 ? NULL
			 : bsearch(&key, e->v, e->n, sizeof(*e->v), compare);
}

/* What is remembered and was not met again, as far as there is room. */
static void
keep_others(struct last_errors *e)
{
	const struct last_errors met = { .v = e->next, .n = e->nnext };

	for (size_t i = 0; i < e->n && e->nnext < LAST_ERRORS_MAX; i++)
		if (find(&met, e->v[i].id) == NULL) {
			e->next[e->nnext++] = e->v[i];
			e->v[i] = (struct last_error){ NULL, NULL };
		}
}

void
last_errors_settle(struct last_errors *e, bool whole)
{
	if (!whole && e->nnext == 0)
		return;
	if (e->nnext > 0)
		qsort(e->next, e->nnext, sizeof(*e->next), compare);
	if (!whole)
		keep_others(e);
	clear(&e->v, &e->n);
	e->v = fx_steal(&e->next);
	e->n = e->nnext;
	e->nnext = 0;
	if (e->n > 0) {
		qsort(e->v, e->n, sizeof(*e->v), compare);
		e->v = xreallocarray(e->v, e->n, sizeof(*e->v));
	}
}

void
last_errors_drop(struct last_errors *e)
{
	clear(&e->next, &e->nnext);
}

void
last_errors_forget(struct last_errors *e, bool (*fn)(void *arg, const char *id),
    void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n; i++) {
		if (fn(arg, e->v[i].id)) {
			free(e->v[i].id);
			free(e->v[i].text);
		} else {
			e->v[kept++] = e->v[i];
		}
	}
	e->n = kept;
}

const char *
last_errors_find(const struct last_errors *e, const char *id)
{
	const struct last_error *found = find(e, id);

	return found != NULL ? found->text : "";
}

void
last_errors_clear(struct last_errors *e)
{
	clear(&e->v, &e->n);
	clear(&e->next, &e->nnext);
}
