/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "transport.h"

#include <git2.h>
#include <git2/sys/transport.h>

#include "pkt.h"

struct sub;

/* libgit2's stream; the only one of its transport. */
struct stream {
	git_smart_subtransport_stream base;
	struct sub *sub;
};

struct sub {
	git_smart_subtransport base;
	struct stream stream;
	struct link *link;			 /* not owned */
	const struct transport_carrier *carrier; /* not owned */
	void *at;
	bool running; /* the carrier was asked for something */
	struct pkt_watch watch;
};

static struct {
	struct link *link;
	const struct transport_carrier *carrier;
	void *at;
} registered;

static int
on_read(git_smart_subtransport_stream *base, char *p, size_t size, size_t *got)
{
	struct sub *t = ((struct stream *)base)->sub;
	struct fx_err err = { 0 };

	if (t->carrier->read(t->at, p, size, got, &err) != FX_OK ||
	    pkt_watch_feed(&t->watch, p, *got, &err) != FX_OK)
		return link_failed(t->link, &err);
	return 0;
}

/* No error is set in libgit2: on its way out it tries to say good-bye, and
 * that must not hide why. */
static int
on_write(git_smart_subtransport_stream *base, const char *p, size_t n)
{
	struct sub *t = ((struct stream *)base)->sub;
	struct fx_err err = { 0 };

	if (t->carrier->write(t->at, p, n, &err) != FX_OK)
		return link_failed(t->link, &err);
	return 0;
}

/* The stream is part of the transport, but a request ends with it. */
static void
on_stream_free(git_smart_subtransport_stream *base)
{
	struct sub *t = ((struct stream *)base)->sub;

	if (t->carrier->rpc)
		t->carrier->done(t->at);
}

static int
refs(struct sub *t, const char *service)
{
	struct fx_err err = { 0 };

	/* over http an empty list with the service's name comes first */
	pkt_watch_init(&t->watch, t->carrier->rpc ? 2 : 1);
	if (t->carrier->refs(t->at, service, &err) != FX_OK)
		return link_failed(t->link, &err);
	t->running = true;
	return 0;
}

/* A session goes on with what it was started for, whatever libgit2 asks for in
 * order to say good-bye. */
static int
serve(struct sub *t, const char *service)
{
	struct fx_err err = { 0 };

	if (!t->carrier->rpc)
		return t->running ? 0 : -1;
	pkt_watch_init(&t->watch, 0);
	if (t->carrier->serve(t->at, service, &err) != FX_OK)
		return link_failed(t->link, &err);
	t->running = true;
	return 0;
}

static int
on_action(git_smart_subtransport_stream **out, git_smart_subtransport *base,
    const char *url, git_smart_service_t service)
{
	struct sub *t = (struct sub *)base;
	int r = -1;

	(void)url;
	switch (service) {
	case GIT_SERVICE_UPLOADPACK_LS:
		r = refs(t, "git-upload-pack");
		break;
	case GIT_SERVICE_RECEIVEPACK_LS:
		r = refs(t, "git-receive-pack");
		break;
	case GIT_SERVICE_UPLOADPACK:
		r = serve(t, "git-upload-pack");
		break;
	case GIT_SERVICE_RECEIVEPACK:
		r = serve(t, "git-receive-pack");
		break;
	}
	if (r == 0)
		*out = &t->stream.base;
	return r;
}

static int
on_close(git_smart_subtransport *base)
{
	struct sub *t = (struct sub *)base;

	if (t->running)
		t->carrier->done(t->at);
	t->running = false;
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
	t->carrier = registered.carrier;
	t->at = registered.at;
	*out = &t->base;
	return 0;
}

int
transport_register(struct link *l, const struct transport_carrier *c, void *at,
    struct fx_err *err)
{
	static git_smart_subtransport_definition def = { .callback = make };

	registered.link = l;
	registered.carrier = c;
	registered.at = at;
	def.rpc = c->rpc;
	/* the scheme without ://, whatever the header says */
	if (git_transport_register("fluxd", git_transport_smart, &def) != 0)
		return fx_fail(err, FX_EFAIL, "libgit2 refuses our transport");
	return FX_OK;
}
