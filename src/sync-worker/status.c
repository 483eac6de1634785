/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "status.h"

#include "json.h"
#include "str.h"

#include <stdio.h>

#define RETRY_AFTER_MAX_S 30

/* One line: white space of any kind becomes one blank, the rest is printable.
 */
static void
set_message(struct sw_status *st, const char *text, size_t n)
{
	auto_buf struct buf flat = BUF_INIT(2 * SW_MESSAGE_MAX);
	auto_buf struct buf out = BUF_INIT(8 * SW_MESSAGE_MAX);
	bool gap = false;

	for (size_t i = 0; i < n && buf_left(&flat) < SW_MESSAGE_MAX; i++) {
		char c = text[i];

		if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			gap = buf_left(&flat) > 0;
			continue;
		}
		if (gap)
			(void)str_addc(&flat, ' ');
		gap = false;
		(void)str_addc(&flat, c);
	}
	str_printable(&out, (const char *)buf_head(&flat), buf_left(&flat),
	    SW_MESSAGE_MAX - 8);
	snprintf(st->message, sizeof(st->message), "%.*s", (int)buf_left(&out),
	    (const char *)buf_head(&out));
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
