/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "post.h"

#include "multi.h"
#include "str.h"
#include "way.h"

#include <stdio.h>

#define ANSWER_MAX (64 * 1024) /* bytes of an answer; nobody needs more */
#define SHOWN_MAX 200	       /* of a refusal's body that are told */

struct post {
	struct post_target target;
	struct post_hooks hooks;
	struct multi multi;
	struct way way;
	int64_t deadline_us;
	const struct buf *json; /* borrowed */
	CURL *easy;
	struct curl_slist *headers;
	struct buf shown; /* the beginning of the answer */
	size_t answer;	  /* bytes of it */
	char problem[CURL_ERROR_SIZE];
};

/* ---- what libcurl calls ----------------------------------------------- */

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct post *p = arg;
	size_t room = SHOWN_MAX - buf_left(&p->shown);

	(void)one;
	p->answer += n;
	if (p->answer > ANSWER_MAX)
		return 0;
	return buf_put(&p->shown, data, n < room ? n : room) == FX_OK ? n : 0;
}

/* ---- a request -------------------------------------------------------- */

/* Every option has to take: a transfer with one missing is another transfer. */
#define set(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(p->easy, option, value) != CURLE_OK)      \
			fx_bug("libcurl refuses " #option);                    \
	} while (0)

static void
set_headers(struct post *p)
{
	if (*p->target.token != '\0') {
		char *line = xasprintf("Authorization: Scope-Probe token=%s",
		    p->target.token);

		p->headers = way_add(p->headers, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	p->headers = way_add(p->headers, "Content-Type: application/json");
	p->headers = way_add(p->headers, "Accept: application/json");
	p->headers = way_add(p->headers, "Expect:");
	set(CURLOPT_HTTPHEADER, p->headers);
	set(CURLOPT_USERAGENT, "fluxd/" PACKAGE_VERSION);
}

static void
set_proxy(struct post *p)
{
	auto_free char *url = xasprintf("http://%s", p->target.proxy);

	if (*p->target.proxy == '\0')
		return;
	set(CURLOPT_PROXY, url);
	if (*p->target.proxy_login != '\0')
		set(CURLOPT_PROXYUSERPWD, p->target.proxy_login);
	way_resolve(&p->way, p->easy, p->target.proxy);
}

static void
start(struct post *p)
{
	int64_t ms = (p->deadline_us - clk_now_us()) / CLK_MS;

	p->easy = curl_easy_init();
	if (p->easy == NULL)
		fx_no_memory();
	p->problem[0] = '\0';
	set(CURLOPT_ERRORBUFFER, p->problem);
	way_set(&p->way, p->easy);
	set_proxy(p);
	set_headers(p);
	set(CURLOPT_FORBID_REUSE, 1L);
	set(CURLOPT_POST, 1L);
	set(CURLOPT_POSTFIELDS, (const char *)buf_head(p->json));
	set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buf_left(p->json));
	set(CURLOPT_WRITEFUNCTION, on_body);
	set(CURLOPT_WRITEDATA, p);
	set(CURLOPT_TIMEOUT_MS, (long)(ms > 0 ? ms : 1));
	if (curl_multi_add_handle(p->multi.curl, p->easy) != CURLM_OK)
		fx_bug("curl_multi_add_handle");
}

/* ---- the end of it ---------------------------------------------------- */

static void
clear(struct post *p)
{
	if (p->easy != NULL) {
		curl_multi_remove_handle(p->multi.curl, p->easy);
		curl_easy_cleanup(p->easy);
		p->easy = NULL;
	}
	for (struct curl_slist *l = p->headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(p->headers);
	p->headers = NULL;
	way_clear(&p->way);
	buf_clear(&p->shown);
	p->answer = 0;
	p->json = NULL;
}

static void
end(struct post *p, const struct post_outcome *o)
{
	clear(p);
	p->hooks.done(p->hooks.arg, o);
}

static void
print(struct post_outcome *o, const char *before, const char *s, size_t n)
{
	struct buf b = BUF_INIT(POST_TEXT_MAX - 1);
	auto_free char *text = NULL;

	(void)str_add(&b, before);
	str_printable(&b, s, n, SHOWN_MAX);
	text = str_take(&b);
	snprintf(o->text, sizeof(o->text), "%s", text);
}

/* As upstream words it: the status, then what the body says. */
static void
answered(struct post *p, struct post_outcome *o)
{
	curl_off_t seconds = 0;
	char before[32];

	(void)curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > 0)
		o->retry_after_us =
		    seconds < 86400 ? seconds * CLK_SEC : 86400 * CLK_SEC;
	snprintf(before, sizeof(before), "%ld ", o->status);
	print(o, before, (const char *)buf_head(&p->shown),
	    buf_left(&p->shown));
}

/* An answer with a status is one, however it goes on. */
static void
reap(void *arg)
{
	struct post *p = arg;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi.curl, &left)) != NULL) {
		struct post_outcome o = { 0 };
		const char *why;

		if (m->msg != CURLMSG_DONE || m->easy_handle != p->easy)
			continue;
		(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE,
		    &o.status);
		why = p->problem[0] != '\0'
		    ? p->problem
		    : curl_easy_strerror(m->data.result);
		if (m->data.result != CURLE_OK &&
		    m->data.result != CURLE_WRITE_ERROR)
			o.status = 0;
		if (o.status != 0)
			answered(p, &o);
		else
			print(&o, "", why, strlen(why));
		end(p, &o);
	}
}

void
post_send(struct post *p, const struct buf *json)
{
	p->json = json;
	p->deadline_us = clk_now_us() + POST_LIMIT_US;
	p->hooks.connect(p->hooks.arg, POST_LIMIT_US);
}

void
post_connected(struct post *p, int fd)
{
	p->way.fd = fd;
	start(p);
}

void
post_not_connected(struct post *p, const struct fx_err *err)
{
	struct post_outcome o = { 0 };

	print(&o, "", err->text, strlen(err->text));
	end(p, &o);
}

/* ---- life ------------------------------------------------------------- */

struct post *
post_new(struct loop *loop, const struct post_hooks *hooks)
{
	struct post *p = xcalloc(1, sizeof(*p));

	p->hooks = *hooks;
	p->way.fd = -1;
	buf_init(&p->shown, SHOWN_MAX);
	multi_open(&p->multi, loop, NULL, reap, p);
	return p;
}

void
post_to(struct post *p, const struct post_target *target)
{
	p->target = *target;
	p->way.url = target->url;
	p->way.tls = target->tls;
}

void
post_free(struct post **pp)
{
	struct post *p = *pp;

	if (p == NULL)
		return;
	clear(p);
	multi_close(&p->multi);
	free(p);
	*pp = NULL;
}
