/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tunnel.h"

#include "clock.h"
#include "reply_head.h"
#include "str.h"
#include "url.h"
#include "wsframe.h"

#include <poll.h>
#include <strings.h>

#define HEAD_MAX 16384	 /* bytes of the answer's headers */
#define REFUSAL_MAX 4096 /* bytes of a refusal's body that are looked at */
#define READ_MAX 4096	 /* bytes at once, until there are frames */

/* What an answer means. */
enum verdict {
	UPGRADED,
	REFUSED,   /* by who knows: the other way would be, too */
	NOT_KNOWN, /* who we are: not any more, perhaps */
	NOT_SPOKEN /* the other way may be */
};

/* One way in. */
struct way {
	const struct frames_protocol *protocol;
	const char *method, *upgrade;
};

static const struct way ways[] = {
	{ &frames_spdy, "POST", "SPDY/3.1" },
	{ &frames_websocket, "GET", "websocket" },
};

/* One attempt. */
struct attempt {
	const struct way *way;
	struct tunnel *tunnel;
	int64_t deadline_us;
	char key[WS_KEY_SIZE];
	struct buf head; /* of the answer, and what came with it */
	char *said;	 /* owned: the server's words, or NULL */
};

/* ---- the connection as bytes -------------------------------------------- */

static bool
wait_for(const struct attempt *at, short events)
{
	struct pollfd p = { .fd = at->tunnel->fd, .events = events };
	int64_t ms = (at->deadline_us - clk_now_us()) / CLK_MS;

	if (ms <= 0)
		return false;
	return poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms) == 1;
}

static bool
send_all(const struct attempt *at, struct buf *b)
{
	CURLcode code;
	size_t n;

	while (buf_left(b) > 0) {
		n = 0;
		code =
		    curl_easy_send(at->tunnel->h, buf_head(b), buf_left(b), &n);
		buf_skip(b, n);
		if (code == CURLE_AGAIN ? !wait_for(at, POLLOUT)
					: code != CURLE_OK)
			return false;
	}
	return true;
}

/* Some more bytes; false at the end, in time or of the connection. */
static bool
read_more(const struct attempt *at, struct buf *b)
{
	uint8_t *room = buf_reserve(b, READ_MAX);
	CURLcode code;
	size_t n = 0;

	if (room == NULL)
		return false;
	while ((code = curl_easy_recv(at->tunnel->h, room, READ_MAX, &n)) ==
	    CURLE_AGAIN)
		if (!wait_for(at, POLLIN))
			return false;
	if (code != CURLE_OK || n == 0)
		return false;
	buf_commit(b, n);
	return true;
}

/* ---- the request and its answer ------------------------------------------ */

static void
add_request(const struct apiserver *a, struct attempt *at, const char *ns,
    const char *pod, uint16_t port, struct buf *b)
{
	auto_free char *space = url_query_escape(ns);
	auto_free char *name = url_query_escape(pod);

	(void)str_addf(b, "%s %s/api/v1/namespaces/%s/pods/%s/portforward",
	    at->way->method, a->kube->url.prefix, space, name);
	if (at->way->protocol == &frames_websocket)
		(void)str_addf(b, "?ports=%u", port);
	(void)str_add(b, " HTTP/1.1\r\n");
	apiserver_add_headers(a, b);
	(void)str_addf(b, "Connection: Upgrade\r\nUpgrade: %s\r\n",
	    at->way->upgrade);
	if (at->way->protocol == &frames_spdy) {
		(void)str_add(b,
		    "X-Stream-Protocol-Version: portforward.k8s.io\r\n"
		    "Content-Length: 0\r\n\r\n");
		return;
	}
	ws_key(at->key);
	(void)str_addf(b,
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\n"
	    "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
	    at->key);
}

static bool
is_upgraded(const struct attempt *at)
{
	const char *accept;
	size_t n = 0;

	if (reply_status(&at->head) != 101 ||
	    !reply_header_is(&at->head, "Upgrade", at->way->upgrade))
		return false;
	if (at->way->protocol == &frames_spdy)
		return true;
	accept = reply_header(&at->head, "Sec-WebSocket-Accept", &n);
	return accept != NULL && ws_accepts(at->key, accept, n) &&
	    reply_header_is(&at->head, "Sec-WebSocket-Protocol",
		"v4.channel.k8s.io");
}

/* The body of a refusal: a Status, or something else's text.  It is read as
 * far as its announced length, or until nothing comes. */
static enum verdict
read_refusal(struct attempt *at)
{
	int status = reply_status(&at->head);
	size_t at_body = reply_head_length(&at->head), n = 0,
	       want = REFUSAL_MAX;
	const char *s = reply_header(&at->head, "Content-Length", &n);
	auto_free char *digits = s == NULL ? NULL : xstrndup(s, n);
	const uint8_t *body, *brace;
	uint64_t length;

	if (digits != NULL &&
	    fx_parse_u64(digits, 0, REFUSAL_MAX, &length) == FX_OK)
		want = (size_t)length;
	while (buf_left(&at->head) < at_body + want && read_more(at, &at->head))
		;
	body = buf_head(&at->head) + at_body;
	n = buf_left(&at->head) - at_body;
	brace = memchr(body, '{', n); /* behind a chunk's length, perhaps */
	if (brace != NULL)
		at->said = apiserver_message(brace, n - (size_t)(brace - body));
	if (at->said == NULL) {
		at->said = xasprintf("unable to upgrade connection: %.*s",
		    (int)n, (const char *)body);
		return NOT_SPOKEN;
	}
	if (status == 401)
		return NOT_KNOWN;
	if (status == 403 || status == 404 ||
	    str_starts(at->said, "error dialing backend"))
		return REFUSED;
	return NOT_SPOKEN;
}

static enum verdict
ask(const struct apiserver *a, struct attempt *at, const char *ns,
    const char *pod, uint16_t port)
{
	struct buf request = BUF_INIT(SIZE_MAX);
	bool sent;

	add_request(a, at, ns, pod, port, &request);
	sent = send_all(at, &request);
	buf_wipe(&request);
	while (sent && reply_head_length(&at->head) == 0)
		if (!read_more(at, &at->head)) {
			at->said =
			    xstrdup("unable to upgrade connection: no answer");
			return NOT_SPOKEN;
		}
	if (is_upgraded(at))
		return UPGRADED;
	return sent ? read_refusal(at) : NOT_SPOKEN;
}

/* ---- a tunnel ------------------------------------------------------------ */

/* What came behind the headers are frames already. */
static void
begin(struct attempt *at, uint16_t port)
{
	struct tunnel *t = at->tunnel;

	buf_skip(&at->head, reply_head_length(&at->head));
	t->frames.protocol->open(&t->frames, port);
	if (frames_feed(&t->frames, buf_head(&at->head), buf_left(&at->head)) !=
	    FX_OK)
		t->lost = true;
}

static enum verdict
try_way(const struct apiserver *a, struct attempt *at, const char *ns,
    const char *pod, uint16_t port, struct ctl_error *err)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));
	curl_socket_t fd = CURL_SOCKET_BAD;
	enum verdict verdict = REFUSED;

	at->tunnel = t;
	at->deadline_us = clk_now_us() + a->timeout_ns / 1000;
	buf_init(&at->head, HEAD_MAX);
	frames_init(&t->frames, at->way->protocol);
	t->h = apiserver_connect(a, err);
	if (t->h != NULL) {
		(void)curl_easy_getinfo(t->h, CURLINFO_ACTIVESOCKET, &fd);
		t->fd = fd;
		verdict = ask(a, at, ns, pod, port);
		if (verdict == UPGRADED)
			begin(at, port);
		else
			(void)ctl_fail(err, FX_EDENIED, "%s",
			    at->said == NULL ? "the connection was lost"
					     : at->said);
	}
	buf_clear(&at->head);
	free(at->said);
	at->said = NULL;
	if (verdict != UPGRADED) {
		t->lost = true;
		tunnel_close(&at->tunnel);
	}
	return verdict;
}

struct tunnel *
tunnel_open(const struct apiserver *a, const char *ns, const char *pod,
    uint16_t port, struct ctl_error *err)
{
	bool refused = false;

	for (size_t i = 0; i < nitems(ways);) {
		struct attempt at = { .way = &ways[i] };

		if (apiserver_log_in(a, refused, err) != FX_OK)
			return NULL;
		switch (try_way(a, &at, ns, pod, port, err)) {
		case UPGRADED:
			ctl_error_clear(err);
			return at.tunnel;
		case REFUSED:
			return NULL;
		case NOT_KNOWN:
			if (a->login == NULL || refused)
				return NULL;
			refused = true;
			break;
		case NOT_SPOKEN:
			refused = false;
			i++;
			break;
		}
	}
	return NULL;
}

bool
tunnel_pull(struct tunnel *t)
{
	uint8_t chunk[FRAMES_CHUNK_MAX];
	CURLcode code;
	size_t n = 0;

	if (t->lost || buf_left(&t->frames.in) > 0)
		return false;
	code = curl_easy_recv(t->h, chunk, sizeof(chunk), &n);
	if (code == CURLE_AGAIN)
		return false;
	if (code != CURLE_OK || n == 0 ||
	    frames_feed(&t->frames, chunk, n) != FX_OK || t->frames.over)
		t->lost = true;
	return true;
}

bool
tunnel_push(struct tunnel *t)
{
	struct buf *out = &t->frames.out;
	CURLcode code;
	size_t n = 0;

	if (t->lost || buf_left(out) == 0)
		return false;
	code = curl_easy_send(t->h, buf_head(out), buf_left(out), &n);
	if (code == CURLE_AGAIN)
		return false;
	if (code != CURLE_OK)
		t->lost = true;
	else
		buf_skip(out, n);
	return true;
}

void
tunnel_close(struct tunnel **p)
{
	struct tunnel *t = *p;

	if (t == NULL)
		return;
	if (!t->lost && buf_left(&t->frames.out) == 0) {
		t->frames.protocol->close(&t->frames);
		(void)tunnel_push(t);
	}
	frames_clear(&t->frames);
	curl_easy_cleanup(t->h);
	free(t);
	*p = NULL;
}

char *
tunnel_why(const struct tunnel *t)
{
	const struct buf *text = &t->frames.text;

	if (buf_left(text) > 0)
		return xasprintf("%.*s", (int)buf_left(text),
		    (const char *)buf_head(text));
	if (t->lost && !t->frames.ended)
		return xstrdup("the connection to the pod was lost");
	return NULL;
}
