/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gotext.h"

#include "str.h"

#include <inttypes.h>
#include <stdio.h>

/* Append, or fill the buf and drop the rest. */
static void
put(struct buf *b, const char *s, size_t n)
{
	size_t room = b->max - buf_left(b);
	uint8_t *to = buf_reserve(b, n < room ? n : room);

	n = n < room ? n : room;
	if (n == 0 || to == NULL)
		return;
	memcpy(to, s, n);
	buf_commit(b, n);
}

static void
put_text(struct buf *b, const char *s)
{
	put(b, s, strlen(s));
}

static bool
is_graphic(uint32_t cp)
{
	/* controls, soft hyphen, line separators, bidirectional marks */
	return cp >= 0x20 && (cp < 0x7f || cp > 0xa0) && cp != 0xad &&
	    !(cp >= 0x200b && cp <= 0x200f) &&
	    !(cp >= 0x2028 && cp <= 0x202e) &&
	    !(cp >= 0x2060 && cp <= 0x206f) && cp != 0xfeff;
}

static void
quote_char(struct buf *b, const char *s, size_t w, uint32_t cp)
{
	static const char named[] = "\a\b\f\n\r\t\v";
	const char *at;
	char tmp[16];

	if (cp == '"' || cp == '\\')
		snprintf(tmp, sizeof(tmp), "\\%c", (char)cp);
	else if (cp != 0 && cp < 0x20 && (at = strchr(named, (int)cp)) != NULL)
		snprintf(tmp, sizeof(tmp), "\\%c", "abfnrtv"[at - named]);
	else if (is_graphic(cp)) {
		put(b, s, w);
		return;
	} else if (cp < 0x80)
		snprintf(tmp, sizeof(tmp), "\\x%02x", cp);
	else
		snprintf(tmp, sizeof(tmp), cp < 0x10000 ? "\\u%04x" : "\\U%08x",
		    cp);
	put_text(b, tmp);
}

void
go_quote(struct buf *b, const char *s, size_t n)
{
	char tmp[8];
	uint32_t cp;

	put(b, "\"", 1);
	for (size_t i = 0; i < n && buf_left(b) < b->max;) {
		size_t w = str_utf8_next(s + i, n - i, &cp);

		if (w == 0) {
			snprintf(tmp, sizeof(tmp), "\\x%02x", (uint8_t)s[i]);
			put_text(b, tmp);
			i++;
			continue;
		}
		quote_char(b, s + i, w, cp);
		i += w;
	}
	put(b, "\"", 1);
}

static void
put_list(struct buf *b, const struct node *n)
{
	bool map = n->kind == NODE_MAP;

	put_text(b, map ? "map[interface {}]interface {}{" : "[]interface {}{");
	for (uint32_t i = 0; i < n->n && buf_left(b) < b->max; i++) {
		if (i != 0)
			put_text(b, ", ");
		if (map) {
			go_syntax(b, n->pairs[i].key);
			put_text(b, ":");
			go_syntax(b, n->pairs[i].value);
		} else {
			go_syntax(b, n->items[i]);
		}
	}
	put_text(b, "}");
}

void
go_syntax(struct buf *b, const struct node *n)
{
	char tmp[NODE_TEXT_MAX];
	size_t len;

	if (n->kind == NODE_SEQ || n->kind == NODE_MAP) {
		put_list(b, n);
	} else if (n->kind == NODE_NULL) {
		put_text(b, "interface {}(nil)");
	} else if (n->kind == NODE_STR) {
		go_quote(b, n->s, n->n);
	} else if (n->kind == NODE_UINT) {
		snprintf(tmp, sizeof(tmp), "0x%" PRIx64, n->u);
		put_text(b, tmp);
	} else {
		const char *text = node_text(n, tmp, &len);

		put(b, text, len);
	}
}
