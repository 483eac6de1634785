/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "http_transport.h"

#include <git2.h>
#include <git2/sys/transport.h>

#include "pkt.h"

struct sub;

/* libgit2's stream; there is one request at a time. */
struct stream {
	git_smart_subtransport_stream base;
	struct sub *sub;
};

struct sub {
	git_smart_subtransport base;
	struct stream stream;
	struct link *link; /* not owned */
	struct http *http; /* not owned */
	struct pkt_watch watch;
};

static struct {
	struct link *link;
	struct http *http;
} registered;

static int
on_read(git_smart_subtransport_stream *base, char *p, size_t size, size_t *got)
{
	struct sub *t = ((struct stream *)base)->sub;
	struct fx_err err = { 0 };

	if (http_read(t->http, p, size, got, &err) != FX_OK ||
	    pkt_watch_feed(&t->watch, p, *got, &err) != FX_OK)
		return link_failed(t->link, &err);
	return 0;
}

static int
on_write(git_smart_subtransport_stream *base, const char *p, size_t n)
{
	struct sub *t = ((struct stream *)base)->sub;
	struct fx_err err = { 0 };

	if (http_write(t->http, p, n, &err) != FX_OK)
		return link_failed(t->link, &err);
	return 0;
}

static void
on_stream_free(git_smart_subtransport_stream *base)
{
	http_done(((struct stream *)base)->sub->http);
}

static int
on_action(git_smart_subtransport_stream **out, git_smart_subtransport *base,
    const char *url, git_smart_service_t service)
{
	struct sub *t = (struct sub *)base;

	(void)url;
	pkt_watch_init(&t->watch, 0);
	switch (service) {
	case GIT_SERVICE_UPLOADPACK_LS:
		http_get_refs(t->http, "git-upload-pack");
		pkt_watch_init(&t->watch, 2);
		break;
	case GIT_SERVICE_RECEIVEPACK_LS:
		http_get_refs(t->http, "git-receive-pack");
		pkt_watch_init(&t->watch, 2);
		break;
	case GIT_SERVICE_UPLOADPACK:
		http_post(t->http, "git-upload-pack");
		break;
	case GIT_SERVICE_RECEIVEPACK:
		http_post(t->http, "git-receive-pack");
		break;
	default:
		return -1;
	}
	*out = &t->stream.base;
	return 0;
}

static int
on_close(git_smart_subtransport *base)
{
	http_done(((struct sub *)base)->http);
	return 0;
}

static void
on_free(git_smart_subtransport *base)
{
	(void)on_close(base);
	free(base);
}

static int
make(git_smart_subtransport **out, git_transport *owner, void *param)
{
	struct sub *t = xcalloc(1, sizeof(*t));

	(void)owner;
	(void)param;
	t->base.action = on_action;
	t->base.close = on_close;
	t->base.free = on_free;
	t->stream.base.subtransport = &t->base;
	t->stream.base.read = on_read;
	t->stream.base.write = on_write;
	t->stream.base.free = on_stream_free;
	t->stream.sub = t;
	t->link = registered.link;
	t->http = registered.http;
	*out = &t->base;
	return 0;
}

int
http_transport_register(struct link *l, struct http *h, struct fx_err *err)
{
	static git_smart_subtransport_definition def = { make, 1, NULL };

	registered.link = l;
	registered.http = h;
	/* the scheme without ://, whatever the header says */
	if (git_transport_register("https", git_transport_smart, &def) != 0)
		return fx_fail(err, FX_EFAIL, "libgit2 refuses our transport");
	return FX_OK;
}
