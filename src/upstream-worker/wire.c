/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "wire.h"

#include "fd.h"
#include "greeting.h"
#include "multi.h"
#include "reply_head.h"
#include "str.h"
#include "way.h"
#include "wsframe.h"

#include <poll.h>

#define HEAD_MAX 16384 /* bytes of the answer's headers */
#define OUT_MAX (4 * WIRE_CHUNK)
#define ROUNDS_MAX 16 /* chunks read before others have their turn */

enum state { OFF, DIALLING, CONNECTING, GREETING, OPEN };

struct message { /* one that waits */
	struct buf rest;
	bool begun;
	struct message *next;
};

struct wire {
	struct wire_hooks hooks;
	struct post_target target;
	struct multi multi;
	enum state state;
	struct way way;
	CURL *easy;
	char problem[CURL_ERROR_SIZE];
	struct loop_source *source;
	struct loop_timer dial, ping, read, write, kick;
	char key[WS_KEY_SIZE];
	struct buf in;	/* of the greeting: the head */
	struct buf out; /* frames */
	struct message *queue, **tail;
	size_t queued;
	bool paused;

	/* of the frame that is being read */
	uint8_t head[WS_HEAD_MAX];
	size_t nhead;
	bool in_payload;
	struct ws_head frame;
	uint64_t left;
	uint8_t note[WS_CONTROL_MAX];
	size_t nnote;
	uint8_t message; /* opcode of the message that goes on; 0: none */
};

static void try_write(struct wire *);

/* ---- the end ------------------------------------------------------------ */

static void
drop_queue(struct wire *w)
{
	struct message *m;

	while ((m = w->queue) != NULL) {
		w->queue = m->next;
		buf_clear(&m->rest);
		free(m);
	}
	w->tail = &w->queue;
	w->queued = 0;
}

static void
clear(struct wire *w)
{
	struct loop_timer *const timers[] = { &w->dial, &w->ping, &w->read,
		&w->write, &w->kick };

	for (size_t i = 0; i < nitems(timers); i++)
		loop_timer_stop(w->multi.loop, timers[i]);
	loop_del(w->multi.loop, &w->source);
	if (w->easy != NULL) {
		curl_multi_remove_handle(w->multi.curl, w->easy);
		curl_easy_cleanup(w->easy);
		w->easy = NULL;
	}
	way_clear(&w->way);
	buf_clear(&w->in);
	buf_wipe(&w->out); /* the request has the token */
	drop_queue(w);
	w->state = OFF;
	w->nhead = w->nnote = w->left = w->message = 0;
	w->in_payload = w->paused = false;
}

static void
end(struct wire *w, const struct wire_end *e)
{
	struct wire_end copy = *e;

	clear(w);
	w->hooks.down(w->hooks.arg, &copy);
}

/* Says good-bye, if that can be done at once. */
static void
say_close(struct wire *w, unsigned code, const char *why)
{
	const uint8_t prefix[] = { (uint8_t)(code >> 8), code & 0xff };

	if (w->state != OPEN || buf_left(&w->out) != 0)
		return;
	ws_put(&w->out, WS_CLOSE, true, prefix, sizeof(prefix),
	    (const uint8_t *)why, strlen(why));
	try_write(w);
}

void
wire_fail(struct wire *w, int code, const char *why)
{
	struct wire_end e = { 0 };

	if (w->state == OFF)
		return;
	say_close(w, code == FX_ESYNTAX ? WS_PROTOCOL : WS_NORMAL,
	    code == FX_ESYNTAX ? "" : "ok");
	if (w->state == OFF)
		return;
	(void)fx_fail(&e.err, code, "%s", why);
	end(w, &e);
}

/* The limit that was reached is the one that is not set any more. */
static void
on_limit(struct loop *loop, void *arg)
{
	struct wire *w = arg;
	const char *why = "no answer in time";

	(void)loop;
	if (w->state == OPEN)
		why = w->read.linked ? "nothing could be written for too long"
				     : "nothing was heard for too long";
	wire_fail(w, FX_ETIMEOUT, why);
}

/* ---- writing ------------------------------------------------------------ */

/* Another frame of the oldest message. */
static void
next_frame(struct wire *w)
{
	struct message *m = w->queue;
	size_t n = buf_left(&m->rest);

	if (n > WIRE_CHUNK)
		n = WIRE_CHUNK;
	ws_put(&w->out, m->begun ? WS_CONTINUATION : WS_BINARY,
	    n == buf_left(&m->rest), NULL, 0, buf_head(&m->rest), n);
	buf_skip(&m->rest, n);
	w->queued -= n;
	m->begun = true;
	if (buf_left(&m->rest) != 0)
		return;
	w->queue = m->next;
	if (w->queue == NULL)
		w->tail = &w->queue;
	buf_clear(&m->rest);
	free(m);
}

static void
watch(struct wire *w)
{
	short events = w->paused ? 0 : POLLIN;

	if (buf_left(&w->out) != 0)
		events |= POLLOUT;
	loop_events(w->source, events);
	if (buf_left(&w->out) == 0)
		loop_timer_stop(w->multi.loop, &w->write);
	else if (!w->write.linked)
		loop_timer_in(w->multi.loop, &w->write, WIRE_WRITE_US);
}

static void
try_write(struct wire *w)
{
	CURLcode code = CURLE_OK;
	size_t n;

	while (code == CURLE_OK) {
		if (w->state == OPEN && buf_left(&w->out) < WIRE_CHUNK &&
		    w->queue != NULL)
			next_frame(w);
		if (buf_left(&w->out) == 0)
			break;
		n = 0;
		code = curl_easy_send(w->easy, buf_head(&w->out),
		    buf_left(&w->out), &n);
		buf_skip(&w->out, n);
		if (n != 0)
			loop_timer_stop(w->multi.loop, &w->write);
	}
	if (code == CURLE_OK || code == CURLE_AGAIN)
		watch(w);
	else
		end(w,
		    &(struct wire_end){
			.err = { FX_ERETRY, "the connection was lost" } });
}

void
wire_send(struct wire *w, struct buf *b)
{
	struct message *m;

	if (w->state != OPEN || buf_left(b) == 0) {
		buf_clear(b);
		return;
	}
	m = xcalloc(1, sizeof(*m));
	m->rest = *b;
	buf_init(b, b->max);
	w->queued += buf_left(&m->rest);
	*w->tail = m;
	w->tail = &m->next;
	/* not in here: whoever sends may be in the middle of reading */
	loop_timer_in(w->multi.loop, &w->kick, 0);
}

size_t
wire_queued(const struct wire *w)
{
	return w->queued;
}

/* ---- frames that come ------------------------------------------------- */

static void
heard(struct wire *w)
{
	loop_timer_in(w->multi.loop, &w->read, WIRE_READ_US);
}

static int
begin_frame(struct wire *w)
{
	uint8_t opcode;

	if (ws_head_read(w->head, &w->frame) != FX_OK)
		return FX_ESYNTAX;
	opcode = w->frame.opcode;
	w->left = w->frame.length;
	w->nnote = 0;
	if (opcode >= WS_CLOSE)
		return FX_OK;
	/* a message ends before the next one begins */
	if ((opcode == WS_CONTINUATION) == (w->message == 0))
		return FX_ESYNTAX;
	if (opcode != WS_CONTINUATION)
		w->message = opcode;
	return FX_OK;
}

static void
take_payload(struct wire *w, const uint8_t *p, size_t n)
{
	if (w->frame.opcode >= WS_CLOSE) {
		memcpy(w->note + w->nnote, p, n); /* within WS_CONTROL_MAX */
		w->nnote += n;
	} else if (w->message == WS_BINARY) {
		heard(w);
		w->hooks.data(w->hooks.arg, p, n);
	}
}

/* Some codes are an end like any other; upstream's list. */
static void
take_close(struct wire *w)
{
	unsigned code = w->nnote < 2 ? 1005u : w->note[0] * 256u + w->note[1];
	struct wire_end e = { 0 };

	say_close(w, WS_NORMAL, "ok");
	if (w->state == OFF)
		return;
	if (code != WS_NORMAL && code != 1001 && code != 1005 && code != 1006)
		(void)fx_fail(&e.err, FX_EFAIL, "websocket: close %u", code);
	end(w, &e);
}

static void
finish_frame(struct wire *w)
{
	w->in_payload = false;
	switch (w->frame.opcode) {
	case WS_PING:
		/* no more answers than there is room for */
		if (buf_left(&w->out) < WIRE_CHUNK)
			ws_put(&w->out, WS_PONG, true, w->note, w->nnote, NULL,
			    0);
		break;
	case WS_PONG:
		heard(w);
		break;
	case WS_CLOSE:
		take_close(w);
		break;
	default:
		if (w->frame.fin)
			w->message = 0;
	}
}

static void
feed(struct wire *w, const uint8_t *p, size_t n)
{
	size_t part;

	while (n > 0 && w->state == OPEN) {
		if (w->in_payload) {
			part = n < w->left ? n : (size_t)w->left;
			w->left -= part;
			take_payload(w, p, part);
		} else {
			part = 1;
			w->head[w->nhead++] = *p;
			if (ws_head_size(w->head, w->nhead) == w->nhead) {
				w->nhead = 0;
				w->in_payload = true;
				if (begin_frame(w) != FX_OK) {
					wire_fail(w, FX_ESYNTAX,
					    "what the service sends is no "
					    "WebSocket");
					return;
				}
			}
		}
		p += part;
		n -= part;
		if (w->state == OPEN && w->in_payload && w->left == 0)
			finish_frame(w);
	}
}

/* ---- the greeting --------------------------------------------------- */

static void
greet(struct wire *w)
{
	w->state = GREETING;
	loop_timer_in(w->multi.loop, &w->dial, WIRE_GREET_US);
	greeting_write(&w->out, &w->target.url->at, w->target.token, w->key);
	try_write(w);
}

static void
not_greeted(struct wire *w)
{
	struct wire_end e = { .status = reply_status(&w->in) };

	(void)fx_fail(&e.err, FX_EFAIL,
	    e.status == 0 ? "connecting to websocket (unknown error)"
			  : "(http status code = %d)",
	    e.status);
	end(w, &e);
}

/* What came behind the headers are frames already. */
static void
take_greeting(struct wire *w, const uint8_t *p, size_t n)
{
	struct buf rest = BUF_INIT(HEAD_MAX);
	size_t head;

	if (buf_put(&w->in, p, n) != FX_OK) {
		wire_fail(w, FX_ELIMIT, "the answer's head is too long");
		return;
	}
	head = reply_head_length(&w->in);
	if (head == 0)
		return;
	if (!greeting_is_answered(&w->in, w->key)) {
		not_greeted(w);
		return;
	}
	if (buf_put(&rest, buf_head(&w->in) + head, buf_left(&w->in) - head) !=
	    FX_OK)
		fx_bug("wire: more behind a head than there was");
	buf_clear(&w->in);
	buf_wipe(&w->out);
	w->state = OPEN;
	loop_timer_stop(w->multi.loop, &w->dial);
	loop_timer_in(w->multi.loop, &w->ping, WIRE_PING_US);
	heard(w);
	w->hooks.up(w->hooks.arg);
	feed(w, buf_head(&rest), buf_left(&rest));
	buf_clear(&rest);
}

/* ---- reading -------------------------------------------------------- */

/* What TLS has read already no poll shows, so it is read until there is no
 * more, or somebody else is due. */
static void
try_read(struct wire *w)
{
	uint8_t chunk[WIRE_CHUNK];
	CURLcode code;
	size_t n = 0;

	for (int i = 0; w->state >= GREETING && !w->paused; i++) {
		if (i == ROUNDS_MAX) {
			loop_timer_in(w->multi.loop, &w->kick, 0);
			break;
		}
		code = curl_easy_recv(w->easy, chunk, sizeof(chunk), &n);
		if (code == CURLE_AGAIN)
			break;
		if (code != CURLE_OK || n == 0) {
			/* as upstream: an end like any other, once it is up */
			end(w,
			    &(struct wire_end){
				.err = { w->state == OPEN ? FX_OK : FX_ERETRY,
				    "the connection was lost" } });
			break;
		}
		if (w->state == GREETING)
			take_greeting(w, chunk, n);
		else
			feed(w, chunk, n);
	}
}

static void
on_ready(struct loop *loop, int fd, short revents, void *arg)
{
	struct wire *w = arg;

	(void)loop;
	(void)fd;
	/* nobody is there any more, and that is told again and again */
	if (w->paused && (revents & (POLLHUP | POLLERR)) != 0) {
		end(w, &(struct wire_end){ 0 });
		return;
	}
	try_read(w);
	if (w->state >= GREETING)
		try_write(w);
}

static void
on_kick(struct loop *loop, void *arg)
{
	on_ready(loop, -1, 0, arg);
}

static void
on_ping(struct loop *loop, void *arg)
{
	struct wire *w = arg;

	loop_timer_in(loop, &w->ping, WIRE_PING_US);
	if (buf_left(&w->out) < WIRE_CHUNK) {
		ws_put(&w->out, WS_PING, true, NULL, 0, NULL, 0);
		try_write(w);
	}
}

void
wire_pause(struct wire *w, bool paused)
{
	if (w->state != OPEN || w->paused == paused)
		return;
	w->paused = paused;
	loop_timer_in(w->multi.loop, &w->kick, 0);
}

/* ---- dialling ------------------------------------------------------- */

#define set(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(w->easy, option, value) != CURLE_OK)      \
			fx_bug("libcurl refuses " #option);                    \
	} while (0)

/* libcurl makes the connection and TLS; the rest is ours. */
static void
start(struct wire *w)
{
	w->easy = curl_easy_init();
	if (w->easy == NULL)
		fx_no_memory();
	w->problem[0] = '\0';
	set(CURLOPT_ERRORBUFFER, w->problem);
	set(CURLOPT_CONNECT_ONLY, 1L);
	way_set(&w->way, w->easy);
	if (curl_multi_add_handle(w->multi.curl, w->easy) != CURLM_OK)
		fx_bug("curl_multi_add_handle");
}

/* The handle stays where it is: taken off, it would lose the connection. */
static void
reap(void *arg)
{
	struct wire *w = arg;
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(w->multi.curl, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE || m->easy_handle != w->easy)
			continue;
		(void)curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
		if (m->data.result != CURLE_OK || fd == CURL_SOCKET_BAD) {
			auto_free char *why = xstrdup(w->problem[0] != '\0'
				? w->problem
				: curl_easy_strerror(m->data.result));

			wire_fail(w, FX_EFAIL, why);
			return;
		}
		w->source = loop_add(w->multi.loop, fd, POLLIN, on_ready, w);
		greet(w);
	}
}

void
wire_dial(struct wire *w)
{
	if (w->state != OFF)
		fx_bug("wire: dialled twice");
	w->state = DIALLING;
	loop_timer_in(w->multi.loop, &w->dial, WIRE_DIAL_US);
	w->hooks.connect(w->hooks.arg, WIRE_DIAL_US);
}

void
wire_connected(struct wire *w, int fd)
{
	if (w->state != DIALLING) {
		fd_close(&fd); /* too late */
		return;
	}
	w->state = CONNECTING;
	w->way.fd = fd;
	start(w);
}

void
wire_not_connected(struct wire *w, const struct fx_err *err)
{
	if (w->state == DIALLING)
		wire_fail(w, err->code, err->text);
}

/* ---- life ----------------------------------------------------------- */

struct wire *
wire_new(struct loop *loop, const struct wire_hooks *hooks)
{
	struct wire *w = xcalloc(1, sizeof(*w));

	w->hooks = *hooks;
	w->way.fd = -1;
	w->tail = &w->queue;
	buf_init(&w->in, HEAD_MAX);
	buf_init(&w->out, OUT_MAX);
	w->dial = (struct loop_timer){ .fn = on_limit, .arg = w };
	w->ping = (struct loop_timer){ .fn = on_ping, .arg = w };
	w->read = (struct loop_timer){ .fn = on_limit, .arg = w };
	w->write = (struct loop_timer){ .fn = on_limit, .arg = w };
	w->kick = (struct loop_timer){ .fn = on_kick, .arg = w };
	multi_open(&w->multi, loop, NULL, reap, w);
	return w;
}

void
wire_to(struct wire *w, const struct post_target *target)
{
	w->target = *target;
	w->way.url = target->url;
	w->way.tls = target->tls;
}

void
wire_free(struct wire **at)
{
	struct wire *w = *at;

	if (w == NULL)
		return;
	clear(w);
	multi_close(&w->multi);
	free(w);
	*at = NULL;
}
