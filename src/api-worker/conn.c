/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "conn.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "log.h"

#define ACCEPTS_PER_TURN 16

/* ---- phases and places -------------------------------------------------- */

void
conn_phase(struct http_conn *c, enum conn_phase phase)
{
	static const int64_t spans[] = {
		[PHASE_HEAD] = HTTP_HEAD_US,
		[PHASE_BODY] = HTTP_BODY_US,
		[PHASE_ANSWER] = HTTP_ANSWER_US,
		[PHASE_SEND] = HTTP_SEND_US,
		[PHASE_GONE] = HTTP_GONE_US,
	};
	bool reads = phase == PHASE_HEAD || phase == PHASE_BODY;

	/* who is gone does not come back */
	if (c->phase != PHASE_GONE || phase == PHASE_GONE) {
		c->phase = phase;
		c->since_us = loop_now_us(c->http->loop);
		loop_timer_in(c->http->loop, &c->deadline,
		    c->hangup == NULL && reads ? HTTP_HANGUP_US : spans[phase]);
	}
}

/*
 * The client will send no more.  The library, which is told of a change once,
 * misses the end when it comes together with data; it gets time to read what
 * is there, and then the place is wanted for others.
 */
static void
on_hangup(struct loop *l, int fd, short revents, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	(void)revents;
	loop_del(l, &c->hangup);
	if (c->phase == PHASE_HEAD || c->phase == PHASE_BODY)
		conn_phase(c, c->phase);
	/* what costs others something is not made for who does not listen */
	else if (c->request != NULL && c->request->more != NULL)
		conn_drop(c);
}

/*
 * The library owns the descriptor: it is shut, and the library closes it when
 * it sees that, for which it must be awake.  When the end comes together with
 * data it may miss it for good, and be content with a client that never says
 * anything; so it is also told to wait for a second only.
 */
void
conn_drop(struct http_conn *c)
{
	conn_phase(c, PHASE_GONE);
	(void)shutdown(c->fd, SHUT_RDWR);
	if (c->mhd != NULL)
		(void)MHD_set_connection_option(c->mhd,
		    MHD_CONNECTION_OPTION_TIMEOUT, 1u);
	if (c->request != NULL)
		http_wake(c->request);
	http_kick(c->http);
}

static void
watch_listeners(struct http *h, bool on)
{
	h->full = !on;
	for (size_t i = 0; i < h->nlisteners; i++)
		loop_events(h->listeners[i].source, on ? POLLIN : 0);
}

/* Who waits for a short answer keeps its place: that may be an update. */
static bool
may_go(const struct http_conn *c)
{
	return c->phase != PHASE_GONE &&
	    (c->phase != PHASE_ANSWER || c->request->more != NULL);
}

/*
 * All places are taken: the one whose peer had most when it came gives up its
 * own, so that many do not drive out the few; of equals the one that has been
 * reading, writing or waiting for longest.
 */
static void
make_room(struct http *h)
{
	struct http_conn *out = NULL;

	for (struct http_conn *c = h->conns; c != NULL; c = c->next)
		if (may_go(c) &&
		    (out == NULL || c->rank > out->rank ||
			(c->rank == out->rank && c->since_us <= out->since_us)))
			out = c;
	watch_listeners(h, false);
	if (out != NULL)
		conn_drop(out);
}

static void
on_deadline(struct loop *l, void *arg)
{
	struct http_conn *c = arg;

	(void)l;
	if (c->phase == PHASE_ANSWER) {
		http_give_up(c->request, 504,
		    "the daemon did not answer in time");
	} else if (c->phase != PHASE_GONE) {
		conn_drop(c);
	} else {
		/* not seen yet: others do not wait for that */
		conn_phase(c, PHASE_GONE);
		http_kick(c->http);
		if (c->http->full)
			make_room(c->http);
	}
}

void
conn_free(struct http_conn *c)
{
	struct http *h = c->http;

	for (struct http_conn **at = &h->conns; *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	loop_timer_stop(h->loop, &c->deadline);
	loop_del(h->loop, &c->hangup);
	http_request_free(&c->request);
	free(c);
	h->nconns--;
	if (h->full)
		watch_listeners(h, true);
}

struct http_conn *
conn_by_fd(struct http *h, int fd)
{
	struct http_conn *c = h->conns;

	while (c != NULL && c->fd != fd)
		c = c->next;
	return c;
}

static size_t
count_peer(const struct http *h, const struct peer_id *peer)
{
	size_t n = 0;

	for (const struct http_conn *c = h->conns; c != NULL; c = c->next)
		n += peer_equal(&c->peer, peer);
	return n;
}

/* ---- accepting ---------------------------------------------------------- */

/* Once a second: a stranger shall not fill the log. */
static void
warn_refused(struct http *h, uid_t uid)
{
	int64_t now = loop_now_us(h->loop);

	if (h->warned_us != 0 && now - h->warned_us < CLK_SEC)
		return;
	h->warned_us = now;
	log_at(LVL_WARN, KS("warning", "client refused"),
	    KS("component", "api"), KI("uid", uid));
}

/* May this peer have one more connection?  *rank: how many it has. */
static bool
admit(const struct http_listener *ls, int fd, const struct sockaddr *sa,
    struct peer_id *peer, size_t *rank)
{
	uid_t uid = 0;

	if (ls->rule == NULL)
		peer_of_address(sa, peer);
	else if (peer_of_user(fd, ls->rule, peer, &uid) != FX_OK) {
		warn_refused(ls->http, uid);
		return false;
	}
	*rank = count_peer(ls->http, peer);
	return *rank < HTTP_MAX_PER_PEER;
}

static void
take_client(struct http_listener *ls, int fd, const struct sockaddr *sa,
    socklen_t salen)
{
	struct http *h = ls->http;
	struct http_conn *c;
	struct peer_id peer;
	size_t rank = 0;

	if (!admit(ls, fd, sa, &peer, &rank)) {
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	*c = (struct http_conn){
		.http = h,
		.next = h->conns,
		.fd = fd,
		.peer = peer,
		.rank = rank,
		.scope = ls->scope,
		.local = ls->rule != NULL,
		.deadline = { .fn = on_deadline, .arg = c },
	};
	h->conns = c;
	h->nconns++;
	c->hangup = loop_add(h->loop, fd, POLLRDHUP, on_hangup, c);
	conn_phase(c, PHASE_HEAD);
	/* on failure the library has closed the descriptor, and has perhaps
	 * said so */
	if (MHD_add_connection(h->daemon, fd, sa, salen) != MHD_YES &&
	    (c = conn_by_fd(h, fd)) != NULL)
		conn_free(c);
	http_kick(h);
}

void
conn_on_listener(struct loop *l, int fd, short revents, void *arg)
{
	struct http_listener *ls = arg;

	(void)l;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage sa = { 0 };
		socklen_t n = sizeof(sa);
		int client;

		if (ls->http->nconns >= HTTP_MAX_CONNECTIONS) {
			make_room(ls->http);
			return;
		}
		client = accept4(fd, (struct sockaddr *)&sa, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client == -1)
			return;
		take_client(ls, client, (struct sockaddr *)&sa, n);
	}
}
