/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "table.h"

#include "str.h"

#define TABLE_PADDING 2
#define TABLE_CELL_MAX 4096 /* bytes of one foreign cell; more is cut */

struct cell {
	const char *text;
	size_t n;     /* bytes */
	size_t chars; /* code points; malformed bytes count one each */
	size_t width; /* of its column; 0 until known */
};

struct line {
	size_t first, n; /* cells of the line that end with a tab */
	const char *rest;
	size_t rest_n;
	bool newline;
};

struct table {
	struct cell *cells; /* owned */
	struct line *lines; /* owned */
	size_t ncells, nlines;
};

static size_t
count_chars(const char *s, size_t n)
{
	size_t count = 0, step;
	uint32_t cp;

	for (size_t i = 0; i < n; i += step, count++) {
		step = str_utf8_next(s + i, n - i, &cp);
		if (step == 0)
			step = 1;
	}
	return count;
}

static size_t
count_bytes(const char *s, size_t n, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] == c;
	return count;
}

static void
split(struct table *t, const char *s, const char *end)
{
	size_t n = (size_t)(end - s);

	t->cells = xcalloc(count_bytes(s, n, '\t') + 1, sizeof(*t->cells));
	t->lines = xcalloc(count_bytes(s, n, '\n') + 1, sizeof(*t->lines));
	while (s < end) {
		struct line *line = &t->lines[t->nlines++];
		const char *stop = memchr(s, '\n', (size_t)(end - s)), *tab;

		line->newline = stop != NULL;
		if (stop == NULL)
			stop = end;
		line->first = t->ncells;
		for (; (tab = memchr(s, '\t', (size_t)(stop - s))) != NULL;
		     s = tab + 1) {
			struct cell *cell = &t->cells[t->ncells++];

			cell->text = s;
			cell->n = (size_t)(tab - s);
			cell->chars = count_chars(cell->text, cell->n);
			line->n++;
		}
		line->rest = s;
		line->rest_n = (size_t)(stop - s);
		s = stop + 1;
	}
}

/* Give every cell of column c that stands in the run starting at line `from`
 * its width; returns the line after the run. */
static size_t
measure_run(struct table *t, size_t from, size_t c)
{
	size_t end, widest = 0;

	for (end = from; end < t->nlines && t->lines[end].n > c; end++) {
		struct cell *cell = &t->cells[t->lines[end].first + c];

		if (cell->chars > widest)
			widest = cell->chars;
	}
	for (size_t i = from; i < end; i++)
		t->cells[t->lines[i].first + c].width = widest + TABLE_PADDING;
	return end == from ? from + 1 : end;
}

static void
measure(struct table *t)
{
	size_t columns = 0;

	for (size_t i = 0; i < t->nlines; i++)
		if (t->lines[i].n > columns)
			columns = t->lines[i].n;
	for (size_t c = 0; c < columns; c++)
		for (size_t i = 0; i < t->nlines;)
			i = measure_run(t, i, c);
}

void
table_align(const char *text, size_t n, struct buf *out)
{
	struct table t = { 0 };

	split(&t, text, text + n);
	measure(&t);
	for (size_t i = 0; i < t.nlines; i++) {
		const struct line *line = &t.lines[i];

		for (size_t c = 0; c < line->n; c++) {
			const struct cell *cell = &t.cells[line->first + c];

			(void)str_addn(out, cell->text, cell->n);
			for (size_t k = cell->chars; k < cell->width; k++)
				(void)str_addc(out, ' ');
		}
		(void)str_addn(out, line->rest, line->rest_n);
		if (line->newline)
			(void)str_addc(out, '\n');
	}
	free(t.cells);
	free(t.lines);
}

void
table_add_cell(struct buf *b, const char *foreign)
{
	str_printable(b, foreign, strlen(foreign), TABLE_CELL_MAX);
}
