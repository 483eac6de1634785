/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ssh.h"

#include <sys/socket.h>

#include "clock.h"
#include "ssh_session.h"
#include "str.h"
#include "text.h"

#define SSH_COMPLAINT_MAX 2048 /* bytes kept of what a command says */
/* Ending a command takes one round trip, or the session is given up. */
#define SSH_END_US (2 * CLK_SEC)

struct ssh {
	struct ssh_session session;
	LIBSSH2_CHANNEL *channel;
	struct buf complaint; /* the command's standard error */
};

int
ssh_lib_open(struct fx_err *err)
{
	if (libssh2_init(0) != 0)
		return fx_fail(err, FX_EFAIL, "libssh2 does not start");
	return FX_OK;
}

/* It may be stalled: nothing more is said on it. */
static void
drop(struct ssh *s)
{
	if (s->session.fd != -1)
		(void)shutdown(s->session.fd, SHUT_RDWR);
	if (s->channel != NULL)
		(void)libssh2_channel_free(s->channel);
	s->channel = NULL;
	ssh_session_drop(&s->session);
}

/* A file that is not there is an empty one; ssh does the same. */
static int
ssh_open(struct link *l, const struct buf *trust, size_t ntrust, void **at,
    struct fx_err *err)
{
	struct ssh *s = xcalloc(1, sizeof(*s));

	s->session.link = l;
	s->session.fd = -1;
	known_hosts_init(&s->session.known);
	buf_init(&s->complaint, SSH_COMPLAINT_MAX);
	*at = s;
	for (size_t i = 0; i < ntrust; i++)
		if (known_hosts_add(&s->session.known, buf_head(&trust[i]),
			buf_left(&trust[i])) != FX_OK)
			return fx_fail(err, FX_ELIMIT,
			    "known_hosts is larger than %u bytes",
			    KNOWN_HOSTS_MAX);
	return FX_OK;
}

static void
ssh_close(void *at)
{
	struct ssh *s = at;

	drop(s);
	known_hosts_clear(&s->session.known);
	buf_clear(&s->complaint);
	free(s);
}

static int
open_channel(struct ssh *s, const char *command, struct fx_err *err)
{
	int rc, r;

	while ((s->channel = libssh2_channel_open_session(s->session.lib)) ==
	    NULL) {
		if (libssh2_session_last_errno(s->session.lib) !=
		    LIBSSH2_ERROR_EAGAIN)
			return ssh_session_fail(&s->session, FX_EFAIL, err,
			    "open a channel");
		if ((r = ssh_session_wait(&s->session, err)) != FX_OK)
			return r;
	}
	r = SSH_UNTIL_DONE(&s->session, rc,
	    libssh2_channel_exec(s->channel, command), err);
	if (r == FX_OK && rc != 0)
		r = ssh_session_fail(&s->session, FX_EFAIL, err,
		    "start git on the server");
	return r;
}

static int
exec_git(struct ssh *s, const char *command, struct fx_err *err)
{
	bool kept = s->session.lib != NULL;
	int r;

	s->session.deadline_us = s->session.link->deadline_us;
	buf_reset(&s->complaint);
	if (kept) {
		struct fx_err old = { 0 };

		r = open_channel(s, command, &old);
		if (r == FX_OK)
			return FX_OK;
		/* the server closed it while nobody looked */
		drop(s);
		if (r == FX_ETIMEOUT || r == FX_ECANCELLED) {
			*err = old;
			return r;
		}
	}
	if ((r = ssh_session_open(&s->session, err)) != FX_OK ||
	    (r = open_channel(s, command, err)) != FX_OK)
		drop(s);
	return r;
}

/* ---- a command ---- */

/* Take what the command says on its standard error.  true: there was some. */
static bool
hear_complaint(struct ssh *s)
{
	char text[1024];
	ssize_t n = libssh2_channel_read_stderr(s->channel, text, sizeof(text));

	if (n <= 0)
		return false;
	/* what does not fit is not shown */
	if (buf_put(&s->complaint, text, (size_t)n) != FX_OK)
		return true;
	return true;
}

/* The output ended: how did the command? */
static int
judge_exit(struct ssh *s, struct fx_err *err)
{
	auto_free char *said = NULL;
	int rc, r, status;

	while (hear_complaint(s))
		;
	r = SSH_UNTIL_DONE(&s->session, rc,
	    libssh2_channel_wait_closed(s->channel), err);
	if (r != FX_OK)
		return r;
	status = libssh2_channel_get_exit_status(s->channel);
	if (rc == 0 && status == 0)
		return FX_OK;
	said = text_one_line((const char *)buf_head(&s->complaint),
	    buf_left(&s->complaint), SSH_COMPLAINT_MAX);
	if (*said != '\0')
		return fx_fail(err, FX_EFAIL, "%s", said);
	return fx_fail(err, FX_EFAIL, "exit status %d", status);
}

static int
ssh_read(void *at, void *p, size_t n, size_t *got, struct fx_err *err)
{
	struct ssh *s = at;
	ssize_t k;
	int r;

	*got = 0;
	if (s->channel == NULL)
		return fx_fail(err, FX_EFAIL, "ssh: not connected");
	for (;;) {
		/* in this order: reading one stream takes the other's packets
		 * off the socket too, and then nothing would wake us */
		while (hear_complaint(s))
			;
		k = libssh2_channel_read(s->channel, p, n);
		if (k > 0) {
			*got = (size_t)k;
			return FX_OK;
		}
		if (k < 0 && k != LIBSSH2_ERROR_EAGAIN)
			return ssh_session_fail(&s->session, FX_EFAIL, err,
			    "read");
		if (libssh2_channel_eof(s->channel))
			return judge_exit(s, err);
		if ((r = ssh_session_wait(&s->session, err)) != FX_OK)
			return r;
	}
}

static int
ssh_write(void *at, const void *data, size_t n, struct fx_err *err)
{
	struct ssh *s = at;
	const char *p = data;
	ssize_t k;
	int r;

	if (s->channel == NULL)
		return fx_fail(err, FX_EFAIL, "ssh: not connected");
	while (n != 0) {
		/* a server that talks while we do must not fill its window */
		while (hear_complaint(s))
			;
		k = libssh2_channel_write(s->channel, p, n);
		if (k > 0) {
			p += k;
			n -= (size_t)k;
			continue;
		}
		if (k < 0 && k != LIBSSH2_ERROR_EAGAIN)
			return ssh_session_fail(&s->session, FX_EFAIL, err,
			    "write");
		if (libssh2_channel_eof(s->channel))
			return fx_fail(err, FX_EFAIL,
			    "ssh: the server ended the command");
		if ((r = ssh_session_wait(&s->session, err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

/* Say that we are done and let the command end by itself. */
static int
end_channel(struct ssh *s, struct fx_err *err)
{
	char rest[4096];
	ssize_t k;
	int rc, r;

	r = SSH_UNTIL_DONE(&s->session, rc,
	    libssh2_channel_send_eof(s->channel), err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	while (!libssh2_channel_eof(s->channel)) {
		while (hear_complaint(s))
			;
		k = libssh2_channel_read(s->channel, rest, sizeof(rest));
		if (k < 0 && k != LIBSSH2_ERROR_EAGAIN)
			return FX_EFAIL;
		if (k <= 0 && !libssh2_channel_eof(s->channel) &&
		    (r = ssh_session_wait(&s->session, err)) != FX_OK)
			return r;
	}
	r = SSH_UNTIL_DONE(&s->session, rc, libssh2_channel_close(s->channel),
	    err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	r = SSH_UNTIL_DONE(&s->session, rc,
	    libssh2_channel_wait_closed(s->channel), err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	r = SSH_UNTIL_DONE(&s->session, rc, libssh2_channel_free(s->channel),
	    err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	s->channel = NULL;
	return FX_OK;
}

static void
ssh_done(void *at)
{
	struct ssh *s = at;
	struct fx_err unwanted = { 0 };

	if (s->channel == NULL)
		return;
	/* and an operation that is out of time has none for this either */
	s->session.deadline_us = clk_now_us() + SSH_END_US;
	if (s->session.deadline_us > s->session.link->deadline_us)
		s->session.deadline_us = s->session.link->deadline_us;
	if (end_channel(s, &unwanted) != FX_OK)
		drop(s);
}

/* Append the path quoted for the shell that reads the command. */
static void
quote(struct buf *b, const char *path)
{
	int r = str_addc(b, '\'');

	for (; *path != '\0' && r == FX_OK; path++)
		r = *path == '\'' || *path == '!' ? str_addf(b, "'\\%c'", *path)
						  : str_addc(b, *path);
	if (r == FX_OK)
		r = str_addc(b, '\'');
	if (r != FX_OK)
		fx_bug("ssh: a path of at most %d bytes was too long",
		    GIT_URL_MAX);
}

static int
ssh_refs(void *at, const char *service, struct fx_err *err)
{
	struct ssh *s = at;
	struct buf b = BUF_INIT(5 * GIT_URL_MAX);
	auto_free char *command = NULL;

	if (str_addf(&b, "%s ", service) != FX_OK)
		fx_bug("ssh: %s is too long", service);
	quote(&b, s->session.link->url.path);
	command = str_take(&b);
	return exec_git(s, command, err);
}

const struct transport_carrier ssh_carrier = {
	.kinds = TRANSPORT_KIND(GIT_URL_SSH),
	.rpc = false,
	.open = ssh_open,
	.close = ssh_close,
	.refs = ssh_refs,
	.read = ssh_read,
	.write = ssh_write,
	.done = ssh_done,
};
