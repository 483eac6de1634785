/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"
#include "pass.h"

#include "str.h"

#include <stdio.h>

#define WATCH_MIN_S                                                            \
	300 /* a watch is asked to end after this, and half more               \
	     */
#define WATCH_GRACE_S 30
#define RELIST_US (30 * CLK_SEC) /* a stream does not begin anew more often */
#define AGAIN_US (100 * CLK_MS)	 /* after a watch that ended as it should */
#define AGAIN_MAX_US (30 * CLK_SEC)
#define SHORT_US (2 * CLK_SEC) /* a watch that ends sooner went wrong */
#define FAILURES_STALE 6       /* in a row: the next pass lists anew */

static void stream_list(struct stream *);
static void stream_watch(struct stream *);

/* ---- objects that show up --------------------------------------------- */

static struct object *
find(struct stream *s, const json_t *meta)
{
	return objects_find(&s->cluster->objects, s->kind,
	    sw_json_str(meta, "namespace"), sw_json_str(meta, "name"));
}

static bool
is_in_stream(const struct stream *s, const struct object *o)
{
	return o->kind == s->kind &&
	    (s->ns[0] == '\0' || strcmp(o->ns, s->ns) == 0);
}

static void
observe(struct stream *s, const json_t *meta)
{
	struct object *o = find(s, meta);

	if (o == NULL) {
		gc_seen(s, meta);
		return;
	}
	o->seen = s->generation;
	if (object_observe(o, meta))
		drift_found(s->cluster, o);
}

/* The list is complete: what it did not have is not there, or not marked. */
static void
settle(struct stream *s)
{
	struct objects *t = &s->cluster->objects;
	char *end;
	uint64_t version = strtoull(s->version, &end, 10);

	for (size_t i = 0; i < t->n; i++) {
		struct object *o = t->v[i];

		if (!is_in_stream(s, o) || o->seen == s->generation)
			continue;
		if (o->state == OBJ_NEW)
			o->state = OBJ_LOOK;
		else if (o->state > OBJ_LOOK &&
		    object_vanished(o, *end == '\0' ? version : 0))
			drift_found(s->cluster, o);
	}
	gc_settle(s);
}

/* ---- lists ------------------------------------------------------------ */

static void
after(struct stream *s, int64_t span_us)
{
	loop_timer_in(s->cluster->loop, &s->timer, span_us);
}

static int64_t
growing(struct stream *s)
{
	unsigned n = s->failures < 8 ? s->failures : 8;
	int64_t us = AGAIN_US << n;

	return client_jitter_us(s->cluster->client,
	    us > AGAIN_MAX_US ? AGAIN_MAX_US : us);
}

static void
on_timer(struct loop *l, void *arg)
{
	struct stream *s = arg;

	(void)l;
	if (s->request != NULL || s->listing != NULL)
		return;
	if (s->state == STREAM_IDLE && !s->catalog)
		stream_list(s);
	else
		stream_watch(s);
}

static void
list_failed(struct stream *s, const struct answer *a)
{
	s->state = a->status.what == SW_DENIED || a->status.http == 405
	    ? STREAM_DENIED
	    : STREAM_FAILED;
	s->error = a->err;
	s->unreachable = a->status.http == 0 && a->err.code != FX_ELIMIT &&
	    a->err.code != FX_ESYNTAX;
	if (a->status.what == SW_NO_KIND) {
		s->kind->known = false;
		s->cluster->catalog_stale = true;
		gc_settle(s);
	}
}

static void
on_item(void *arg, const json_t *meta)
{
	observe(arg, meta);
}

/* Is it still to be found out how many objects will be written? */
static bool
may_rest(const struct pass *p)
{
	return p != NULL && !p->repair && p->step <= STEP_LIST;
}

static void
on_list(void *arg, const struct answer *a, const char *version)
{
	struct stream *s = arg;

	s->listing = NULL;
	if (a->err.code != FX_OK) {
		list_failed(s, a);
		pass_step(s->cluster);
		return;
	}
	snprintf(s->version, sizeof(s->version), "%s", version);
	settle(s);
	s->failures = 0;
	s->error.code = FX_OK;
	s->state = s->kind->can_watch ? STREAM_LIVE : STREAM_STALE;
	if (s->state == STREAM_LIVE && may_rest(s->cluster->pass))
		s->resting = true;
	else if (s->state == STREAM_LIVE)
		stream_watch(s);
	pass_step(s->cluster);
}

static void
stream_list(struct stream *s)
{
	loop_timer_stop(s->cluster->loop, &s->timer);
	s->state = STREAM_LISTING;
	s->generation++;
	s->listing =
	    list_start(s->cluster, s->kind, s->ns, true, on_item, on_list, s);
}

/* ---- watches ---------------------------------------------------------- */

/* The first watch of all begins with what is there already, which discovery
 * has shown too.  A kind that came in between is missed at its first use, and
 * looked for then: refresh_may_help. */
#define CATALOG_BEGINS_US (2 * CLK_SEC)

static void
catalog_event(struct stream *s, const char *type)
{
	int64_t now = clk_now_us();

	if (s->first_us == 0)
		s->first_us = now;
	s->cluster->catalog_changed_us = now;
	if (strcmp(type, "ADDED") != 0 || now - s->first_us > CATALOG_BEGINS_US)
		s->cluster->catalog_stale = true;
}

static int
on_event(struct stream *s, const char *type, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *version = sw_json_str(meta, "resourceVersion");
	struct object *o;

	if (strcmp(type, "ERROR") == 0) {
		s->expired =
		    json_integer_value(json_object_get(object, "code")) == 410;
		return FX_EFAIL;
	}
	if (version[0] != '\0')
		snprintf(s->version, sizeof(s->version), "%s", version);
	if (strcmp(type, "BOOKMARK") == 0)
		return FX_OK;
	if (s->catalog) {
		catalog_event(s, type);
		return FX_OK;
	}
	if (strcmp(type, "DELETED") != 0) {
		observe(s, meta);
		return FX_OK;
	}
	/* deleted, or its mark was taken off: somebody has to look */
	o = find(s, meta);
	if (o == NULL)
		gc_gone(s, meta);
	else if (object_vanished(o, sw_json_version(meta)))
		drift_found(s->cluster, o);
	return FX_OK;
}

static int
on_line(void *arg, const char *line, size_t n)
{
	struct stream *s = arg;
	struct fx_err err;
	auto_json json_t *doc = sw_json(line, n, &err);

	if (doc == NULL)
		return err.code;
	return on_event(s, sw_json_str(doc, "type"),
	    json_object_get(doc, "object"));
}

static int
on_bytes(void *arg, const void *p, size_t n)
{
	struct stream *s = arg;
	int r;

	s->answered = true;
	r = lines_feed(&s->lines, p, n, on_line, s);

	/* an event too long to be looked at: list instead of going past it */
	if (r == FX_ELIMIT || r == FX_ESYNTAX)
		s->expired = true;
	return r;
}

/* The watch cannot be continued where it was. */
static void
relist(struct stream *s)
{
	int64_t now = clk_now_us(), wait = 0;

	s->expired = false;
	s->version[0] = '\0';
	s->cluster->catalog_stale |= s->catalog;
	s->state = STREAM_IDLE;
	/* the first at once; a server that says so each time has to wait */
	if (s->relisted_us != 0 && now - s->relisted_us < RELIST_US)
		wait = RELIST_US - (now - s->relisted_us);
	s->relisted_us = now + wait;
	if (s->catalog)
		after(s, client_jitter_us(s->cluster->client, RELIST_US));
	else
		after(s, wait);
}

static void
on_watch_end(void *arg, struct answer *a)
{
	struct stream *s = arg;
	bool brief = clk_now_us() - s->watched_us < SHORT_US;

	s->request = NULL;
	s->answered = false;
	lines_clear(&s->lines);
	if (s->expired || a->status.what == SW_GONE) {
		relist(s);
		return;
	}
	if (a->status.what == SW_DENIED || a->status.what == SW_MISSING ||
	    a->status.what == SW_NO_KIND || a->status.http == 405) {
		/* each pass lists instead, and finds out why */
		s->state = STREAM_STALE;
		return;
	}
	if (a->err.code == FX_OK && !brief)
		s->failures = 0;
	else
		s->failures++;
	if (s->failures >= FAILURES_STALE)
		s->state = STREAM_STALE;
	after(s, growing(s));
}

static void
stream_watch(struct stream *s)
{
	struct buf path = BUF_INIT(4096);
	int64_t seconds = WATCH_MIN_S +
	    client_jitter_us(s->cluster->client, WATCH_MIN_S * CLK_SEC) /
		CLK_SEC;

	if (kind_path(s->kind, s->ns, NULL, &path) != FX_OK)
		fx_bug("namespace \"%s\" was let in", s->ns);
	(void)str_addf(&path,
	    "?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d",
	    (int)seconds);
	if (!s->catalog)
		(void)str_add(&path, "&" MARK_SELECTOR);
	if (s->version[0] != '\0') {
		(void)str_add(&path, "&resourceVersion=");
		disc_add_encoded(&path, s->version);
	}
	s->request =
	    cluster_get(s->cluster, &path, ACCEPT_META, 0, on_watch_end, s);
	s->request->stream = on_bytes;
	s->request->timeout_us = (seconds + WATCH_GRACE_S) * CLK_SEC;
	s->watched_us = clk_now_us();
	lines_init(&s->lines);
	client_send(s->cluster->client, LANE_WATCHES, s->request);
}

/* ---- kinds ------------------------------------------------------------ */

static void
add_stream(struct cluster *c, struct kind *k, const char *ns)
{
	struct stream *s = &k->streams[k->nstreams++];

	*s = (struct stream){ .cluster = c,
		.kind = k,
		.ns = xstrdup(ns),
		.timer = { .fn = on_timer, .arg = s } };
	lines_init(&s->lines);
}

static void
make_streams(struct cluster *c, struct kind *k)
{
	bool some = k->namespaced && c->config.nallowed > 0;

	k->streams =
	    xcalloc(some ? c->config.nallowed : 1, sizeof(*k->streams));
	if (!some)
		add_stream(c, k, "");
	for (size_t i = 0; some && i < c->config.nallowed; i++)
		add_stream(c, k, c->config.allowed[i]);
}

void
kind_list(struct cluster *c, struct kind *k)
{
	if (k->streams == NULL)
		make_streams(c, k);
	for (size_t i = 0; i < k->nstreams; i++) {
		struct stream *s = &k->streams[i];
		bool soon = s->state == STREAM_IDLE && s->timer.linked;

		if (!k->can_list || k->excluded)
			s->state = STREAM_DENIED;
		else if (s->state != STREAM_LIVE &&
		    s->state != STREAM_LISTING && !soon) {
			client_cancel(c->client, &s->request);
			stream_list(s);
		}
	}
}

bool
kind_is_listing(const struct kind *k)
{
	for (size_t i = 0; i < k->nstreams; i++)
		if (k->streams[i].state == STREAM_LISTING)
			return true;
	return false;
}

struct stream *
kind_stream(const struct kind *k, const char *ns)
{
	for (size_t i = 0; i < k->nstreams; i++)
		if (k->streams[i].ns[0] == '\0' ||
		    strcmp(k->streams[i].ns, ns) == 0)
			return &k->streams[i];
	return NULL;
}

void
kind_stop(struct kind *k)
{
	for (size_t i = 0; i < k->nstreams; i++) {
		struct stream *s = &k->streams[i];

		loop_timer_stop(s->cluster->loop, &s->timer);
		client_cancel(s->cluster->client, &s->request);
		list_cancel(&s->listing);
		lines_clear(&s->lines);
		free(s->ns);
	}
	free(fx_steal(&k->streams));
	k->nstreams = 0;
}

void
kind_rest(struct kind *k)
{
	for (size_t i = 0; i < k->nstreams; i++) {
		struct stream *s = &k->streams[i];

		if (s->state != STREAM_LIVE)
			continue;
		loop_timer_stop(s->cluster->loop, &s->timer);
		client_cancel(s->cluster->client, &s->request);
		lines_clear(&s->lines);
		s->answered = false;
		s->resting = true;
	}
}

void
kind_watch(struct kind *k)
{
	for (size_t i = 0; i < k->nstreams; i++) {
		struct stream *s = &k->streams[i];

		if (!s->resting)
			continue;
		s->resting = false;
		stream_watch(s);
	}
}

void
kinds_wake(struct cluster *c)
{
	for (size_t i = 0; i < c->nkinds; i++)
		for (size_t n = 0; n < c->kinds[i]->nstreams; n++) {
			struct stream *s = &c->kinds[i]->streams[n];

			if (!s->resting)
				continue;
			s->resting = false;
			stream_list(s);
		}
}

void
catalog_watch_start(struct cluster *c)
{
	static const struct {
		const char *api_version, *resource;
	} watched[] = {
		{ "apiextensions.k8s.io/v1", "customresourcedefinitions" },
		{ "apiregistration.k8s.io/v1", "apiservices" },
	};

	for (size_t i = 0; i < nitems(watched); i++) {
		struct kind *k = &c->catalog_kinds[i];

		if (k->streams != NULL)
			continue;
		k->api_version = xstrdup(watched[i].api_version);
		k->resource = xstrdup(watched[i].resource);
		make_streams(c, k);
		k->streams[0].catalog = true;
		stream_watch(&k->streams[0]);
	}
}

void
catalog_watch_stop(struct cluster *c)
{
	for (size_t i = 0; i < nitems(c->catalog_kinds); i++) {
		struct kind *k = &c->catalog_kinds[i];

		kind_stop(k);
		free(k->api_version);
		free(k->resource);
	}
}
