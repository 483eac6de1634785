/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "menu.h"

#include "answer.h"
#include "str.h"
#include "table.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define CURSOR_UP "\033[%zuA"
#define CURSOR_HIDE "\033[?25l"
#define CURSOR_SHOW "\033[?25h"

#define POINTER "\xe2\x87\x92"	 /* U+21D2 */
#define CHECKED "\xe2\x97\x89"	 /* U+25C9 */
#define UNCHECKED "\xe2\x97\xaf" /* U+25EF */

#define HELP                                                                   \
	"Use arrow keys and [Space] to toggle updates; hit [Enter] to "        \
	"release selected.\n"

#define WIDTH_UNKNOWN 9999 /* columns: no line is broken */
#define KEY_BYTES 3	   /* of an arrow key */

struct menu {
	FILE *out;
	struct result *rows;
	size_t at; /* the row that the pointer is on; it is checkable */
	size_t width;
	size_t drawn; /* lines on the screen that the next drawing replaces */
};

enum key { KEY_OTHER, KEY_UP, KEY_DOWN, KEY_TOGGLE, KEY_ACCEPT, KEY_ABORT };

static size_t
terminal_width(FILE *out)
{
	struct winsize size = { 0 };

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return WIDTH_UNKNOWN;
	return size.ws_col;
}

/* How many lines of the screen n columns take. */
static size_t
lines_for(const struct menu *m, size_t n)
{
	return n == 0 ? 1 : (n + m->width - 1) / m->width;
}

static void
add_row(struct buf *b, const struct menu *m, size_t i)
{
	const struct result_row *row = &m->rows->v[i];
	const char *box = " ";

	if (row->update != NULL)
		box = row->checked ? CHECKED : UNCHECKED;
	(void)str_addf(b, "%s %s ", i == m->at ? POINTER : " ", box);
	result_add_row(b, row);
}

/* Columns of the screen that a line's text takes. */
static size_t
columns(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

static void
draw(struct menu *m)
{
	auto_buf struct buf text = BUF_INIT(SIZE_MAX), out = BUF_INIT(SIZE_MAX);
	const char *s, *end;

	if (m->drawn > 0)
		fprintf(m->out, CURSOR_UP, m->drawn);
	m->drawn = 0;
	(void)str_add(&text, "    " RESULT_HEADING);
	for (size_t i = 0; i < m->rows->n; i++)
		add_row(&text, m, i);
	(void)str_add(&text, "\n" HELP);
	table_align((const char *)buf_head(&text), buf_left(&text), &out);
	s = (const char *)buf_head(&out);
	for (size_t left = buf_left(&out); left > 0;) {
		end = memchr(s, '\n', left);
		if (end == NULL)
			break;
		m->drawn += lines_for(m, columns(s, (size_t)(end - s)));
		left -= (size_t)(end - s) + 1;
		s = end + 1;
	}
	(void)fwrite(buf_head(&out), 1, buf_left(&out), m->out);
	(void)fflush(m->out);
}

static enum key
key_of(const char *bytes, size_t n)
{
	/* clang-format off */
	static const struct {
		const char *bytes;
		enum key key;
	} keys[] = {
		{ "\003", KEY_ABORT }, /* Ctrl-C */
		{ "\033", KEY_ABORT },
		{ "q",    KEY_ABORT },
		{ " ",    KEY_TOGGLE },
		{ "\r",   KEY_ACCEPT },
		{ "\t",   KEY_DOWN },
		{ "j",    KEY_DOWN },
		{ "k",    KEY_UP },
		{ "\033[A", KEY_UP },
		{ "\033[B", KEY_DOWN },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(keys); i++)
		if (strlen(keys[i].bytes) == n &&
		    memcmp(keys[i].bytes, bytes, n) == 0)
			return keys[i].key;
	return KEY_OTHER;
}

/* A key that was pressed; KEY_ABORT when the terminal is gone. */
static enum key
read_key(int tty)
{
	char bytes[KEY_BYTES];
	ssize_t n;

	do
		n = read(tty, bytes, sizeof(bytes));
	while (n == -1 && errno == EINTR);
	return n <= 0 ? KEY_ABORT : key_of(bytes, (size_t)n);
}

/* To the next row that can be checked, in one direction; there is one. */
static void
move(struct menu *m, bool down)
{
	size_t n = m->rows->n;

	do
		m->at = (m->at + (down ? 1 : n - 1)) % n;
	while (m->rows->v[m->at].update == NULL);
}

/* true: accepted.  The terminal is in raw mode meanwhile. */
static bool
choose(struct menu *m, int tty)
{
	struct result_row *rows = m->rows->v;
	enum key key;

	draw(m);
	fputs(CURSOR_HIDE, m->out);
	(void)fflush(m->out);
	for (;;) {
		key = read_key(tty);
		if (key == KEY_ACCEPT || key == KEY_ABORT)
			return key == KEY_ACCEPT;
		if (key == KEY_OTHER)
			continue;
		if (key == KEY_TOGGLE)
			rows[m->at].checked = !rows[m->at].checked;
		else
			move(m, key == KEY_DOWN);
		draw(m);
	}
}

/* Owned; NULL if nothing is checked. */
static json_t *
chosen_updates(const struct result *rows)
{
	auto_json json_t *all = json_object();
	json_t *updates;

	for (size_t i = 0; i < rows->n; i++) {
		const struct result_row *row = &rows->v[i];

		if (row->update == NULL || !row->checked)
			continue;
		updates = json_object_get(all, row->id);
		if (updates == NULL) {
			updates = json_array();
			json_object_set_new(all, row->id, updates);
		}
		/* an empty image would be refused; left out it is unknown */
		if (*json_string_value(
			json_object_get(row->update, "Current")) == '\0')
			json_object_del(row->update, "Current");
		json_array_append(updates, row->update);
	}
	return json_object_size(all) == 0 ? NULL : fx_steal(&all);
}

/* FX_OK, or the terminal cannot be used. */
static int
run_raw(struct menu *m, int tty, bool *accepted, struct ctl_error *err)
{
	struct termios before, raw;

	if (tty == -1 || tcgetattr(tty, &before) == -1)
		return ctl_fail(err, FX_EFAIL,
		    "--interactive needs a terminal");
	raw = before;
	cfmakeraw(&raw);
	raw.c_oflag = before.c_oflag; /* line ends stay line ends */
	if (tcsetattr(tty, TCSANOW, &raw) == -1)
		return ctl_fail(err, FX_ESYS, "the terminal: %s",
		    strerror(errno));
	*accepted = choose(m, tty);
	if (*accepted)
		fputc('\n', m->out);
	fputs(CURSOR_SHOW, m->out);
	(void)fflush(m->out);
	(void)tcsetattr(tty, TCSANOW, &before);
	return FX_OK;
}

int
menu_run(struct ctl *c, struct result *rows, json_t **chosen)
{
	struct menu m = { .out = c->out,
		.rows = rows,
		.width = terminal_width(c->out) };
	bool accepted = false;
	int r;

	while (m.at < rows->n && rows->v[m.at].update == NULL)
		m.at++;
	*chosen = NULL;
	if (m.at == rows->n) {
		fputs("No changes found.\n", c->err);
		return FX_OK;
	}
	r = run_raw(&m, c->tty, &accepted, &c->error);
	if (r != FX_OK)
		return r;
	if (accepted)
		*chosen = chosen_updates(rows);
	if (!accepted)
		fputs("Aborted.\n", c->err);
	else if (*chosen == NULL)
		fputs("Nothing selected.\n", c->err);
	return FX_OK;
}
