/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "event.h"

#include "clock.h"
#include "jsonw.h"
#include "str.h"

#define ELEMENT_MAX (64 * 1024) /* bytes of one; larger ones are left out */
#define PIECE_MAX 8 /* bytes that are added to a text at once; or fewer */

void
event_list_clear(struct event_list *l)
{
	buf_clear(&l->json);
	l->n = l->left_out = 0;
}

/* All of it or nothing: so that what its own buf may have cut is left out, too.
 */
static void
add(struct event_list *l, struct buf *element)
{
	size_t comma = l->n != 0, n = buf_left(element);
	uint8_t *room = NULL;

	if (n < element->max - PIECE_MAX)
		room = buf_reserve(&l->json, comma + n);
	if (room == NULL) {
		l->left_out++;
		return;
	}
	room[0] = ',';
	memcpy(room + comma, buf_head(element), n);
	buf_commit(&l->json, comma + n);
	l->n++;
}

void
event_add_id(struct event_list *l, const char *id)
{
	auto_buf struct buf b = BUF_INIT(ELEMENT_MAX);

	jw_string(&b, id);
	add(l, &b);
}

void
event_add_commit(struct event_list *l, const char *revision,
    const char *subject)
{
	auto_buf struct buf b = BUF_INIT(ELEMENT_MAX);

	(void)str_addc(&b, '{');
	jw_member(&b, "revision", revision);
	(void)str_addc(&b, ',');
	jw_member(&b, "message", subject);
	(void)str_addc(&b, '}');
	add(l, &b);
}

void
event_add_error(struct event_list *l, const char *id, const char *path,
    const char *text)
{
	auto_buf struct buf b = BUF_INIT(ELEMENT_MAX);

	(void)str_addc(&b, '{');
	jw_member(&b, "ID", id);
	(void)str_addc(&b, ',');
	jw_member(&b, "Path", path);
	(void)str_addc(&b, ',');
	jw_member(&b, "Error", text);
	(void)str_addc(&b, '}');
	add(l, &b);
}

static void
add_list(struct buf *b, const char *before, const struct event_list *l)
{
	(void)str_addf(b, "%s[", before);
	(void)str_addn(b, (const char *)buf_head(&l->json), buf_left(&l->json));
	(void)str_addc(b, ']');
}

void
event_begin(struct buf *b, const struct event *ev)
{
	add_list(b, "{\"id\":0,\"serviceIDs\":", ev->ids);
	(void)str_addf(b, ",\"type\":\"%s\",\"startedAt\":\"", ev->type);
	clk_add_rfc3339(b, ev->started_us);
	(void)str_add(b, "\",\"endedAt\":\"");
	clk_add_rfc3339(b, ev->ended_us);
	(void)str_add(b, "\",\"logLevel\":\"info\",\"metadata\":");
}

/* What is empty is left out, as by upstream. */
void
event_sync(struct buf *b, const struct event_sync *s)
{
	const struct event ev = { "sync", s->ids, s->started_us,
		s->started_us };
	const char *comma = "";

	event_begin(b, &ev);
	(void)str_addc(b, '{');
	if (s->commits->n != 0) {
		add_list(b, "\"commits\":", s->commits);
		comma = ",";
	}
	for (size_t i = 0; i < nitems(s->includes) && s->includes[i] != NULL;
	     i++) {
		(void)str_addf(b, "%s%s\"%s\":true", comma,
		    i == 0 ? "\"includes\":{" : "", s->includes[i]);
		comma = ",";
	}
	if (s->includes[0] != NULL)
		(void)str_addc(b, '}');
	if (s->errors->n != 0) {
		(void)str_add(b, comma);
		add_list(b, "\"errors\":", s->errors);
		comma = ",";
	}
	if (s->initial)
		(void)str_addf(b, "%s\"initialSync\":true", comma);
	(void)str_add(b, "}}");
}
