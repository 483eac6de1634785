/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "http.h"

#include <curl/curl.h>

#include "clock.h"
#include "http_trust.h"
#include "str.h"

/* bytes of a push, kept until it is sent */
#define HTTP_POST_MAX (128u << 20)
#define HTTP_ANSWER_MAX (1u << 20)  /* bytes received and not yet read */
#define HTTP_REFUSAL_MAX (1u << 18) /* bytes of an error page passed over */
#define HTTP_REDIRECTS_MAX 3

struct http {
	struct link *link; /* not owned */
	X509_STORE *store;
	char *base; /* URL without password, where the last redirect led */

	const char *service;
	bool posting; /* else the refs are asked for */
	bool sent;    /* the request is on its way, or done */
	struct buf post;

	CURL *easy;
	struct curl_slist *headers, *resolve;
	bool done, paused;
	CURLcode result;
	struct buf answer;
	size_t refusal;
	struct fx_err connect_err; /* why there is no socket */
	char text[CURL_ERROR_SIZE];
};

/* Made before lock-down. */
static CURLM *multi;

static char *
base_url(const struct git_url *u)
{
	const char *scheme = u->kind == GIT_URL_HTTPS ? "https" : "http";
	bool v6 = strchr(u->host, ':') != NULL;
	size_t n = strlen(u->path);

	while (n != 0 && u->path[n - 1] == '/')
		n--;
	return xasprintf("%s://%s%s%s:%u%.*s", scheme, v6 ? "[" : "", u->host,
	    v6 ? "]" : "", u->port, (int)n, u->path);
}

int
http_lib_open(bool system_ca, struct fx_err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (multi = curl_multi_init()) == NULL)
		return fx_fail(err, FX_EFAIL, "libcurl does not start");
	return http_trust_open(system_ca, err);
}

static int
http_open(struct link *l, const struct buf *trust, size_t ntrust, void **at,
    struct fx_err *err)
{
	static const struct buf none = BUF_INIT(0);
	struct http *h = xcalloc(1, sizeof(*h));

	h->link = l;
	h->base = base_url(&l->url);
	buf_init(&h->post, HTTP_POST_MAX);
	buf_init(&h->answer, HTTP_ANSWER_MAX);
	*at = h;
	h->store = http_trust_store(ntrust == 0 ? &none : &trust[0], err);
	return h->store == NULL ? FX_ESYNTAX : FX_OK;
}

/* ---- what libcurl calls ---- */

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *h = arg;
	struct link *l = h->link;
	int fd = -1;

	(void)purpose;
	(void)address;
	h->connect_err = (struct fx_err){ 0 };
	if (l->calls.connect(l->calls.arg, l->url.host, l->url.port,
		l->deadline_us, &fd, &h->connect_err) != FX_OK)
		return CURL_SOCKET_BAD;
	return fd;
}

/* The socket is connected.  Older versions call connect(2) all the same, to
 * which the filter says yes without doing it. */
static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	struct http *h = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, h->store);
	return CURLE_OK;
}

static size_t
on_data(char *p, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	long status = 0;

	n *= size;
	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		h->refusal += n;
		return h->refusal > HTTP_REFUSAL_MAX ? 0 : n;
	}
	if (buf_left(&h->answer) + n > HTTP_ANSWER_MAX) {
		h->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return buf_put(&h->answer, p, n) == FX_OK ? n : 0;
}

/* ---- a request ---- */

/* Every option has to take: a transfer with one missing is another transfer. */
#define SET(h, option, value)                                                  \
	do {                                                                   \
		if (curl_easy_setopt((h)->easy, (option), (value)) !=          \
		    CURLE_OK)                                                  \
			fx_bug("libcurl refuses %s", #option);                 \
	} while (0)

static void
add_header(struct http *h, const char *fmt, const char *word)
{
	auto_free char *line = xasprintf("%s%s%s", fmt, word,
	    strcmp(fmt, "Content-Type: application/x-") == 0 ? "-request" : "");
	struct curl_slist *list = curl_slist_append(h->headers, line);

	if (list == NULL)
		fx_no_memory();
	h->headers = list;
}

static void
set_trust(struct http *h)
{
	bool tls = h->link->url.kind == GIT_URL_HTTPS;

	SET(h, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(h, CURLOPT_FOLLOWLOCATION, 0L);
	SET(h, CURLOPT_PROXY, "");
	SET(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* else files would be looked for */
	SET(h, CURLOPT_CAINFO, NULL);
	SET(h, CURLOPT_CAPATH, NULL);
	SET(h, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(h, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(h, CURLOPT_SSL_CTX_DATA, h);
}

static void
set_connection(struct http *h)
{
	const struct git_url *u = &h->link->url;
	auto_free char *entry = NULL;

	/* some numeric address, so that nothing is resolved; the socket that
	 * on_open_socket brings is connected to the right one */
	entry = xasprintf("%s:%u:127.0.0.1", u->host, u->port);
	h->resolve = curl_slist_append(NULL, entry);
	SET(h, CURLOPT_RESOLVE, h->resolve);
	SET(h, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(h, CURLOPT_OPENSOCKETDATA, h);
	SET(h, CURLOPT_SOCKOPTFUNCTION, on_socket);
	SET(h, CURLOPT_TCP_NODELAY, 0L); /* the connector has done it */
	SET(h, CURLOPT_NOSIGNAL, 1L);
	SET(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(h, CURLOPT_WRITEFUNCTION, on_data);
	SET(h, CURLOPT_WRITEDATA, h);
	SET(h, CURLOPT_ERRORBUFFER, h->text);
	SET(h, CURLOPT_USERAGENT, "git/2.0 (fluxd " PACKAGE_VERSION ")");
	if (*u->user != '\0' || u->password != NULL) {
		SET(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(h, CURLOPT_USERNAME, u->user);
		SET(h, CURLOPT_PASSWORD,
		    u->password == NULL ? "" : u->password);
	}
}

static void
set_request(struct http *h)
{
	auto_free char *url = NULL;

	if (h->posting) {
		url = xasprintf("%s/%s", h->base, h->service);
		SET(h, CURLOPT_POST, 1L);
		SET(h, CURLOPT_POSTFIELDS, (const char *)buf_head(&h->post));
		SET(h, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)buf_left(&h->post));
		add_header(h, "Content-Type: application/x-", h->service);
		add_header(h, "Expect:", "");
	} else {
		url = xasprintf("%s/info/refs?service=%s", h->base, h->service);
	}
	add_header(h, "Pragma: no-cache", "");
	SET(h, CURLOPT_URL, url);
	SET(h, CURLOPT_HTTPHEADER, h->headers);
}

static void
begin(struct http *h)
{
	h->easy = curl_easy_init();
	if (h->easy == NULL)
		fx_no_memory();
	h->done = false;
	h->paused = false;
	h->refusal = 0;
	h->text[0] = '\0';
	set_trust(h);
	set_connection(h);
	set_request(h);
	if (curl_multi_add_handle(multi, h->easy) != CURLM_OK)
		fx_bug("libcurl refuses a request");
	h->sent = true;
}

/* The transfer is no more; the connection stays. */
static void
end(struct http *h)
{
	if (h->easy != NULL) {
		(void)curl_multi_remove_handle(multi, h->easy);
		curl_easy_cleanup(h->easy);
	}
	curl_slist_free_all(h->headers);
	curl_slist_free_all(h->resolve);
	h->easy = NULL;
	h->headers = NULL;
	h->resolve = NULL;
	h->sent = false;
	buf_reset(&h->answer);
}

static void
http_done(void *at)
{
	struct http *h = at;

	end(h);
	buf_clear(&h->post);
}

static int
http_refs(void *at, const char *service, struct fx_err *err)
{
	struct http *h = at;

	(void)err;
	http_done(h);
	h->service = service;
	h->posting = false;
	return FX_OK;
}

static int
http_serve(void *at, const char *service, struct fx_err *err)
{
	struct http *h = at;

	(void)err;
	http_done(h);
	h->service = service;
	h->posting = true;
	return FX_OK;
}

static int
http_write(void *at, const void *p, size_t n, struct fx_err *err)
{
	struct http *h = at;

	if (buf_put(&h->post, p, n) != FX_OK)
		return fx_fail(err, FX_ELIMIT,
		    "more than %u MiB to be pushed at once",
		    HTTP_POST_MAX >> 20);
	return FX_OK;
}

/* ---- progress ---- */

static void
take_result(struct http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE && m->easy_handle == h->easy) {
			h->done = true;
			h->result = m->data.result;
		}
}

/* As link_wait, with libcurl's descriptors. */
static int
wait_io(struct http *h, struct fx_err *err)
{
	struct link *l = h->link;
	struct curl_waitfd channel = { l->calls.channel, CURL_WAIT_POLLIN, 0 };
	int64_t ms;
	int r;

	if ((r = l->calls.heed(l->calls.arg, err)) != FX_OK)
		return r;
	ms = (l->deadline_us - clk_now_us() + CLK_MS - 1) / CLK_MS;
	if (ms <= 0)
		return link_silent(l, err);
	if (curl_multi_poll(multi, &channel, 1,
		ms < LINK_SLICE_MS ? (int)ms : LINK_SLICE_MS, NULL) != CURLM_OK)
		return fx_fail(err, FX_EFAIL, "libcurl failed");
	return FX_OK;
}

/* Until there is something to read, or the answer is complete. */
static int
pump(struct http *h, struct fx_err *err)
{
	int running, r;

	for (;;) {
		if (h->paused && buf_left(&h->answer) == 0) {
			h->paused = false;
			(void)curl_easy_pause(h->easy, CURLPAUSE_CONT);
		}
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return fx_fail(err, FX_EFAIL, "libcurl failed");
		take_result(h);
		if (h->done || buf_left(&h->answer) != 0)
			return FX_OK;
		if ((r = wait_io(h, err)) != FX_OK)
			return r;
	}
}

static int
fail_transfer(struct http *h, struct fx_err *err)
{
	const char *text =
	    h->text[0] != '\0' ? h->text : curl_easy_strerror(h->result);
	struct buf b = BUF_INIT(8 * CURL_ERROR_SIZE);
	auto_free char *shown = NULL;

	if (h->connect_err.code != FX_OK) {
		*err = h->connect_err;
		return err->code;
	}
	str_printable(&b, text, strlen(text), CURL_ERROR_SIZE);
	shown = str_take(&b);
	return fx_fail(err,
	    h->result == CURLE_PEER_FAILED_VERIFICATION ? FX_EDENIED : FX_EFAIL,
	    "unable to access '%s': %s", h->base, shown);
}

static int
fail_status(struct http *h, long status, struct fx_err *err)
{
	switch (status) {
	case 401:
	case 403:
		return fx_fail(err, FX_EDENIED,
		    "Authentication failed for '%s' (%ld)", h->base, status);
	case 404:
		return fx_fail(err, FX_EFAIL, "repository '%s' not found",
		    h->base);
	default:
		return fx_fail(err, FX_EFAIL,
		    "unable to access '%s': The requested URL returned error: "
		    "%ld",
		    h->base, status);
	}
}

/* ---- redirects ---- */

/* Where the list of refs has moved to, if that is another path of the same
 * server; what is posted goes there too. */
static int
follow(struct http *h, struct fx_err *err)
{
	auto_free char *tail = xasprintf("/info/refs?service=%s", h->service);
	char *to = NULL, *clean = NULL;
	int r = FX_OK;

	(void)curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL || h->posting || strlen(to) > GIT_URL_MAX ||
	    !http_same_server(h->base, to, &clean) || !str_ends(clean, tail)) {
		r = fx_fail(err, FX_EDENIED,
		    "'%s' redirects to another place, which is not followed: "
		    "configure the URL it has now",
		    h->base);
	} else {
		free(h->base);
		h->base = xstrndup(clean, strlen(clean) - strlen(tail));
	}
	curl_free(clean);
	return r;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

/* The first bytes came, or the end: is it what was asked for? */
static int
judge_start(struct http *h, bool *again, struct fx_err *err)
{
	auto_free char *want = NULL;
	char *type = NULL;
	long status = 0;
	int r;

	*again = false;
	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (h->done && h->result != CURLE_OK && (status == 0 || status == 200))
		return fail_transfer(h, err);
	if (is_redirect(status)) {
		if ((r = follow(h, err)) == FX_OK)
			*again = true;
		return r;
	}
	if (status != 200)
		return fail_status(h, status, err);
	(void)curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type);
	want = xasprintf("application/x-%s-%s", h->service,
	    h->posting ? "result" : "advertisement");
	if (type == NULL || strcasecmp(type, want) != 0)
		return fx_fail(err, FX_EFAIL,
		    "'%s' is no git repository, or its server does not speak "
		    "git's smart protocol",
		    h->base);
	return FX_OK;
}

static int
start(struct http *h, struct fx_err *err)
{
	bool again = true;
	int r = FX_OK;

	for (int i = 0; again && r == FX_OK; i++) {
		if (i > HTTP_REDIRECTS_MAX)
			return fx_fail(err, FX_EDENIED,
			    "'%s' redirects without end", h->base);
		end(h);
		begin(h);
		if ((r = pump(h, err)) == FX_OK)
			r = judge_start(h, &again, err);
	}
	return r;
}

static int
http_read(void *at, void *p, size_t n, size_t *got, struct fx_err *err)
{
	struct http *h = at;
	int r;

	*got = 0;
	if (!h->sent && (r = start(h, err)) != FX_OK)
		return r;
	if (buf_left(&h->answer) == 0 && !h->done &&
	    (r = pump(h, err)) != FX_OK)
		return r;
	if (buf_left(&h->answer) == 0)
		return h->result == CURLE_OK ? FX_OK : fail_transfer(h, err);
	if (n > buf_left(&h->answer))
		n = buf_left(&h->answer);
	if (buf_get(&h->answer, p, n) != FX_OK)
		fx_bug("http: fewer bytes than there are");
	*got = n;
	return FX_OK;
}

static void
http_close(void *at)
{
	struct http *h = at;

	http_done(h);
	X509_STORE_free(h->store);
	buf_clear(&h->post);
	buf_clear(&h->answer);
	free(h->base);
	free(h);
}

const struct transport_carrier http_carrier = {
	.kinds = TRANSPORT_KIND(GIT_URL_HTTP) | TRANSPORT_KIND(GIT_URL_HTTPS),
	.rpc = true,
	.open = http_open,
	.close = http_close,
	.refs = http_refs,
	.serve = http_serve,
	.read = http_read,
	.write = http_write,
	.done = http_done,
};
