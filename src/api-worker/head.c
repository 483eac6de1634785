/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "head.h"

#include <strings.h>

#include "str.h"

/* Libraries before this one do not refuse folded lines and bare line feeds at
 * any level of strictness. */
#define MHD_STRICT_VERSION 0x00097701

#define TOKEN_CHARS                                                            \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"!#$%&'*+-.^_`|~"

struct reading {
	struct head *out;
	struct buf accept;
	bool has_accept;
	unsigned hosts, lengths, codings;
	const char *at;	 /* where the next line must begin */
	const char *why; /* refused; NULL: not yet */
};

static bool
is_token(const char *s, size_t n)
{
	return n != 0 && strlen(s) == n && strspn(s, TOKEN_CHARS) == n;
}

static bool
has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') ||
		    s[i] == 0x7f)
			return true;
	return false;
}

/*
 * An old library takes lines apart where they lie, with a zero in place of
 * each byte of a CRLF and of a colon.  A line that was folded, or that a bare
 * line feed or a zero of the client's ends, is therefore not followed by the
 * next one at the distance that its name and value make.
 */
static bool
in_place(struct reading *rd, const char *name, size_t nname, const char *value,
    size_t nvalue)
{
	const char *v = name + nname + 1;

	if (MHD_VERSION >= MHD_STRICT_VERSION)
		return true;
	if (name != rd->at)
		return false;
	while (*v == ' ' || *v == '\t')
		v++;
	rd->at = value + nvalue + 2;
	return v == value;
}

static void
take_length(struct reading *rd, const char *value)
{
	struct head *h = rd->out;

	rd->lengths++;
	if (value[strspn(value, "0123456789")] != '\0' || *value == '\0')
		rd->why = "Content-Length is not a number";
	else if (strlen(value) > 18)
		h->length = UINT64_MAX; /* too large in any case */
	else
		h->length = strtoull(value, NULL, 10);
}

static void
take_field(struct reading *rd, const char *name, const char *value)
{
	struct head *h = rd->out;

	if (strcasecmp(name, "Host") == 0) {
		rd->hosts++;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		take_length(rd, value);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		rd->codings++;
		if (strcasecmp(value, "chunked") != 0)
			rd->why = "this Transfer-Encoding is not supported";
	} else if (strcasecmp(name, "Upgrade") == 0) {
		rd->why = "upgrades are not supported";
	} else if (strcasecmp(name, "Content-Type") == 0) {
		h->form = strncasecmp(value,
			      "application/x-www-form-urlencoded", 33) == 0;
	} else if (strcasecmp(name, "Accept") == 0) {
		str_addf(&rd->accept, "%s%s", rd->has_accept ? "\n" : "",
		    value);
		rd->has_accept = true;
	}
}

static enum MHD_Result
on_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t nname,
    const char *value, size_t nvalue)
{
	struct reading *rd = arg;

	(void)kind;
	if (value == NULL)
		value = "";
	if (!is_token(name, nname) || strlen(value) != nvalue ||
	    has_control(value, nvalue) ||
	    !in_place(rd, name, nname, value, nvalue))
		rd->why = "malformed header line";
	else
		take_field(rd, name, value);
	return rd->why == NULL ? MHD_YES : MHD_NO;
}

static const char *
check_framing(const struct reading *rd, const char *version)
{
	bool http_1_1 = strcmp(version, "HTTP/1.1") == 0;

	if (!http_1_1 && strcmp(version, "HTTP/1.0") != 0)
		return "this version of HTTP is not supported";
	if (rd->hosts > 1 || (rd->hosts == 0 && http_1_1))
		return "exactly one Host is needed";
	if (rd->lengths > 1 || rd->codings > 1 ||
	    (rd->lengths != 0 && rd->codings != 0))
		return "more than one length of the body";
	if (rd->codings != 0 && !http_1_1)
		return "Transfer-Encoding needs HTTP/1.1";
	return NULL;
}

/* The empty line ends the header, and everything was accounted for. */
static bool
ends_in_place(struct MHD_Connection *c, const char *method, const char *at)
{
	const union MHD_ConnectionInfo *info;

	if (MHD_VERSION >= MHD_STRICT_VERSION)
		return true;
	info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info != NULL && at + 2 == method + info->header_size;
}

int
head_check(struct MHD_Connection *c, const char *method, const char *url,
    const char *target, const char *version, struct head *out,
    struct fx_err *err)
{
	struct reading rd = {
		.out = out,
		.accept = BUF_INIT(HEAD_MAX),
		.at = version + strlen(version) + 2,
	};

	*out = (struct head){ 0 };
	if (MHD_VERSION < MHD_STRICT_VERSION &&
	    (url != method + strlen(method) + 1 ||
		version != url + strlen(target) + 1))
		rd.why = "malformed request line";
	else if (!is_token(method, strlen(method)))
		rd.why = "malformed method";
	else
		(void)MHD_get_connection_values_n(c, MHD_HEADER_KIND, on_field,
		    &rd);
	if (rd.why == NULL && !ends_in_place(c, method, rd.at))
		rd.why = "malformed header";
	if (rd.why == NULL)
		rd.why = check_framing(&rd, version);
	if (rd.has_accept)
		out->accept = str_take(&rd.accept);
	return rd.why == NULL ? FX_OK : fx_fail(err, FX_ESYNTAX, "%s", rd.why);
}

void
head_clear(struct head *h)
{
	free(h->accept);
	*h = (struct head){ 0 };
}
