/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder: the process that holds the person's credentials for the cluster.
 *
 * Reads    his kubeconfig and what it names; then, as foreign bytes, what its
 *          plugin prints, what the API server answers, and frames with data it
 *          does not look at.
 * Holds    the credentials.
 * May      start the process that runs that plugin (login.h); then it gives up
 *          files and programs (confine.h) and connects to the API server.  It
 *          listens nowhere.
 * If it falls, whoever has the API server acts as the person there.
 */
#include "base.h"
#include "forward_channel.h"

#include "confine.h"
#include "fd.h"
#include "login.h"
#include "plugin.h"
#include "pods.h"
#include "str.h"
#include "tunnel.h"
#include "values.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHY_MS 500 /* to hear why, after the end was heard */
#define TIMEOUT_MIN_NS                                                         \
	1000000000 /* --timeout=0 means one question, not none                 \
		    */

struct forwarder {
	int channel;
	struct kube kube;
	struct apiserver server;
	const char *ns;
	char *labels, *pod;    /* owned until the end */
	struct tunnel *tunnel; /* NULL: none */
	bool used;	       /* it was given to a socket of ours */
	int local;	       /* that socket; -1: there is none any more */
	bool told;	       /* it was, that the pod has ended */
};

static bool
is_again(ssize_t n)
{
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}

static void
drop(struct forwarder *f)
{
	tunnel_close(&f->tunnel);
	fd_close(&f->local);
	f->used = f->told = false;
}

/* An HTTP client closes when it has all that it wants.  The tunnel stays, for
 * the server may say yet why it did not work. */
static void
local_ended(struct forwarder *f)
{
	struct frames *frames = &f->tunnel->frames;

	fd_close(&f->local);
	buf_reset(&frames->in);
	if (!f->tunnel->lost && buf_left(&frames->out) == 0)
		frames->protocol->end(frames);
}

/* ---- bytes both ways ----------------------------------------------------- */

/* From the pod to us. */
static bool
move_down(struct forwarder *f)
{
	struct frames *frames = &f->tunnel->frames;
	bool moved = tunnel_pull(f->tunnel);
	ssize_t n;

	if (f->local == -1)
		return moved;
	if (buf_left(&frames->in) > 0) {
		n = send(f->local, buf_head(&frames->in), buf_left(&frames->in),
		    MSG_NOSIGNAL);
		if (n > 0)
			buf_skip(&frames->in, (size_t)n);
		else if (!is_again(n))
			local_ended(f);
		return moved || n > 0;
	}
	if ((frames->ended || f->tunnel->lost) && !f->told) {
		(void)shutdown(f->local, SHUT_WR);
		f->told = true;
	}
	return moved;
}

/* From us to the pod, when what was read before is on its way. */
static bool
move_up(struct forwarder *f)
{
	uint8_t chunk[FRAMES_CHUNK_MAX];
	struct frames *frames = &f->tunnel->frames;
	bool moved = tunnel_push(f->tunnel);
	ssize_t n;

	if (f->tunnel->lost)
		buf_reset(&frames->out); /* nobody takes it */
	if (f->local == -1 || buf_left(&frames->out) > 0)
		return moved;
	n = recv(f->local, chunk, sizeof(chunk), 0);
	if (n > 0 && !f->tunnel->lost)
		frames->protocol->data(frames, chunk, (size_t)n);
	else if (!is_again(n))
		local_ended(f);
	return moved || n > 0;
}

/* Until there is nothing to do but wait. */
static void
move(struct forwarder *f)
{
	bool moved = true;

	while (f->tunnel != NULL && moved) {
		moved = move_down(f);
		moved = move_up(f) || moved;
		if (f->used && f->local == -1)
			buf_reset(&f->tunnel->frames.in); /* nobody wants it */
	}
}

/* Waits for something to move, or an order; false: time is over. */
static bool
wait_for(const struct forwarder *f, int ms)
{
	struct pollfd p[] = { { .fd = f->channel, .events = POLLIN },
		{ .fd = -1 }, { .fd = -1 } };
	const struct frames *frames;

	if (f->tunnel != NULL && !f->tunnel->lost) {
		frames = &f->tunnel->frames;
		p[1].fd = f->tunnel->fd;
		if (buf_left(&frames->in) == 0)
			p[1].events |= POLLIN;
		if (buf_left(&frames->out) > 0)
			p[1].events |= POLLOUT;
	}
	if (f->tunnel != NULL && f->local != -1) {
		frames = &f->tunnel->frames;
		p[2].fd = f->local;
		if (buf_left(&frames->out) == 0)
			p[2].events |= POLLIN;
		if (buf_left(&frames->in) > 0)
			p[2].events |= POLLOUT;
		if (p[2].events == 0)
			p[2].fd = -1; /* or its end would be reported */
	}
	return poll(p, nitems(p), ms) > 0;
}

/* ---- orders -------------------------------------------------------------- */

static int
open_tunnel(struct forwarder *f, struct ctl_error *err)
{
	drop(f);
	f->tunnel = tunnel_open(&f->server, f->ns, f->pod, FLUXD_PORT, err);
	return f->tunnel != NULL ? FX_OK : FX_EFAIL;
}

/* The first one finds a tunnel that is open already. */
static int
on_connect(struct forwarder *f, int fd)
{
	auto_error struct ctl_error err = { 0 };
	auto_fd int socket = fd;

	move(f);
	if (socket == -1 || fd_set_nonblock(socket) != 0)
		return channel_send(f->channel, CHANNEL_FAILED, "", -1);
	if ((f->tunnel == NULL || f->tunnel->lost || f->used) &&
	    open_tunnel(f, &err) != FX_OK)
		return channel_send(f->channel, CHANNEL_FAILED, err.text, -1);
	f->used = true;
	f->local = socket;
	socket = -1;
	return channel_send(f->channel, CHANNEL_DONE, "", -1);
}

/* The end of the data comes before the text that says why. */
static int
on_why(struct forwarder *f)
{
	auto_free char *why = NULL;

	move(f);
	while (f->tunnel != NULL && !f->tunnel->lost &&
	    !f->tunnel->frames.text_ended &&
	    buf_left(&f->tunnel->frames.text) == 0 && wait_for(f, WHY_MS))
		move(f);
	if (f->tunnel != NULL)
		why = tunnel_why(f->tunnel);
	return channel_send(f->channel, CHANNEL_FAILED, why == NULL ? "" : why,
	    -1);
}

/* false: nobody gives orders any more. */
static bool
obey(struct forwarder *f)
{
	auto_free char *text = NULL;
	enum channel_letter letter;
	int fd;

	if (channel_receive(f->channel, &letter, &text, &fd) != FX_OK)
		return false;
	if (letter == CHANNEL_CONNECT)
		return on_connect(f, fd) == FX_OK;
	fd_close(&fd);
	return on_why(f) == FX_OK;
}

static bool
has_order(const struct forwarder *f)
{
	struct pollfd p = { .fd = f->channel, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
serve(struct forwarder *f)
{
	for (;;) {
		move(f);
		(void)wait_for(f, -1);
		if (has_order(f) && !obey(f))
			return;
	}
}

/* ---- the start ----------------------------------------------------------- */

static int
log_in(struct forwarder *f, const char *context, struct ctl_error *err)
{
	int r = kube_open(&f->kube, context, err);

	if (r != FX_OK)
		return r;
	r = plugin_check(&f->kube, err);
	if (r == FX_OK)
		r = login_start(&f->kube, f->server.timeout_ns, f->channel,
		    &f->server.login, err);
	return r == FX_OK
	    ? FX_OK
	    : ctl_wrap(err, r, "Could not create kubernetes client");
}

static int
find_daemon(struct forwarder *f, const char *named, struct ctl_error *err)
{
	int r = FX_OK;

	if (*named != '\0')
		f->pod = xstrdup(named);
	else
		r = pods_find(&f->server, f->ns, f->labels, &f->pod, err);

	if (r != FX_OK)
		return r;
	r = open_tunnel(f, err);
	if (r == FX_OK)
		return FX_OK;
	(void)ctl_wrap(err, r, "error upgrading connection");
	return ctl_wrap(err, r, "Could not create port forward");
}

static int
start(struct forwarder *f, const struct ctl_options *opts,
    struct ctl_error *err)
{
	int r = log_in(f, opts->context, err);

	channel_let_go(STDIN_FILENO);
	channel_let_go(STDOUT_FILENO);
	if (r == FX_OK)
		r = ctl_confine(NULL, CONFINE_NETWORK, err);
	return r == FX_OK ? find_daemon(f, opts->fwd_pod, err) : r;
}

static char *
print_labels(const struct ctl_map *labels)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	ctl_map_print(labels, &b);
	return str_take(&b);
}

void
forwarder_run(int channel, const struct ctl_options *opts)
{
	auto_error struct ctl_error err = { 0 };
	struct forwarder f = { .channel = channel,
		.ns = opts->fwd_ns,
		.labels = print_labels(&opts->fwd_labels),
		.local = -1 };

	/* nobody's debugger; not even our own process's */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	f.server.kube = &f.kube;
	f.server.timeout_ns =
	    opts->timeout > TIMEOUT_MIN_NS ? opts->timeout : TIMEOUT_MIN_NS;
	if (start(&f, opts, &err) != FX_OK)
		(void)channel_send(channel, CHANNEL_FAILED, err.text, -1);
	else if (channel_send(channel, CHANNEL_DONE,
		     f.kube.kc.ns == NULL ? "" : f.kube.kc.ns, -1) == FX_OK)
		serve(&f);
	drop(&f);
	login_free(&f.server.login);
	kube_clear(&f.kube);
	channel_exit(0);
}
