/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "reader.h"

#include "str.h"

/* bytes of what is on its way */
#define PAGE_GUESS (48u * 1024)
#define OBJECT_GUESS (4u * 1024)
#define PAGE_TRIES 4 /* of one page */
#define PAGE_PAUSE_US (100 * CLK_MS)
#define NO_SUCH_VERB 405 /* it cannot be listed */
#define SEEN_MAX 65536	 /* objects that an older group might show again */

/* A place that is being read. */
struct page {
	struct reader *reader;
	const struct place *place;
	struct request *request; /* NULL: none is on its way */
	struct items items;
	char *cont; /* token of the page that comes; NULL: the first */
	char *last; /* "ns/name" handed out last; NULL */
	bool skip;  /* the list began anew: up to `last` it was handed out */
	unsigned limit, tries;
	bool too_much; /* the page that comes is larger than it may be */
	int64_t not_before_us;
	struct reading *head, **tail; /* of the page that comes */
	size_t n, bytes;
	char *newest;	       /* key of the one that was made last */
	struct reading *whole; /* to be taken */
	bool ended;	       /* there is no page after it */
	struct page *next;
};

struct reader {
	struct readers *all;
	struct reader_hooks hooks;
	bool in_order, started;
	struct place *places;
	size_t nplaces, begun;
	struct page *pages; /* that are being read, in order of places */
	size_t npages;
	size_t held;	 /* bytes to be taken */
	size_t expected; /* … that are on their way */
	char **seen;	 /* keys that an older group may show again */
	size_t nseen;
	struct fx_err err;
	struct loop_timer timer; /* tells whoever takes */
	struct reader *next;
};

static void tell(struct reader *);
static void readers_wake(struct readers *, int64_t when_us);

/* ---- pages ------------------------------------------------------------- */

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

static struct page *
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

static void
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

static void
forget_seen(struct reader *r)
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
	tell(r);
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
	if (a->err.code == FX_OK)
		doc = sw_json(buf_head(&a->body), buf_left(&a->body), &a->err);
	if (doc != NULL) {
		page_object(p, doc);
		page_whole(p, "");
	} else {
		page_failed(p, a);
	}
	page_end(r, r->err.code == FX_OK ? p : NULL);
}

/* ---- requests ---------------------------------------------------------- */

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
	}
	r->expected += guess(p);
	r->all->in_flight++;
	client_send(c->client, LANE_REQUESTS, p->request);
}

/* Ask for the next page, or find that there is none to ask for. */
static void
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

/* Is this reader far enough ahead of who takes? */
static bool
is_ahead(const struct reader *r)
{
	size_t ahead = r->held + r->expected;

	return ahead > 0 &&
	    (ahead >= READ_AHEAD || r->all->held >= READ_HELD_MAX);
}

/* May the first place that was not begun be begun?  Two groups with the same
 * objects are read one after the other. */
static bool
may_begin(const struct reader *r)
{
	const struct place *next = &r->places[r->begun];

	if (r->begun == r->nplaces || r->npages == READ_PLACES_AT_ONCE)
		return false;
	return r->npages == 0 || !(next->newer || next->older);
}

/* A page to be asked for now; *when: else, when there may be one. */
static struct page *
next_page(struct reader *r, int64_t now_us, int64_t *when_us)
{
	struct page *p = r->pages;
	struct place *place;

	for (; p != NULL; p = p->next) {
		if (p->request != NULL || p->whole != NULL || p->ended)
			continue;
		if (p->not_before_us <= now_us)
			return p;
		if (p->not_before_us < *when_us)
			*when_us = p->not_before_us;
	}
	if (!may_begin(r))
		return NULL;
	place = &r->places[r->begun++];
	if (place->older && r->nseen > 0)
		qsort(r->seen, r->nseen, sizeof(*r->seen), compare_keys);
	else if (place->newer)
		forget_seen(r);
	return page_new(r, place);
}

static unsigned
in_flight_max(const struct readers *all)
{
	return all->cluster->pass != NULL ? READS_BESIDE_PASS : READS_IN_FLIGHT;
}

/* Who has had a turn waits behind the others. */
static void
to_the_end(struct readers *all, struct reader *r)
{
	struct reader **at = &all->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	while (*at != NULL)
		at = &(*at)->next;
	*at = r;
	r->next = NULL;
}

/* A request of somebody; false: there is none to be made. */
static bool
one_more(struct readers *all, int64_t now_us, int64_t *when_us)
{
	if (all->in_flight >= in_flight_max(all))
		return false;
	for (struct reader *r = all->first; r != NULL; r = r->next) {
		struct page *p = NULL;

		if (r->started && !is_ahead(r))
			p = next_page(r, now_us, when_us);
		if (p == NULL)
			continue;
		to_the_end(all, r);
		page_ask(p);
		return true;
	}
	return false;
}

static void
on_readers(struct loop *l, void *arg)
{
	struct readers *all = arg;
	int64_t when = CLK_NEVER, now = clk_now_us();

	while (one_more(all, now, &when))
		;
	if (when != CLK_NEVER)
		loop_timer_at(l, &all->timer, when);
}

static void
readers_wake(struct readers *all, int64_t when_us)
{
	if (!all->timer.linked || all->timer.when_us > when_us)
		loop_timer_at(all->cluster->loop, &all->timer, when_us);
}

void
readers_init(struct readers *all, struct cluster *c)
{
	*all = (struct readers){ .cluster = c };
	all->timer = (struct loop_timer){ .fn = on_readers, .arg = all };
}

void
readers_clear(struct readers *all)
{
	if (all->cluster != NULL)
		loop_timer_stop(all->cluster->loop, &all->timer);
}

/* ---- readers ----------------------------------------------------------- */

static void
on_ready(struct loop *l, void *arg)
{
	struct reader *r = arg;

	(void)l;
	r->hooks.ready(r->hooks.arg);
}

static void
tell(struct reader *r)
{
	struct loop *l = r->all->cluster->loop;

	if (!r->timer.linked)
		loop_timer_at(l, &r->timer, loop_now_us(l));
}

struct reader *
reader_new(struct readers *all, bool in_order, const struct reader_hooks *hooks)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->all = all;
	r->hooks = *hooks;
	r->in_order = in_order;
	r->timer = (struct loop_timer){ .fn = on_ready, .arg = r };
	r->next = all->first;
	all->first = r;
	all->n++;
	return r;
}

void
reader_free(struct reader **rp)
{
	struct reader *r = fx_steal(rp);
	struct reader **at;

	if (r == NULL)
		return;
	for (at = &r->all->first; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	r->all->n--;
	while (r->pages != NULL)
		page_free(r->pages);
	for (size_t i = 0; i < r->nplaces; i++) {
		free(r->places[i].ns);
		free(r->places[i].name);
	}
	free(r->places);
	forget_seen(r);
	free(r->seen);
	loop_timer_stop(r->all->cluster->loop, &r->timer);
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
	free(r);
}

void
reader_add(struct reader *r, const struct place *place)
{
	struct place *at;

	r->places =
	    xreallocarray(r->places, r->nplaces + 1, sizeof(*r->places));
	at = &r->places[r->nplaces++];
	*at = *place;
	at->ns = xstrdup(place->ns);
	at->name = place->name != NULL ? xstrdup(place->name) : NULL;
}

void
reader_start(struct reader *r)
{
	r->started = true;
	tell(r); /* there may be nothing to read */
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
}

struct reading *
reader_take(struct reader *r)
{
	struct page *p = r->pages;
	struct reading *x;

	while (p != NULL && p->whole == NULL)
		p = r->in_order ? NULL : p->next;
	if (p == NULL)
		return NULL;
	x = p->whole;
	p->whole = x->next;
	r->held -= x->bytes;
	r->all->held -= x->bytes;
	if (p->whole == NULL && p->ended)
		page_free(p);
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
	return x;
}

bool
reader_is_done(const struct reader *r, struct fx_err *err)
{
	*err = r->err;
	return r->err.code != FX_OK ||
	    (r->begun == r->nplaces && r->pages == NULL);
}
