/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "page.h"

#include "str.h"

/* bytes of what is on its way */
#define PAGE_GUESS (48u * 1024)
#define OBJECT_GUESS (4u * 1024)
#define PAGE_TRIES 4 /* of one page */
#define PAGE_PAUSE_US (100 * CLK_MS)
#define NO_SUCH_VERB 405 /* it cannot be listed */
#define SEEN_MAX 65536	 /* objects that an older group might show again */

static void
drop_list(struct reader *r, struct reading **list)
{
	struct reading *x;

	while ((x = *list) != NULL) {
		*list = x->next;
		r->hooks.drop(x);
	}
}

/* Forget what came of a page that is not complete. */
static void
page_reset(struct page *p)
{
	drop_list(p->reader, &p->head);
	p->tail = &p->head;
	p->n = p->bytes = 0;
	p->too_much = false;
	free(fx_steal(&p->newest));
	items_clear(&p->items);
	items_init(&p->items);
}

struct page *
page_new(struct reader *r, const struct place *place)
{
	struct page *p = xcalloc(1, sizeof(*p)), **at = &r->pages;

	p->reader = r;
	p->place = place;
	p->limit = READ_PAGE;
	page_reset(p);
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	r->npages++;
	return p;
}

static size_t
guess(const struct page *p)
{
	return p->place->name != NULL ? OBJECT_GUESS : PAGE_GUESS;
}

/* Its request is over. */
static void
page_landed(struct page *p)
{
	p->request = NULL;
	p->reader->expected -= guess(p);
	p->reader->all->in_flight--;
}

void
page_free(struct page *p)
{
	struct reader *r = p->reader;
	struct page **at = &r->pages;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	r->npages--;
	if (p->request != NULL) {
		client_cancel(r->all->cluster->client, &p->request);
		page_landed(p);
	}
	for (struct reading *x = p->whole; x != NULL; x = x->next) {
		r->held -= x->bytes;
		r->all->held -= x->bytes;
	}
	drop_list(r, &p->whole);
	page_reset(p);
	items_clear(&p->items);
	free(p->cont);
	free(p->last);
	free(p);
}

static char *
key_of(const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");

	return xasprintf("%s/%s", sw_json_str(meta, "namespace"),
	    sw_json_str(meta, "name"));
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Was it shown by the group that came before? */
static bool
was_seen(const struct reader *r, const char *key)
{
	return r->nseen > 0 &&
	    bsearch(&key, r->seen, r->nseen, sizeof(*r->seen), compare_keys) !=
	    NULL;
}

static void
see(struct reader *r, const char *key)
{
	if (r->nseen == SEEN_MAX)
		return;
	if (r->seen == NULL)
		r->seen = xcalloc(SEEN_MAX, sizeof(*r->seen));
	r->seen[r->nseen++] = xstrdup(key);
}

void
seen_sort(struct reader *r)
{
	if (r->nseen > 0)
		qsort(r->seen, r->nseen, sizeof(*r->seen), compare_keys);
}

void
seen_clear(struct reader *r)
{
	for (size_t i = 0; i < r->nseen; i++)
		free(r->seen[i]);
	r->nseen = 0;
}

/* One object more of the page. */
static void
page_object(struct page *p, json_t *object)
{
	struct reader *r = p->reader;
	auto_free char *key = key_of(object);
	struct reading *x;

	/* the server's order is that of the keys */
	if ((p->skip && p->last != NULL && strcmp(key, p->last) <= 0) ||
	    (p->place->older && was_seen(r, key)))
		return;
	p->n++;
	x = r->hooks.make(r->hooks.arg, p->place, object);
	if (x != NULL) {
		x->next = NULL;
		*p->tail = x;
		p->tail = &x->next;
		p->bytes += x->bytes;
	}
	if (p->place->newer)
		see(r, key);
	free(p->newest);
	p->newest = fx_steal(&key);
}

static int
on_item(void *arg, const char *text, size_t n)
{
	struct page *p = arg;
	struct reader *r = p->reader;
	struct fx_err err = { 0 };
	auto_json json_t *object = sw_json(text, n, &err);

	if (object == NULL) {
		r->hooks.unreadable(r->hooks.arg, p->place, err.text);
		return FX_OK;
	}
	page_object(p, object);
	if (p->bytes <= READ_PAGE_BYTES || p->n <= 1)
		return FX_OK;
	p->too_much = true;
	return FX_ELIMIT;
}

static int
on_bytes(void *arg, const void *data, size_t n)
{
	struct page *p = arg;

	return items_feed(&p->items, data, n, on_item, p);
}

/* The page is complete: hand it out. */
static void
page_whole(struct page *p, const char *cont)
{
	struct reader *r = p->reader;

	p->whole = fx_steal(&p->head);
	r->held += p->bytes;
	r->all->held += p->bytes;
	if (p->newest != NULL) {
		free(p->last);
		p->last = fx_steal(&p->newest);
	}
	free(fx_steal(&p->cont));
	if (cont[0] != '\0')
		p->cont = xstrdup(cont);
	p->ended = p->cont == NULL;
	p->tries = 0;
	page_reset(p);
}

/* What may be tried otherwise; false: it has failed. */
static bool
page_again(struct page *p, const struct answer *a)
{
	bool old = a->status.what == SW_GONE && p->cont != NULL;
	bool broken = a->status.http == 0 && a->err.code == FX_ERETRY;

	if (p->too_much && p->limit > 1) {
		p->limit =
		    p->n - 1 < p->limit ? (unsigned)p->n - 1 : p->limit / 2;
		page_reset(p);
		return true;
	}
	if ((!old && !broken) || ++p->tries == PAGE_TRIES)
		return false;
	if (old) {
		free(fx_steal(&p->cont));
		p->skip = true;
	}
	page_reset(p);
	p->not_before_us = clk_now_us() + (PAGE_PAUSE_US << p->tries);
	return true;
}

static void
page_failed(struct page *p, const struct answer *a)
{
	struct reader *r = p->reader;

	if (page_again(p, a))
		return;
	if (a->status.what == SW_DENIED ||
	    (a->status.what == SW_MISSING && p->place->name != NULL))
		r->hooks.passed(r->hooks.arg, p->place, a->err.text);
	if (a->status.what == SW_NO_KIND)
		r->all->cluster->catalog_stale = true;
	if (a->status.what == SW_DENIED || a->status.what == SW_MISSING ||
	    a->status.what == SW_NO_KIND || a->status.http == NO_SUCH_VERB) {
		page_reset(p);
		p->ended = true;
		return;
	}
	r->err = a->err;
	while (r->pages != NULL)
		page_free(r->pages);
}

/* An answer came, and is dealt with: others may have their turn. */
static void
page_end(struct reader *r, struct page *p)
{
	if (p != NULL && p->ended && p->whole == NULL)
		page_free(p);
	reader_tell(r);
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
}

static void
on_list(void *arg, struct answer *a)
{
	struct page *p = arg;
	struct reader *r = p->reader;
	auto_json json_t *doc = NULL;

	page_landed(p);
	if (a->err.code == FX_OK)
		doc = items_end(&p->items, &a->err);
	if (doc != NULL)
		page_whole(p,
		    sw_json_str(json_object_get(doc, "metadata"), "continue"));
	else
		page_failed(p, a);
	page_end(r, r->err.code == FX_OK ? p : NULL);
}

static void
on_object(void *arg, struct answer *a)
{
	struct page *p = arg;
	struct reader *r = p->reader;
	auto_json json_t *doc = NULL;

	page_landed(p);
	doc = sw_answer(a);
	if (doc != NULL) {
		page_object(p, doc);
		page_whole(p, "");
	} else {
		page_failed(p, a);
	}
	page_end(r, r->err.code == FX_OK ? p : NULL);
}

/* ---- requests ---------------------------------------------------------- */

static bool
is_whole(const void *arg)
{
	const struct page *p = arg;

	return items_whole(&p->items);
}

static void
page_send(struct page *p, struct buf *path)
{
	struct reader *r = p->reader;
	struct cluster *c = r->all->cluster;

	if (p->place->name != NULL) {
		p->request =
		    cluster_get(c, path, NULL, OBJECT_BODY_MAX, on_object, p);
	} else {
		(void)str_addf(path, "?limit=%u", p->limit);
		if (p->cont != NULL) {
			(void)str_add(path, "&continue=");
			disc_add_encoded(path, p->cont);
		}
		p->request = cluster_get(c, path, NULL, 0, on_list, p);
		p->request->stream = on_bytes;
		p->request->whole = is_whole;
	}
	r->expected += guess(p);
	r->all->in_flight++;
	client_send(c->client, LANE_REQUESTS, p->request);
}

void
page_ask(struct page *p)
{
	const struct place *at = p->place;
	const struct disc_kind *k = cluster_find_kind(p->reader->all->cluster,
	    at->api_version, at->kind);
	struct buf path = BUF_INIT(16384);

	if (k == NULL || disc_add_path(&path, k, at->ns, at->name) != FX_OK) {
		buf_clear(&path);
		p->ended = true;
		page_end(p->reader, p);
		return;
	}
	page_send(p, &path);
}
