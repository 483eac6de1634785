/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "apiserver.h"

#include "answer.h"
#include "login.h"
#include "quote.h"
#include "str.h"

/* ---- headers ------------------------------------------------------------ */

typedef void each_header(void *arg, const char *line);

static void
give_header(each_header *each, void *arg, const char *name, const char *value)
{
	auto_free char *line = NULL;

	if (value == NULL)
		return;
	line = xasprintf("%s: %s", name, value);
	each(arg, line);
	explicit_bzero(line, strlen(line));
}

/* "name=value": the name becomes part of the header's, so what may not stand
 * there is percent-encoded. */
static void
give_extra(each_header *each, void *arg, const char *extra)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *name = NULL;
	size_t n = strcspn(extra, "=");

	(void)str_add(&b, "Impersonate-Extra-");
	for (size_t i = 0; i < n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			extra[i]) != NULL)
			(void)str_addc(&b, extra[i]);
		else
			(void)str_addf(&b, "%%%02X", (uint8_t)extra[i]);
	name = str_take(&b);
	give_header(each, arg, name, extra + n + 1);
}

/* Who we are is nobody's business on a plain connection. */
static void
give_authorization(const struct kube *k, each_header *each, void *arg)
{
	char *value = k->url.tls ? kubeconfig_authorization(&k->kc) : NULL;

	give_header(each, arg, "Authorization", value);
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
}

static void
give_headers(const struct kube *k, each_header *each, void *arg)
{
	const struct kubeconfig *kc = &k->kc;
	const char *host = strstr(k->base, "://") + strlen("://");
	auto_free char *named = xstrndup(host, strcspn(host, "/"));

	/* the URL names another one when the certificate's name is given */
	give_header(each, arg, "Host", named);
	give_authorization(k, each, arg);
	give_header(each, arg, "Impersonate-User", kc->as);
	give_header(each, arg, "Impersonate-Uid", kc->as_uid);
	for (size_t i = 0; i < kc->as_groups.n; i++)
		give_header(each, arg, "Impersonate-Group", kc->as_groups.v[i]);
	for (size_t i = 0; i < kc->as_extra.n; i++)
		give_extra(each, arg, kc->as_extra.v[i]);
}

static void
into_list(void *arg, const char *line)
{
	http_add_header(arg, line);
}

static void
into_buf(void *arg, const char *line)
{
	(void)str_addf(arg, "%s\r\n", line);
}

static void
is_clean(void *arg, const char *line)
{
	if (!http_is_value(line))
		*(bool *)arg = false;
}

void
apiserver_add_headers(const struct apiserver *a, struct buf *b)
{
	give_headers(a->kube, into_buf, b);
	(void)str_add(b, "User-Agent: fluxctl/" PACKAGE_VERSION "\r\n");
}

/* ---- transfers ---------------------------------------------------------- */

static void
set_blob(CURL *h, CURLoption option, const struct buf *data)
{
	/* the option does not write through it */
	struct curl_blob blob = { .data = (void *)(uintptr_t)buf_head(data),
		.len = buf_left(data),
		.flags = CURL_BLOB_COPY };

	if (buf_left(data) > 0)
		curl_easy_setopt(h, option, &blob);
}

static void
set_tls(CURL *h, const struct kubeconfig *kc)
{
	if (kc->insecure) {
		curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
	} else if (buf_left(&kc->ca.data) > 0) {
		/* these authorities, and not the system's beside them */
		curl_easy_setopt(h, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
		set_blob(h, CURLOPT_CAINFO_BLOB, &kc->ca.data);
	} else {
		http_certificates(h);
	}
	set_blob(h, CURLOPT_SSLCERT_BLOB, &kc->cert.data);
	set_blob(h, CURLOPT_SSLKEY_BLOB, &kc->key.data);
}

/* The server's certificate has another name than the server: ask for that
 * one, and connect to this one.  The list is to be freed after the handle. */
static struct curl_slist *
set_url(CURL *h, const struct kube *k, const char *path)
{
	const struct kubeconfig *kc = &k->kc;
	const char *colon = strchr(k->url.host, ':');
	struct curl_slist *to = NULL;
	auto_free char *url = NULL, *where = NULL;

	if (kc->tls_server_name == NULL || !k->url.tls) {
		url = xasprintf("%s%s", k->base, path);
	} else {
		url = xasprintf("https://%s:%u%s%s", kc->tls_server_name,
		    k->url.port, k->url.prefix, path);
		where = xasprintf(colon == NULL ? "::%s:%u" : "::[%s]:%u",
		    k->url.host, k->url.port);
		http_add_header(&to, where);
		curl_easy_setopt(h, CURLOPT_CONNECT_TO, to);
	}
	curl_easy_setopt(h, CURLOPT_URL, url);
	return to;
}

static void
set_proxy(CURL *h, const struct kube *k)
{
	if (k->kc.proxy_url == NULL) {
		http_proxy(h, k->url.tls ? "https" : "http", k->url.host);
		return;
	}
	curl_easy_setopt(h, CURLOPT_PROXY, k->kc.proxy_url);
	curl_easy_setopt(h, CURLOPT_NOPROXY, ""); /* this one, always */
}

/* A handle for a path; what it was given is to be freed after it. */
struct transfer {
	CURL *h;
	struct curl_slist *to;
	struct http_note note;
};

static void
begin(const struct apiserver *a, const char *path, struct transfer *t)
{
	t->h = curl_easy_init();
	if (t->h == NULL)
		fx_bug("libcurl gives no handle");
	http_init(t->h, a->timeout_ns, &t->note);
	t->to = set_url(t->h, a->kube, path);
	set_proxy(t->h, a->kube);
	set_tls(t->h, &a->kube->kc);
}

static int
fail_get(const struct apiserver *a, const char *path, const char *why,
    struct ctl_error *err)
{
	auto_free char *url = xasprintf("%s%s", a->kube->base, path);
	auto_free char *quoted = str_quoted(url);

	return ctl_fail(err, FX_EFAIL, "Get %s: %s", quoted, why);
}

static int
check_headers(const struct apiserver *a, struct ctl_error *err)
{
	bool clean = true;

	give_headers(a->kube, is_clean, &clean);
	return clean ? FX_OK
		     : ctl_fail(err, FX_ESYNTAX,
			   "the credentials hold a control character");
}

char *
apiserver_message(const uint8_t *text, size_t n)
{
	auto_json json_t *status =
	    json_loadb((const char *)text, n, JSON_DISABLE_EOF_CHECK, NULL);
	const char *kind = json_string_value(json_object_get(status, "kind"));
	const char *message =
	    json_string_value(json_object_get(status, "message"));

	if (kind == NULL || strcmp(kind, "Status") != 0 || message == NULL)
		return NULL;
	return xstrdup(message);
}

static int
check_reply(const struct reply *reply, struct ctl_error *err)
{
	auto_free char *message = NULL;

	if (reply->status == 200)
		return FX_OK;
	message =
	    apiserver_message(buf_head(&reply->body), buf_left(&reply->body));
	return ctl_fail(err, FX_EDENIED, "%s",
	    message != NULL ? message : reply->status_line);
}

/* FX_OK: there is an answer, whatever it says. */
static int
get_once(const struct apiserver *a, const char *path, struct reply *reply,
    struct ctl_error *err)
{
	struct curl_slist *headers = NULL;
	struct transfer t = { 0 };
	auto_free char *why = NULL;
	CURLcode code;
	int r = check_headers(a, err);

	if (r != FX_OK)
		return r;
	http_add_header(&headers, "Accept: application/json");
	give_headers(a->kube, into_list, &headers);
	begin(a, path, &t);
	http_into(t.h, reply);
	curl_easy_setopt(t.h, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(t.h);
	if (code == CURLE_OK)
		http_finish(t.h, reply);
	else
		why = http_why(t.h, code, a->kube->url.host, a->timeout_ns,
		    &t.note, reply);
	curl_easy_cleanup(t.h);
	curl_slist_free_all(t.to);
	curl_slist_free_all(headers);
	return why == NULL ? FX_OK : fail_get(a, path, why, err);
}

int
apiserver_log_in(const struct apiserver *a, bool refused, struct ctl_error *err)
{
	int r = login_renew(a->login, refused, err);

	return r == FX_OK ? FX_OK : ctl_wrap(err, r, "getting credentials");
}

int
apiserver_get(const struct apiserver *a, const char *path, struct reply *out,
    struct ctl_error *err)
{
	auto_reply struct reply reply = { 0 };
	auto_free char *why = NULL;
	bool refused = false;
	int r;

	for (;;) {
		if (apiserver_log_in(a, refused, err) != FX_OK) {
			why = xstrdup(err->text);
			return fail_get(a, path, why, err);
		}
		reply_clear(&reply);
		buf_init(&reply.body, APISERVER_BODY_MAX);
		r = get_once(a, path, &reply, err);
		if (r != FX_OK || reply.status != 401 || a->login == NULL ||
		    refused)
			break;
		refused = true;
	}
	if (r == FX_OK)
		r = check_reply(&reply, err);
	if (r != FX_OK)
		return r;
	*out = reply;
	reply = (struct reply){ 0 };
	return FX_OK;
}

CURL *
apiserver_connect(const struct apiserver *a, struct ctl_error *err)
{
	struct transfer t = { 0 };
	auto_free char *why = NULL;
	CURLcode code;

	begin(a, "/", &t);
	curl_easy_setopt(t.h, CURLOPT_CONNECT_ONLY, 1L);
	/* a proxy must not take part in what follows */
	curl_easy_setopt(t.h, CURLOPT_HTTPPROXYTUNNEL, 1L);
	code = curl_easy_perform(t.h);
	if (code != CURLE_OK)
		why = http_why(t.h, code, a->kube->url.host, a->timeout_ns,
		    &t.note, NULL);
	/* what the handle was given ends with this function */
	curl_easy_setopt(t.h, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(t.h, CURLOPT_OPENSOCKETDATA, NULL);
	curl_easy_setopt(t.h, CURLOPT_CONNECT_TO, NULL);
	curl_slist_free_all(t.to);
	if (why == NULL)
		return t.h;
	curl_easy_cleanup(t.h);
	(void)ctl_fail(err, FX_EFAIL, "%s", why);
	return NULL;
}
