/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ssh_transport.h"

#include <git2.h>
#include <git2/sys/transport.h>

#include "pkt.h"
#include "str.h"

struct sub;

/* libgit2's stream; the only one of its transport. */
struct stream {
	git_smart_subtransport_stream base;
	struct sub *sub;
};

struct sub {
	git_smart_subtransport base;
	struct stream stream;
	struct link *link; /* not owned */
	struct ssh *ssh;   /* not owned */
	bool running;	   /* a command was started and not yet ended */
	struct pkt_watch watch;
};

static struct {
	struct link *link;
	struct ssh *ssh;
} registered;

static int
on_read(git_smart_subtransport_stream *base, char *p, size_t size, size_t *got)
{
	struct sub *t = ((struct stream *)base)->sub;
	struct fx_err err = { 0 };

	if (ssh_read(t->ssh, p, size, got, &err) != FX_OK ||
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

	if (ssh_write(t->ssh, p, n, &err) != FX_OK)
		return link_failed(t->link, &err);
	return 0;
}

static void
on_stream_free(git_smart_subtransport_stream *base)
{
	(void)base; /* part of the transport */
}

static int
start(struct sub *t, const char *program)
{
	struct buf b = BUF_INIT(4 * GIT_URL_MAX);
	auto_free char *command = NULL;
	struct fx_err err = { 0 };

	if (str_addf(&b, "%s ", program) != FX_OK)
		return -1;
	ssh_quote(&b, t->link->url.path);
	command = str_take(&b);
	if (ssh_exec(t->ssh, command, &err) != FX_OK)
		return link_failed(t->link, &err);
	t->running = true;
	pkt_watch_init(&t->watch, 1);
	return 0;
}

static int
on_action(git_smart_subtransport_stream **out, git_smart_subtransport *base,
    const char *url, git_smart_service_t service)
{
	struct sub *t = (struct sub *)base;

	(void)url;
	if (service == GIT_SERVICE_UPLOADPACK_LS) {
		if (start(t, "git-upload-pack") != 0)
			return -1;
	} else if (service == GIT_SERVICE_RECEIVEPACK_LS) {
		if (start(t, "git-receive-pack") != 0)
			return -1;
	} else if (!t->running) {
		return -1;
	}
	*out = &t->stream.base;
	return 0;
}

static int
on_close(git_smart_subtransport *base)
{
	struct sub *t = (struct sub *)base;

	if (t->running)
		ssh_done(t->ssh);
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
	t->ssh = registered.ssh;
	*out = &t->base;
	return 0;
}

int
ssh_transport_register(struct link *l, struct ssh *s, struct fx_err *err)
{
	static git_smart_subtransport_definition def = { make, 0, NULL };

	registered.link = l;
	registered.ssh = s;
	/* the scheme without ://, whatever the header says */
	if (git_transport_register("ssh", git_transport_smart, &def) != 0)
		return fx_fail(err, FX_EFAIL, "libgit2 refuses our transport");
	return FX_OK;
}
