/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gotext.h"

#include "quote.h"

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
		str_add_quoted(b, n->s, n->n);
	} else if (n->kind == NODE_UINT) {
		snprintf(tmp, sizeof(tmp), "0x%" PRIx64, n->u);
		put_text(b, tmp);
	} else {
		const char *text = node_text(n, tmp, &len);

		put(b, text, len);
	}
}
