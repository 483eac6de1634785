/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "event.h"

#include "str.h"
#include "test.h"

#define STARTED 1583056800500000 /* 2020-03-01T10:00:00.5Z */
#define TIMES                                                                  \
	"\"startedAt\":\"2020-03-01T10:00:00.5Z\","                            \
	"\"endedAt\":\"2020-03-01T10:00:00.5Z\",\"logLevel\":\"info\","
#define SYNC(ids, metadata)                                                    \
	"{\"id\":0,\"serviceIDs\":[" ids "],\"type\":\"sync\"," TIMES          \
	"\"metadata\":{" metadata "}}"

struct lists {
	struct event_list ids, commits, errors;
};

static struct lists
new_lists(void)
{
	return (struct lists){ EVENT_LIST_INIT(EVENT_IDS_MAX),
		EVENT_LIST_INIT(EVENT_COMMITS_MAX),
		EVENT_LIST_INIT(EVENT_ERRORS_MAX) };
}

static char *
sync_of(struct lists *l, const char *const includes[], bool initial)
{
	auto_buf struct buf b = BUF_INIT(EVENT_JSON_MAX);
	struct event_sync s = { .ids = &l->ids,
		.commits = &l->commits,
		.errors = &l->errors,
		.initial = initial,
		.started_us = STARTED };

	for (size_t i = 0; includes != NULL && includes[i] != NULL; i++)
		s.includes[i] = includes[i];
	event_sync(&b, &s);
	event_list_clear(&l->ids);
	event_list_clear(&l->commits);
	event_list_clear(&l->errors);
	return str_take(&b);
}

/* What upstream's encoder makes of the same event. */
static void
test_sync(void)
{
	static const char *const all[] = { "autorelease", "other", "release",
		"update_policy", NULL };
	static const char *const other[] = { "other", NULL };
	struct lists l = new_lists();
	auto_free char *full = NULL, *least = NULL, *first = NULL, *odd = NULL;

	event_add_id(&l.ids, "<cluster>:namespace/shop");
	event_add_id(&l.ids, "shop:deployment/web");
	event_add_commit(&l.commits, "0123456789", "Release web");
	event_add_commit(&l.commits, "abcdef", "");
	event_add_error(&l.errors, "shop:deployment/api", "apps/api.yaml",
	    "running kubectl: no");
	full = sync_of(&l, all, true);
	want_str(full,
	    SYNC("\"\\u003ccluster\\u003e:namespace/shop\","
		 "\"shop:deployment/web\"",
		"\"commits\":[{\"revision\":\"0123456789\",\"message\":"
		"\"Release web\"},{\"revision\":\"abcdef\",\"message\":\"\"}],"
		"\"includes\":{\"autorelease\":true,\"other\":true,"
		"\"release\":true,\"update_policy\":true},"
		"\"errors\":[{\"ID\":\"shop:deployment/api\","
		"\"Path\":\"apps/api.yaml\",\"Error\":\"running kubectl: no\"}"
		"],\"initialSync\":true"));
	least = sync_of(&l, NULL, false);
	want_str(least, SYNC("", ""));
	first = sync_of(&l, other, true);
	want_str(first,
	    SYNC("", "\"includes\":{\"other\":true},\"initialSync\":true"));
	event_add_commit(&l.commits, "a",
	    "<b> & \"c\"\\ \t\x01\xff \xe2\x80\xa8 \xc3\xa9");
	odd = sync_of(&l, NULL, false);
	want_str(odd,
	    SYNC("",
		"\"commits\":[{\"revision\":\"a\",\"message\":"
		"\"\\u003cb\\u003e \\u0026 \\\"c\\\"\\\\ \\t\\u0001\\ufffd "
		"\\u2028 \xc3\xa9\"}]"));
}

/* Whatever is told of, the event stays within its limit, whole. */
static void
test_limits(void)
{
	struct lists l = new_lists();
	auto_free char *long_text = xmalloc(4097), *json = NULL;
	size_t n = 0;

	memset(long_text, '<', 4096);
	long_text[4096] = '\0';
	for (; l.ids.left_out == 0; n++)
		event_add_id(&l.ids, "a-namespace:deployment/with-a-name");
	want_int(l.ids.n, n - 1);
	event_add_id(&l.ids, "a:b/c"); /* a shorter one may fit */
	want_int(l.ids.n + l.ids.left_out, n + 1);
	while (l.commits.left_out == 0)
		event_add_commit(&l.commits, "0123456789", long_text);
	while (l.errors.left_out == 0)
		event_add_error(&l.errors, "a:b/c", long_text, long_text);
	want(l.errors.n > 0 && l.commits.n > 0);
	json = sync_of(&l, NULL, true);
	want(strlen(json) < EVENT_JSON_MAX && str_ends(json, "}}"));
}

int
main(void)
{
	test_run("event: a sync as upstream's encoder writes it", test_sync);
	test_run("event: what has no room is left out, whole", test_limits);
	return test_done();
}
