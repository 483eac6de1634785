/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "status.h"

#include "json.h"
#include "str.h"

#include <stdio.h>

#define RETRY_AFTER_MAX_S 30

#define TAIL 256 /* bytes of a long message's end, where its point is */

/* White space of any kind, and as much as there is, becomes one blank. */
static void
flatten(struct buf *out, const char *text, size_t n)
{
	bool gap = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			gap = buf_left(out) > 0;
			continue;
		}
		if (gap)
			(void)str_addc(out, ' ');
		gap = false;
		(void)str_addc(out, c);
	}
}

/* One line, printable; of a long one the beginning and the end. */
static void
set_message(struct sw_status *st, const char *text, size_t n)
{
	auto_buf struct buf flat = BUF_INIT(n);
	auto_buf struct buf out = BUF_INIT(8 * SW_MESSAGE_MAX);
	size_t left, head = SW_MESSAGE_MAX - TAIL - 16;
	const char *p;

	flatten(&flat, text, n);
	p = (const char *)buf_head(&flat);
	left = buf_left(&flat);
	if (left > SW_MESSAGE_MAX - 8) {
		str_printable(&out, p, head, head);
		(void)str_add(&out, " ... ");
		p += left - TAIL;
		left = TAIL;
	}
	str_printable(&out, p, left, left);
	snprintf(st->message, sizeof(st->message), "%.*s", (int)buf_left(&out),
	    (const char *)buf_head(&out));
}

static bool
says(const char *text, size_t n, const char *const *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++)
		if (memmem(text, n, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

/* Looked for in the whole text: a Job's has its template before the point. */
static void
read_text(struct sw_status *st, const char *text, size_t n)
{
	static const char *const immutable[] = {
		"field is immutable",		    /* most of them */
		"may not change once set",	    /* a Service's addresses */
		"spec is immutable after creation", /* claims */
		"updates to statefulset spec for fields other than",
		"pod updates may not change fields other than",
		"cannot change roleRef", /* bindings */
	};
	static const char *const duplicate[] = { "duplicate entries for key" };
	static const char *const lost[] = {
		"request to convert CR to an invalid group/version",
		"request to convert CR from an invalid group/version",
	};

	st->immutable =
	    st->http == 422 && says(text, n, immutable, nitems(immutable));
	st->duplicate = st->http == 500 && st->what == SW_REFUSED &&
	    says(text, n, duplicate, nitems(duplicate));
	st->lost_version =
	    st->what == SW_REFUSED && says(text, n, lost, nitems(lost));
}

/* 500 for want of a working webhook or store is worth another try; a schema
 * error has the same code and no reason. */
static enum sw_class
judge(int http, const char *reason, const char *message, bool is_status)
{
	switch (http) {
	case 401:
		return SW_LOGIN;
	case 403:
		/* a namespace so new that its account is not there yet */
		return strstr(message, "error looking up service account")
		    ? SW_RETRY
		    : SW_DENIED;
	case 404:
		return is_status ? SW_MISSING : SW_NO_KIND;
	case 409:
		return SW_CONFLICT;
	case 410:
		return SW_GONE;
	case 429:
	case 502:
	case 503:
	case 504:
		return SW_RETRY;
	case 500:
		return strcmp(reason, "InternalError") == 0 ||
			strcmp(reason, "ServerTimeout") == 0 || !is_status
		    ? SW_RETRY
		    : SW_REFUSED;
	default:
		return SW_REFUSED;
	}
}

static unsigned
read_retry_after(const char *header, const json_t *details)
{
	json_int_t in_body =
	    json_integer_value(json_object_get(details, "retryAfterSeconds"));
	uint64_t v = 0;

	if (header != NULL && fx_parse_u64(header, 0, 86400, &v) != FX_OK)
		v = 0;
	if (v == 0 && in_body > 0)
		v = (uint64_t)in_body;
	return v > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (unsigned)v;
}

void
status_read(struct sw_status *st, int http, const char *retry_after,
    const void *body, size_t n)
{
	struct fx_err ignored;
	auto_json json_t *j = NULL;
	const char *message = body;
	bool is_status;

	*st = (struct sw_status){ .http = http };
	if ((http >= 200 && http < 300) || http == 304) {
		st->what = SW_DONE;
		return;
	}
	if (n > 0 && ((const char *)body)[0] == '{')
		j = sw_json(body, n, &ignored);
	is_status = strcmp(sw_json_str(j, "kind"), "Status") == 0;
	if (is_status) {
		message = sw_json_str(j, "message");
		n = strlen(message);
	}
	set_message(st, message, n);
	if (st->message[0] == '\0')
		snprintf(st->message, sizeof(st->message), "HTTP status %d",
		    http);
	st->what =
	    judge(http, sw_json_str(j, "reason"), st->message, is_status);
	read_text(st, message, n);
	st->retry_after_s =
	    read_retry_after(retry_after, json_object_get(j, "details"));
}

int
status_code(enum sw_class what)
{
	static const int codes[] = {
		[SW_DONE] = FX_OK,
		[SW_RETRY] = FX_ERETRY,
		[SW_LOGIN] = FX_EDENIED,
		[SW_DENIED] = FX_EDENIED,
		[SW_MISSING] = FX_EUNKNOWN,
		[SW_NO_KIND] = FX_EUNKNOWN,
		[SW_CONFLICT] = FX_ECONFLICT,
		[SW_GONE] = FX_ECONFLICT,
		[SW_REFUSED] = FX_EFAIL,
	};

	return codes[what];
}
