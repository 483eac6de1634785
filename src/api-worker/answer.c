/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "answer.h"

#include "jsonw.h"
#include "quote.h"
#include "str.h"
#include "target.h"

#define TEXT_MAX (64 * 1024) /* of a help text */

void
answer_init(struct answer *a)
{
	*a = (struct answer){ 0 };
	buf_init(&a->body, ANSWER_MAX);
}

void
answer_clear(struct answer *a)
{
	free(a->location);
	buf_clear(&a->body);
	answer_init(a);
}

/* Whatever was written before is forgotten. */
static void
begin(struct answer *a, unsigned status, const char *type)
{
	bool close = a->close, rpc = a->rpc;

	answer_clear(a);
	a->status = status;
	a->type = type;
	a->close = close;
	a->rpc = rpc;
}

struct buf *
answer_json(struct answer *a)
{
	begin(a, 200, ANSWER_JSON);
	return &a->body;
}

void
answer_empty(struct answer *a, unsigned status)
{
	begin(a, status, NULL);
}

void
answer_text(struct answer *a, unsigned status, const char *text)
{
	begin(a, status, ANSWER_TEXT);
	str_add(&a->body, text);
}

static void
add_html(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			str_add(out, "&amp;");
			break;
		case '<':
			str_add(out, "&lt;");
			break;
		case '>':
			str_add(out, "&gt;");
			break;
		case '"':
			str_add(out, "&#34;");
			break;
		case '\'':
			str_add(out, "&#39;");
			break;
		default:
			str_addc(out, *s);
		}
}

void
answer_redirect(struct answer *a, const char *path, const char *query,
    bool with_body)
{
	struct buf to = BUF_INIT(ANSWER_MAX);

	begin(a, 301, with_body ? "text/html; charset=utf-8" : NULL);
	target_escape_path(&to, path);
	if (query != NULL && *query != '\0')
		str_addf(&to, "?%s", query);
	a->location = str_take(&to);
	if (!with_body)
		return;
	str_add(&a->body, "<a href=\"");
	add_html(&a->body, a->location);
	str_add(&a->body, "\">Moved Permanently</a>.\n\n");
}

void
answer_no_page(struct answer *a)
{
	answer_text(a, 404, "404 page not found\n");
	a->nosniff = true;
}

/* ---- negotiation -------------------------------------------------------- */

static size_t
token_len(const char *s)
{
	return strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "!#$%&'*+-.^_`|~/");
}

static const char *
skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* A quality in thousandths, as the library upstream uses reads it; negative
 * if it is none. */
static long
parse_quality(const char **s)
{
	long q, weight = 1000;

	if (**s != '0' && **s != '1')
		return -1;
	q = **s == '1' ? 1000 : 0;
	if (*++*s != '.')
		return q;
	for (++*s; **s >= '0' && **s <= '9'; ++*s) {
		weight /= 10;
		q += (**s - '0') * weight;
	}
	return q;
}

/* One element and its quality; false: the rest of the line is not read. */
static bool
next_accept(const char **s, const char **value, size_t *n, long *q)
{
	*value = *s;
	*n = token_len(*s);
	*q = 1000;
	*s = skip_space(*s + *n);
	if (*n == 0)
		return false;
	if (**s == ';') {
		*s = skip_space(*s + 1);
		while (!str_starts(*s, "q=") && **s != '\0' && **s != ',' &&
		    **s != '\n')
			*s = skip_space(*s + 1);
		if (str_starts(*s, "q=")) {
			*s += 2;
			*q = parse_quality(s);
		}
	}
	return *q >= 0;
}

static bool
is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(s, word, n) == 0;
}

enum answer_form
answer_negotiate(const char *accept)
{
	long json = -1, text = -1;
	bool any = false;

	/* no header, or the first of them is empty */
	if (accept == NULL || *accept == '\0' || *accept == '\n')
		return FORM_SHORT;
	for (const char *s = accept;;) {
		const char *value;
		size_t n;
		long q;
		bool more = next_accept(&s, &value, &n, &q);

		if (more) {
			any = true;
			if (is_word(value, n, "application/json") && q > json)
				json = q;
			if (is_word(value, n, "text/plain") && q > text)
				text = q;
			s = skip_space(s);
		}
		if (more && *s == ',') {
			s = skip_space(s + 1);
		} else if ((s = strchr(s, '\n')) != NULL) {
			s++;
		} else {
			break;
		}
	}
	if (!any || (json >= 0 && json >= text))
		return FORM_JSON;
	return text >= 0 ? FORM_HELP : FORM_SHORT;
}

/* ---- errors ------------------------------------------------------------- */

struct error {
	unsigned status;
	const char *kind; /* "user", "missing", "server" */
	const char *text;
	const char *help;
	bool bare;  /* upstream gives it no shape: the short text as plain */
	bool plain; /* the same, but where it is for HTTP */
};

static enum answer_form
form_of(const struct answer *a, const char *accept, const struct error *e)
{
	if (a->rpc)
		return e->bare || e->plain ? FORM_SHORT : FORM_JSON;
	return answer_negotiate(accept);
}

static void
answer_error(struct answer *a, const char *accept, const struct error *e)
{
	enum answer_form form = form_of(a, accept, e);

	begin(a, e->status, form == FORM_JSON ? ANSWER_JSON : ANSWER_TEXT);
	if (form != FORM_JSON) {
		str_add(&a->body,
		    form == FORM_HELP && !e->bare ? e->help : e->text);
		return;
	}
	str_addc(&a->body, '{');
	jw_member(&a->body, "type", e->kind);
	str_addc(&a->body, ',');
	jw_member(&a->body, "help", e->help);
	if (*e->text != '\0') {
		str_addc(&a->body, ',');
		jw_member(&a->body, "error", e->text);
	}
	str_addc(&a->body, '}');
}

void
answer_no_route(struct answer *a, const char *accept, const char *path)
{
	auto_free char *help = xasprintf(
	    "The API endpoint requested is not supported by this server.\n\n"
	    "This indicates that your client (probably fluxctl) is either out "
	    "of\ndate, or faulty.  Please use a fluxctl of the same release "
	    "as the\ndaemon.\n\nThe path requested was:\n\n    %s\n",
	    path);
	const struct error e = { 404, "missing", "API endpoint not found", help,
		false, false };

	answer_error(a, accept, &e);
}

void
answer_deprecated(struct answer *a, const char *accept)
{
	const struct error e = { 410, "missing", "API endpoint deprecated",
		"The API endpoint requested appears to have been deprecated.\n"
		"\nThis indicates your client (fluxctl) needs to be updated: "
		"please use\none of the same release as the daemon.\n",
		false, false };

	answer_error(a, accept, &e);
}

void
answer_no_job(struct answer *a, const char *accept, const char *id)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	auto_free char *text = NULL;

	str_add(&b, "unknown job ");
	str_add_quoted(&b, id, strlen(id));
	text = str_take(&b);
	const struct error e = { 404, "missing", text,
		"Job not found\n\n"
		"This is often because the job did not result in committing "
		"changes,\nand therefore had no lasting effect.  A release "
		"dry run is an example\nof a job that does not result in a "
		"commit.\n\nIf you were expecting changes to be committed, "
		"this may mean that the\njob failed, but its status was "
		"lost.\n\nIn both of these cases it is OK to retry the "
		"operation that resulted in\nthis error.\n",
		false, false };

	answer_error(a, accept, &e);
}

void
answer_unauthorized(struct answer *a, const char *accept)
{
	const struct error e = { 401, "user", "authentication failed",
		"The request failed authentication\n\n"
		"This daemon wants a token, and the one that was sent, if "
		"any, is not\nits.  fluxctl takes it from FLUX_SERVICE_TOKEN "
		"or --token.\n",
		false, false };

	answer_error(a, accept, &e);
	a->challenge = true;
}

/* The help is the text with something around it. */
static void
answer_said(struct answer *a, const char *accept, struct error e,
    const char *before, const char *after)
{
	auto_free char *help = xasprintf("%s%s%s", before, e.text, after);

	e.help = help;
	answer_error(a, accept, &e);
}

void
answer_no_manifests(struct answer *a, const char *accept, const char *text)
{
	answer_said(a, accept,
	    (struct error){ .status = 422, .kind = "user", .text = text },
	    "The manifests in the git repository could not be read.\n\n"
	    "The error was:\n\n    ",
	    "\n\n"
	    "Please check files and directories that the daemon reads: it "
	    "does not\nguess at what a file it cannot read would have "
	    "said.\n");
}

void
answer_bad_request(struct answer *a, const char *accept, const char *text)
{
	answer_said(a, accept,
	    (struct error){ .status = 400,
		.kind = "user",
		.text = text,
		.bare = true },
	    "", "\n");
}

void
answer_failed(struct answer *a, const char *accept, const char *text)
{
	answer_said(a, accept,
	    (struct error){ .status = 422,
		.kind = "user",
		.text = text,
		.plain = true },
	    "Error: ",
	    "\n\n"
	    "We don't have a specific help message for the error above.\n\n"
	    "It would help us remedy this if you reported it together with "
	    "what you\nwere doing when you saw it, and the log of the "
	    "daemon.\n");
}

void
answer_unsupported(struct answer *a, const char *accept, const char *text)
{
	answer_said(a, accept,
	    (struct error){ .status = 422, .kind = "user", .text = text },
	    "Error: ",
	    "\n\n"
	    "The request was understood, and nothing was changed: this "
	    "version of the\ndaemon cannot do that.  Until one can, edit the "
	    "manifests in the git\nrepository.\n");
}

void
answer_trouble(struct answer *a, const char *accept, unsigned status,
    const char *text)
{
	answer_said(a, accept,
	    (struct error){ .status = status,
		.kind = "server",
		.text = text,
		.plain = true },
	    "Error: ", "\n");
}
