/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "token.h"

#include <strings.h>

#include "fd.h"
#include "log.h"

#define FILE_MAX (2 * TOKEN_MAX) /* with white space around it */

/* As fluxctl sends it, and as everybody else does. */
static const char *const schemes[] = { "Scope-Probe token=", "Bearer " };

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A token is one word that can stand in a header. */
static int
take_text(struct token *t, const uint8_t *p, size_t n, struct fx_err *err)
{
	while (n != 0 && is_space(p[n - 1]))
		n--;
	for (; n != 0 && is_space(*p); p++)
		n--;
	if (n < TOKEN_MIN || n > TOKEN_MAX)
		return fx_fail(err, FX_ESYNTAX,
		    "the token has not between %d and %d characters", TOKEN_MIN,
		    TOKEN_MAX);
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return fx_fail(err, FX_ESYNTAX,
			    "the token is not one word of ASCII");
	explicit_bzero(t->text, sizeof(t->text));
	memcpy(t->text, p, n);
	t->known = true;
	return FX_OK;
}

static void
complain(const struct token *t, const char *why)
{
	log_at(LVL_ERROR, KS("component", "api"),
	    KS("err", "the file of --listen-token-file cannot be used"),
	    KS("why", why),
	    KS("info",
		t->known ? "the token that was read before still counts"
			 : "nobody is let in"));
}

static void
read_file(struct token *t, int fd)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct fx_err err = { 0 };

	if (worker_read_all(t->w, fd, &b) != FX_OK)
		complain(t, "the file is too large");
	else if (take_text(t, buf_head(&b), buf_left(&b), &err) != FX_OK)
		complain(t, err.text);
	buf_wipe(&b);
}

/* ---- from the master ---------------------------------------------------- */

int
token_take(struct token *t, struct ipc_frame *f)
{
	struct fx_err err = { 0 };
	struct ipc_reopened m;
	int rc;

	if (ipc_take_failed(f, &err) != FX_OK) {
		/* it was opened just now: what it says is known */
		if (err.code != FX_EAGAIN)
			complain(t, err.text);
		return FX_OK;
	}
	rc = ipc_reopened_decode(&f->body, &m, &f->fd);
	if (rc != FX_OK)
		return rc;
	if (m.fd != -1)
		read_file(t, m.fd);
	ipc_reopened_clear(&m);
	return FX_OK;
}

static int
on_reopened(void *arg, struct ipc_frame *f)
{
	return token_take(arg, f);
}

void
token_again(struct token *t)
{
	const struct ipc_reopen m = { .which = IPC_FILE_API_TOKEN };

	(void)ipc_ask_reopen(&t->w->master, &m, on_reopened, t);
	loop_timer_in(t->w->loop, &t->again, TOKEN_EVERY_US);
}

static void
on_again(struct loop *l, void *arg)
{
	(void)l;
	token_again(arg);
}

void
token_init(struct token *t, struct worker *w)
{
	auto_fd int fd = -1;

	*t = (struct token){ .w = w,
		.wanted = *w->cfg.listen_token_file != '\0',
		.again = { .fn = on_again, .arg = t } };
	if (!t->wanted)
		return;
	fd = worker_take_file(w, IPC_FILE_API_TOKEN);
	if (fd != -1)
		read_file(t, fd);
	else
		complain(t,
		    w->no_file[IPC_FILE_API_TOKEN] == NULL
			? "it was not given"
			: w->no_file[IPC_FILE_API_TOKEN]);
	loop_timer_in(w->loop, &t->again, TOKEN_EVERY_US);
}

void
token_clear(struct token *t)
{
	if (t->w != NULL)
		loop_timer_stop(t->w->loop, &t->again);
	explicit_bzero(t->text, sizeof(t->text));
	t->known = false;
}

/* ---- from a client ------------------------------------------------------ */

/* Every byte is looked at, wherever the first difference is. */
static bool
is_same(const uint8_t text[TOKEN_MAX], const char *shown, size_t n)
{
	volatile uint8_t other = 0;

	for (size_t i = 0; i < TOKEN_MAX; i++)
		other |= text[i] ^ (i < n ? (uint8_t)shown[i] : 0);
	return other == 0;
}

bool
token_fits(const struct token *t, const char *authorization)
{
	if (!t->known || authorization == NULL)
		return false;
	for (size_t i = 0; i < nitems(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncasecmp(authorization, schemes[i], n) == 0) {
			const char *shown = authorization + n;

			n = strlen(shown);
			return n <= TOKEN_MAX && is_same(t->text, shown, n);
		}
	}
	return false;
}
