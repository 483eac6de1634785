/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <stdio.h>

#include "exchange.h"
#include "str.h"

char *
exchange_request(const struct exchange *x, const char *more)
{
	struct buf b = BUF_INIT(65536);

	str_addf(&b, "%s %s HTTP/1.1\r\nHost: fluxd:3030\r\n%s", x->method,
	    x->target, more);
	if (x->accept != NULL)
		str_addf(&b, "Accept: %s\r\n", x->accept);
	if (x->body != NULL)
		str_addf(&b, "Content-Length: %zu\r\n", strlen(x->body));
	str_addf(&b, "\r\n%s", x->body == NULL ? "" : x->body);
	return str_take(&b);
}

char *
exchange_header(const char *response, const char *name)
{
	auto_free char *key = xasprintf("\r\n%s: ", name);
	const char *end = strstr(response, "\r\n\r\n");
	const char *at = strstr(response, key);

	if (at == NULL || at > end)
		return xstrdup("");
	at += strlen(key);
	return xstrndup(at, (size_t)(strstr(at, "\r\n") - at));
}

static char *
dechunk(const char *s)
{
	struct buf b = BUF_INIT(64u << 20);

	for (;;) {
		char *end;
		size_t n = strtoul(s, &end, 16);

		if (end == s || !str_starts(end, "\r\n") ||
		    strlen(end + 2) < n + 2)
			break;
		str_addn(&b, end + 2, n);
		s = end + 2 + n;
		if (!str_starts(s, "\r\n"))
			break;
		s += 2;
		if (n == 0 && *s == '\0')
			return str_take(&b);
	}
	buf_clear(&b);
	return NULL;
}

char *
exchange_body(const char *response)
{
	auto_free char *coding = NULL, *length = NULL;
	const char *body = strstr(response, "\r\n\r\n");

	if (body == NULL)
		return NULL;
	body += 4;
	coding = exchange_header(response, "Transfer-Encoding");
	length = exchange_header(response, "Content-Length");
	if (strcmp(coding, "chunked") == 0)
		return dechunk(body);
	return strtoul(length, NULL, 10) == strlen(body) ? xstrdup(body) : NULL;
}

static bool
matches(const char *got, const char *wanted)
{
	const char *any = strchr(wanted, *ANY);
	size_t before = any == NULL ? 0 : (size_t)(any - wanted);

	if (any == NULL)
		return strcmp(got, wanted) == 0;
	return strncmp(got, wanted, before) == 0 &&
	    str_ends(got + before, any + 1);
}

/* Status and reason. */
static bool
matches_status(const char *response, const char *status)
{
	const char *line = response + strlen("HTTP/1.1 ");
	auto_free char *got = NULL;

	if (!str_starts(response, "HTTP/1.1 "))
		return false;
	got = xstrndup(line, strcspn(line, "\r"));
	return matches(got, status);
}

static bool
is_answer(const struct exchange *x, const char *response)
{
	auto_free char *type = exchange_header(response, "Content-Type");
	auto_free char *length = exchange_header(response, "Content-Length");
	auto_free char *date = exchange_header(response, "Date");
	auto_free char *body = exchange_body(response);
	bool head = strcmp(x->method, "HEAD") == 0;

	if (!matches_status(response, x->status) ||
	    strcmp(type, x->type == NULL ? "" : x->type) != 0 ||
	    strlen(date) != strlen("Wed, 25 Nov 2026 22:35:02 GMT"))
		return false;
	if (head)
		return str_ends(response, "\r\n\r\n");
	if (x->type == NULL &&
	    strcmp(length, str_starts(x->status, "204") ? "" : "0") != 0)
		return false;
	/* 204 has no length, and no body either */
	if (str_starts(x->status, "204"))
		return str_ends(response, "\r\n\r\n");
	return body != NULL && matches(body, x->answer);
}

static bool
check(const struct exchange *x, const char *response)
{
	if (is_answer(x, response))
		return true;
	printf("# %s %s %s\n# [%s]\n# wanted %s [%s]\n", x->method, x->target,
	    x->body == NULL ? "" : x->body, response, x->status, x->answer);
	return false;
}

bool
exchange_table(const struct bed *bed, const struct exchange *t, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		auto_free char *rq =
		    exchange_request(&t[i], "Connection: close\r\n");
		auto_free char *tcp = bed_exchange(bed->port, rq, strlen(rq));
		auto_free char *local =
		    bed_talk(bed_connect_unix(bed), rq, strlen(rq));

		ok = check(&t[i], tcp) && ok;
		ok = check(&t[i], local) && ok;
	}
	return ok;
}

char *
exchange_get(const struct bed *bed, const char *target)
{
	const struct exchange x = { .method = "GET", .target = target };
	auto_free char *rq = exchange_request(&x, "Connection: close\r\n");

	return bed_exchange(bed->port, rq, strlen(rq));
}
