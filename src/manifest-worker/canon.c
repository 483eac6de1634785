/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "canon.h"

#include "canon_text.h"
#include "scalar.h"
#include "str.h"

#include <sha1.h>

#define INDENT 2
#define WIDTH 80    /* columns after which a space becomes a line end */
#define KEY_MAX 128 /* bytes of a key that stands on the line of its value */
#define BASE64_LINE 70
#define CHUNK 4096 /* bytes hashed at once */

enum style { PLAIN, SINGLE, DOUBLE, LITERAL };

struct canon {
	struct buf *out; /* may be NULL */
	SHA1_CTX sha1;
	uint8_t chunk[CHUNK];
	size_t in_chunk;
	size_t written;
	bool failed;
	int indent; /* -1 before the root */
	int column;
	uint32_t line;
	bool whitespace; /* the last thing written was white space */
	bool indention;	 /* only white space and indicators on this line */
};

/* ---- bytes -------------------------------------------------------------- */

static void
flush(struct canon *c)
{
	SHA1Update(&c->sha1, c->chunk, c->in_chunk);
	if (c->out != NULL && buf_put(c->out, c->chunk, c->in_chunk) != FX_OK)
		c->failed = true;
	c->in_chunk = 0;
}

static void
put_byte(struct canon *c, char byte)
{
	if (c->in_chunk == CHUNK)
		flush(c);
	c->chunk[c->in_chunk++] = (uint8_t)byte;
	if (++c->written > CANON_MAX)
		c->failed = true;
}

static void
put(struct canon *c, char byte)
{
	put_byte(c, byte);
	c->column++;
}

static void
put_break(struct canon *c)
{
	put_byte(c, '\n');
	c->column = 0;
	c->line++;
}

static void
write_char(struct canon *c, struct text *t)
{
	for (size_t w = text_width(t); w > 0; w--)
		put_byte(c, t->s[t->at++]);
	c->column++;
}

/* ---- layout ------------------------------------------------------------- */

static void
write_indent(struct canon *c)
{
	int indent = c->indent < 0 ? 0 : c->indent;

	if (!c->indention || c->column > indent ||
	    (c->column == indent && !c->whitespace))
		put_break(c);
	while (c->column < indent)
		put(c, ' ');
	c->whitespace = true;
	c->indention = true;
}

static void
write_indicator(struct canon *c, const char *s, bool need_space, bool space,
    bool indention)
{
	if (need_space && !c->whitespace)
		put(c, ' ');
	for (; *s != '\0'; s++)
		put(c, *s);
	c->whitespace = space;
	c->indention = c->indention && indention;
}

/* Go one level in; returns the level to come back to. */
static int
increase_indent(struct canon *c, bool flow, bool indentless)
{
	int before = c->indent;

	if (before < 0)
		c->indent = flow ? INDENT : 0;
	else if (!indentless)
		c->indent += INDENT;
	return before;
}

/* ---- scalars ------------------------------------------------------------ */

static void
write_plain(struct canon *c, struct text t, bool may_fold)
{
	bool spaces = false;

	if (!c->whitespace)
		put(c, ' ');
	while (t.at < t.n) {
		if (!text_is_space(&t)) {
			write_char(c, &t);
			c->indention = false;
			spaces = false;
			continue;
		}
		if (may_fold && !spaces && c->column > WIDTH &&
		    !text_space_follows(&t)) {
			write_indent(c);
			t.at++;
		} else {
			write_char(c, &t);
		}
		spaces = true;
	}
	c->whitespace = false;
	c->indention = false;
}

/* A line end of the text itself. */
static void
write_break(struct canon *c, struct text *t)
{
	if (t->s[t->at] == '\n') {
		put_break(c);
		t->at++;
		return;
	}
	write_char(c, t);
	c->column = 0;
	c->line++;
}

static void
write_single(struct canon *c, struct text t, bool may_fold)
{
	bool spaces = false, breaks = false;

	write_indicator(c, "'", true, false, false);
	while (t.at < t.n) {
		if (text_is_space(&t)) {
			if (may_fold && !spaces && c->column > WIDTH &&
			    t.at > 0 && t.at < t.n - 1 &&
			    !text_space_follows(&t)) {
				write_indent(c);
				t.at++;
			} else {
				write_char(c, &t);
			}
			spaces = true;
		} else if (text_is_break(&t)) {
			if (!breaks && t.s[t.at] == '\n')
				put_break(c);
			write_break(c, &t);
			c->indention = true;
			breaks = true;
		} else {
			if (breaks)
				write_indent(c);
			if (t.s[t.at] == '\'')
				put(c, '\'');
			write_char(c, &t);
			c->indention = false;
			spaces = breaks = false;
		}
	}
	write_indicator(c, "'", false, false, false);
	c->whitespace = false;
	c->indention = false;
}

static void
write_escape(struct canon *c, uint32_t cp)
{
	static const struct {
		uint32_t cp;
		char letter;
	} named[] = {
		{ 0x00, '0' },
		{ 0x07, 'a' },
		{ 0x08, 'b' },
		{ 0x09, 't' },
		{ 0x0a, 'n' },
		{ 0x0b, 'v' },
		{ 0x0c, 'f' },
		{ 0x0d, 'r' },
		{ 0x1b, 'e' },
		{ 0x22, '"' },
		{ 0x5c, '\\' },
		{ 0x85, 'N' },
		{ 0xa0, '_' },
		{ 0x2028, 'L' },
		{ 0x2029, 'P' },
	};
	int digits = cp <= 0xff ? 2 : cp <= 0xffff ? 4 : 8;

	put(c, '\\');
	for (size_t i = 0; i < nitems(named); i++)
		if (named[i].cp == cp) {
			put(c, named[i].letter);
			return;
		}
	put(c, digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
	while (digits-- > 0)
		put(c, "0123456789ABCDEF"[(cp >> (digits * 4)) & 0xf]);
}

static void
write_double(struct canon *c, struct text t, bool may_fold)
{
	/* upstream looks for a byte order mark at the start of the text
	 * whatever place it is at, and then escapes everything */
	bool all = text_has(&t, "\xef\xbb\xbf"), spaces = false;
	uint32_t cp;

	write_indicator(c, "\"", true, false, false);
	while (t.at < t.n) {
		if (all || !text_is_printable(&t) || text_is_break(&t) ||
		    t.s[t.at] == '"' || t.s[t.at] == '\\') {
			size_t w = str_utf8_next(t.s + t.at, t.n - t.at, &cp);

			write_escape(c, cp);
			t.at += w;
			spaces = false;
		} else if (text_is_space(&t)) {
			if (may_fold && !spaces && c->column > WIDTH &&
			    t.at > 0 && t.at < t.n - 1) {
				write_indent(c);
				if (text_space_follows(&t))
					put(c, '\\');
				t.at++;
			} else {
				write_char(c, &t);
			}
			spaces = true;
		} else {
			write_char(c, &t);
			spaces = false;
		}
	}
	write_indicator(c, "\"", false, false, false);
	c->whitespace = false;
	c->indention = false;
}

/* The last character of a text that ends at t->n; moves the end before it. */
static bool
take_last_break(struct text *t)
{
	if (t->n == 0)
		return false;
	t->at = t->n - 1;
	while (t->at > 0 && ((uint8_t)t->s[t->at] & 0xc0) == 0x80)
		t->at--;
	if (!text_is_break(t))
		return false;
	t->n = t->at;
	return true;
}

static void
write_literal(struct canon *c, struct text t)
{
	struct text end = t;
	bool breaks = true;

	write_indicator(c, "|", true, false, false);
	if (text_is_space(&t) || text_is_break(&t))
		write_indicator(c, "2", false, false, false);
	if (!take_last_break(&end))
		write_indicator(c, "-", false, false, false);
	else if (end.n == 0 || take_last_break(&end))
		write_indicator(c, "+", false, false, false);
	put_break(c);
	c->indention = true;
	c->whitespace = true;
	while (t.at < t.n) {
		if (text_is_break(&t)) {
			write_break(c, &t);
			c->indention = true;
			breaks = true;
		} else {
			if (breaks)
				write_indent(c);
			write_char(c, &t);
			c->indention = false;
			breaks = false;
		}
	}
}

/* Bytes that are no UTF-8 are written in base64, in lines. */
static void
encode_binary(const struct node *n, struct buf *out)
{
	auto_buf struct buf all = BUF_INIT(CANON_MAX);
	size_t left;

	str_add_base64(&all, (const uint8_t *)n->s, n->n, true, false);
	left = buf_left(&all);
	for (bool lines = left >= BASE64_LINE; left > 0;
	     left = buf_left(&all)) {
		size_t take = left < BASE64_LINE ? left : BASE64_LINE;

		if (str_addn(out, (const char *)buf_head(&all), take) !=
			FX_OK ||
		    (lines && str_addc(out, '\n') != FX_OK))
			return;
		buf_skip(&all, take);
	}
}

static void
write_text(struct canon *c, struct text t, enum style style,
    const struct traits *traits, bool key)
{
	if (key && traits->multiline)
		style = DOUBLE;
	if (style == PLAIN && (!traits->plain || (t.n == 0 && key)))
		style = SINGLE;
	if (style == SINGLE && !traits->single)
		style = DOUBLE;
	if (style == LITERAL && (!traits->block || key))
		style = DOUBLE;
	switch (style) {
	case PLAIN:
		write_plain(c, t, !key);
		break;
	case SINGLE:
		write_single(c, t, !key);
		break;
	case DOUBLE:
		write_double(c, t, !key);
		break;
	case LITERAL:
		write_literal(c, t);
		break;
	}
}

static void
write_string(struct canon *c, const struct node *n, bool key)
{
	auto_buf struct buf encoded = BUF_INIT(CANON_MAX);
	struct text t = { n->s, n->n, 0 };
	struct traits traits;
	enum style style;

	if (!str_is_utf8(n->s, n->n)) {
		encode_binary(n, &encoded);
		t.s = (const char *)buf_head(&encoded);
		t.n = buf_left(&encoded);
		write_indicator(c, "!!binary", true, false, false);
		style = PLAIN;
	} else {
		style = scalar_is_str(t.s, t.n) && !text_is_base60(t.s, t.n)
		    ? PLAIN
		    : DOUBLE;
	}
	if (t.n != 0 && memchr(t.s, '\n', t.n) != NULL)
		style = LITERAL;
	traits = text_analyse(t.s, t.n);
	write_text(c, t, style, &traits, key);
}

static void
write_scalar(struct canon *c, const struct node *n, bool key)
{
	int before = increase_indent(c, true, false);
	char tmp[NODE_TEXT_MAX];
	struct text t = { 0 };

	if (n->kind == NODE_STR) {
		write_string(c, n, key);
	} else {
		struct traits traits;

		t.s = node_text(n, tmp, &t.n);
		traits = text_analyse(t.s, t.n);
		write_text(c, t, PLAIN, &traits, key);
	}
	c->indent = before;
}

/* ---- collections -------------------------------------------------------- */

static void write_node(struct canon *, struct node *, bool in_mapping);

/* Can the key stand before a colon on one line? */
static bool
is_simple_key(const struct node *key)
{
	size_t n = key->n;

	if (key->kind != NODE_STR)
		return true;
	if (!str_is_utf8(key->s, key->n)) {
		n = (n + 2) / 3 * 4;
		return n < BASE64_LINE; /* longer ones are several lines */
	}
	return n <= KEY_MAX && !text_analyse(key->s, key->n).multiline;
}

static void
write_map(struct canon *c, struct node *n)
{
	int before = increase_indent(c, false, false);

	for (uint32_t i = 0; i < n->n && !c->failed; i++) {
		struct node *key = n->pairs[i].key;

		write_indent(c);
		if (i == 0)
			n->line = c->line;
		key->line = c->line;
		if (is_simple_key(key)) {
			write_scalar(c, key, true);
			write_indicator(c, ":", false, false, false);
		} else {
			write_indicator(c, "?", true, false, true);
			write_scalar(c, key, false);
			write_indent(c);
			write_indicator(c, ":", true, false, true);
		}
		write_node(c, n->pairs[i].value, true);
	}
	c->indent = before;
}

static void
write_seq(struct canon *c, struct node *n, bool in_mapping)
{
	int before = increase_indent(c, false, in_mapping && !c->indention);

	for (uint32_t i = 0; i < n->n && !c->failed; i++) {
		write_indent(c);
		if (i == 0)
			n->line = c->line;
		write_indicator(c, "-", true, false, true);
		write_node(c, n->items[i], false);
	}
	c->indent = before;
}

static void
write_node(struct canon *c, struct node *n, bool in_mapping)
{
	n->line = c->line;
	if (n->kind == NODE_MAP && n->n != 0)
		write_map(c, n);
	else if (n->kind == NODE_SEQ && n->n != 0)
		write_seq(c, n, in_mapping);
	else if (n->kind == NODE_MAP || n->kind == NODE_SEQ)
		write_indicator(c, n->kind == NODE_MAP ? "{}" : "[]", true,
		    false, false);
	else
		write_scalar(c, n, false);
}

int
canon_write(struct node *root, struct buf *out, uint8_t hash[CANON_HASH_LEN],
    struct fx_err *err)
{
	struct canon c = {
		.out = out,
		.indent = -1,
		.whitespace = true,
		.indention = true,
	};

	SHA1Init(&c.sha1);
	write_node(&c, root, false);
	write_indent(&c);
	flush(&c);
	if (c.failed)
		return fx_fail(err, FX_ELIMIT,
		    "document is longer than %lu bytes when its aliases are "
		    "written out",
		    CANON_MAX);
	SHA1Final(hash, &c.sha1);
	return FX_OK;
}
