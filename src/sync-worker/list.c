/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"

#include "str.h"

#include <stdio.h>

/*
 * Reading a list of metadata.  Our own objects come in one answer, however
 * many; those of everybody in pages.  Elements are looked at one by one as they
 * arrive, so a list that breaks off may be read again from where it was.
 */

#define LIST_TRIES 4
#define LIST_PAUSE_US (100 * CLK_MS)

struct listing {
	struct cluster *cluster;
	const struct kind *kind;
	char *ns;
	bool marked;
	list_item_fn *item;
	list_done_fn *done;
	void *arg;
	struct items items;
	char *cont; /* token of the page that comes; NULL: the first */
	unsigned tries;
	struct request *request;
	struct loop_timer timer;
};

static void list_page(struct listing *);

static void
listing_free(struct listing *l)
{
	loop_timer_stop(l->cluster->loop, &l->timer);
	items_clear(&l->items);
	free(l->ns);
	free(l->cont);
	free(l);
}

static void
finish(struct listing *l, const struct answer *a, const char *version)
{
	list_done_fn *done = l->done;
	void *arg = l->arg;

	listing_free(l);
	done(arg, a, version);
}

static void
on_timer(struct loop *loop, void *arg)
{
	(void)loop;
	list_page(arg);
}

/* A token that grew too old is worth a new beginning, a connection that broke
 * another try. */
static void
failed(struct listing *l, const struct answer *a)
{
	bool old = a->status.what == SW_GONE && l->cont != NULL;
	bool broken = a->status.http == 0 && a->err.code == FX_ERETRY;

	if ((!old && !broken) || ++l->tries == LIST_TRIES) {
		finish(l, a, "");
		return;
	}
	if (old)
		free(fx_steal(&l->cont));
	loop_timer_in(l->cluster->loop, &l->timer, LIST_PAUSE_US << l->tries);
}

static void
on_end(void *arg, struct answer *a)
{
	struct listing *l = arg;
	auto_json json_t *doc = NULL;
	const json_t *meta;

	l->request = NULL;
	if (a->err.code == FX_OK)
		doc = items_end(&l->items, &a->err);
	if (doc == NULL) {
		failed(l, a);
		return;
	}
	meta = json_object_get(doc, "metadata");
	free(l->cont);
	l->cont = xstrdup(sw_json_str(meta, "continue"));
	if (l->cont[0] != '\0')
		list_page(l);
	else
		finish(l, a, sw_json_str(meta, "resourceVersion"));
}

static int
on_item(void *arg, const char *text, size_t n)
{
	struct listing *l = arg;
	struct fx_err err;
	auto_json json_t *doc = sw_json(text, n, &err);

	if (doc == NULL)
		return err.code;
	l->item(l->arg, json_object_get(doc, "metadata"));
	return FX_OK;
}

static int
on_bytes(void *arg, const void *p, size_t n)
{
	struct listing *l = arg;

	return items_feed(&l->items, p, n, on_item, l);
}

static bool
is_whole(const void *arg)
{
	const struct listing *l = arg;

	return items_whole(&l->items);
}

static void
list_page(struct listing *l)
{
	struct buf path = BUF_INIT(16384);

	if (kind_path(l->kind, l->ns, NULL, &path) != FX_OK)
		fx_bug("namespace \"%s\" was let in", l->ns);
	if (l->marked)
		(void)str_add(&path, "?" MARK_SELECTOR);
	else
		(void)str_addf(&path, "?limit=%d", LIST_PAGE);
	if (l->cont != NULL) {
		(void)str_add(&path, "&continue=");
		disc_add_encoded(&path, l->cont);
	}
	items_clear(&l->items);
	items_init(&l->items);
	l->request =
	    cluster_get(l->cluster, &path, ACCEPT_META_LIST, 0, on_end, l);
	l->request->stream = on_bytes;
	l->request->whole = is_whole;
	client_send(l->cluster->client, LANE_REQUESTS, l->request);
}

struct listing *
list_start(struct cluster *c, const struct kind *k, const char *ns, bool marked,
    list_item_fn *item, list_done_fn *done, void *arg)
{
	struct listing *l = xcalloc(1, sizeof(*l));

	l->cluster = c;
	l->kind = k;
	l->ns = xstrdup(ns);
	l->marked = marked;
	l->item = item;
	l->done = done;
	l->arg = arg;
	l->timer = (struct loop_timer){ .fn = on_timer, .arg = l };
	list_page(l);
	return l;
}

void
list_cancel(struct listing **lp)
{
	struct listing *l = *lp;

	if (l == NULL)
		return;
	client_cancel(l->cluster->client, &l->request);
	listing_free(l);
	*lp = NULL;
}
