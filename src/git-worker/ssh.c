/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ssh.h"

#include <errno.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "str.h"
#include "text.h"

/* What is offered, best first; libssh2 leaves out what it does not have.  No
 * SHA-1, no CBC, no groups under 2048 bits. */
#define KEX_ALGORITHMS                                                         \
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"   \
	"ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512," \
	"diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,"  \
	"diffie-hellman-group14-sha256"
#define HOST_KEY_ALGORITHMS                                                    \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"                 \
	"ecdsa-sha2-nistp521," RSA_ALGORITHMS
#define RSA_ALGORITHMS "rsa-sha2-512,rsa-sha2-256"
#define CIPHERS                                                                \
	"chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"                \
	"aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define MACS                                                                   \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"         \
	"hmac-sha2-256,hmac-sha2-512"

#define SSH_BLOB_MAX 4096      /* bytes of the deploy key's public half */
#define SSH_SIGNATURE_MAX 4096 /* bytes of a signature */
#define SSH_COMPLAINT_MAX 2048 /* bytes kept of what a command says */
/* Waiting is cut into slices, after which both streams of the channel are
 * looked at again: a server that fills one of them must not block the other. */
#define SSH_SLICE_US CLK_SEC
/* Ending a command takes one round trip, or the session is given up. */
#define SSH_END_US (2 * CLK_SEC)

struct ssh {
	struct link *link; /* not owned */
	int fd;		   /* -1: not connected */
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	struct buf complaint; /* the command's standard error */
	int64_t deadline_us;
	struct fx_err sign_err; /* why there is no signature */
};

int
ssh_lib_open(struct fx_err *err)
{
	if (libssh2_init(0) != 0)
		return fx_fail(err, FX_EFAIL, "libssh2 does not start");
	return FX_OK;
}

struct ssh *
ssh_new(struct link *l)
{
	struct ssh *s = xcalloc(1, sizeof(*s));

	s->link = l;
	s->fd = -1;
	buf_init(&s->complaint, SSH_COMPLAINT_MAX);
	return s;
}

/* Give the session up without a word: it may be stalled. */
static void
drop(struct ssh *s)
{
	if (s->fd != -1)
		(void)shutdown(s->fd, SHUT_RDWR);
	if (s->channel != NULL)
		(void)libssh2_channel_free(s->channel);
	if (s->session != NULL)
		(void)libssh2_session_free(s->session);
	s->channel = NULL;
	s->session = NULL;
	fd_close(&s->fd);
}

void
ssh_free(struct ssh **sp)
{
	struct ssh *s = fx_steal(sp);

	if (s == NULL)
		return;
	drop(s);
	buf_clear(&s->complaint);
	free(s);
}

/* ---- waiting ---- */

static int
fail_time(const struct ssh *s, struct fx_err *err)
{
	return fx_fail(err, FX_ETIMEOUT,
	    "ssh: no answer from %s within the time limit", s->link->url.host);
}

/* libssh2 goes on as long as there is something to read: a server that never
 * ends its banner must not keep us beyond the deadline. */
static ssize_t
on_receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract)
{
	const struct ssh *s = *abstract;
	ssize_t k;

	if (s->deadline_us <= clk_now_us())
		return -ETIMEDOUT;
	k = recv(fd, p, n, flags);
	return k == -1 ? -errno : k;
}

static void
set_receive(struct ssh *s)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(s->session, LIBSSH2_CALLBACK_RECV,
	    (libssh2_cb_generic *)on_receive);
#else
	(void)libssh2_session_callback_set(s->session, LIBSSH2_CALLBACK_RECV,
	    (void *)on_receive);
#endif
}

/* Until the socket is ready for what libssh2 wants to do. */
static int
wait_io(struct ssh *s, struct fx_err *err)
{
	int dir = libssh2_session_block_directions(s->session), one = 1;
	struct pollfd p = { .fd = s->fd };
	int64_t left = s->deadline_us - clk_now_us();

	if (left <= 0)
		return fail_time(s, err);
	if (left > SSH_SLICE_US)
		left = SSH_SLICE_US;
	if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		p.events |= POLLOUT;
	if ((dir & LIBSSH2_SESSION_BLOCK_INBOUND) || dir == 0)
		p.events |= POLLIN;
	/* else our delayed acknowledgement waits for the server's Nagle, 40 ms
	 * at every turn */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
	if (poll(&p, 1, (int)((left + CLK_MS - 1) / CLK_MS)) == -1 &&
	    errno != EINTR)
		return fx_fail(err, FX_ESYS, "ssh: poll: %s", strerror(errno));
	return FX_OK;
}

static int
lib_fail(struct ssh *s, int code, struct fx_err *err, const char *what)
{
	struct buf b = BUF_INIT(4096);
	auto_free char *shown = NULL;
	char *text = NULL;
	int n = 0;

	if (s->deadline_us <= clk_now_us())
		return fail_time(s, err);
	(void)libssh2_session_last_error(s->session, &text, &n, 0);
	if (text != NULL && n > 0)
		str_printable(&b, text, (size_t)n, 512);
	shown = str_take(&b);
	return fx_fail(err, code, "ssh: %s: %s", what, shown);
}

/* Repeat a libssh2 call until it is done; rc has its result. */
#define UNTIL_DONE(s, rc, call, err)                                           \
	({                                                                     \
		int done_ = FX_OK;                                             \
		while (((rc) = (call)) == LIBSSH2_ERROR_EAGAIN &&              \
		    (done_ = wait_io((s), (err))) == FX_OK)                    \
			;                                                      \
		done_;                                                         \
	})

/* ---- the host's key ---- */

/* Host key algorithms for the keys we know of this host: asked for another
 * type, a server would show a key that looks like a changed one. */
static char *
host_key_algorithms(const struct link *l)
{
	auto_buf struct buf types = BUF_INIT(4096);
	struct buf out = BUF_INIT(8192);
	auto_free char *list = NULL;

	known_hosts_types(&l->known, l->url.host, l->url.port, &types);
	list = str_take(&types);
	for (char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");
		bool rsa = n == 7 && memcmp(p, "ssh-rsa", 7) == 0;

		if (str_addf(&out, "%s%.*s", buf_left(&out) == 0 ? "" : ",",
			rsa ? (int)strlen(RSA_ALGORITHMS) : (int)n,
			rsa ? RSA_ALGORITHMS : p) != FX_OK)
			break;
		p += n;
		p += *p == ',';
	}
	if (buf_left(&out) == 0)
		(void)str_add(&out, HOST_KEY_ALGORITHMS);
	return str_take(&out);
}

/* The name of a key's type as ssh prints it: "ED25519". */
static const char *
type_name(const uint8_t *blob, size_t n)
{
	static const struct {
		const char *type, *name;
	} names[] = {
		{ "ssh-ed25519", "ED25519" },
		{ "ecdsa-sha2-nistp256", "ECDSA" },
		{ "ecdsa-sha2-nistp384", "ECDSA" },
		{ "ecdsa-sha2-nistp521", "ECDSA" },
		{ "ssh-rsa", "RSA" },
		{ "ssh-dss", "DSA" },
	};

	for (size_t i = 0; i < nitems(names); i++) {
		size_t len = strlen(names[i].type);

		if (n >= 4 + len && blob[3] == len &&
		    memcmp(blob + 4, names[i].type, len) == 0)
			return names[i].name;
	}
	return "unknown type of";
}

static char *
fingerprint(struct ssh *s)
{
	const char *h =
	    libssh2_hostkey_hash(s->session, LIBSSH2_HOSTKEY_HASH_SHA256);
	struct buf b = BUF_INIT(128);

	(void)str_add(&b, "SHA256:");
	if (h != NULL)
		str_add_base64(&b, (const uint8_t *)h, 32, false, false);
	return str_take(&b);
}

static char *
shown_host(const struct git_url *u)
{
	return u->port == 22 ? xstrdup(u->host)
			     : xasprintf("[%s]:%u", u->host, u->port);
}

static int
check_host_key(struct ssh *s, struct fx_err *err)
{
	const struct git_url *u = &s->link->url;
	auto_free char *host = shown_host(u), *print = NULL;
	size_t n = 0;
	int kind;
	const uint8_t *blob =
	    (const uint8_t *)libssh2_session_hostkey(s->session, &n, &kind);

	if (blob == NULL)
		return fx_fail(err, FX_EDENIED, "ssh: the server has no key");
	print = fingerprint(s);
	switch (known_hosts_check(&s->link->known, u->host, u->port, blob, n)) {
	case KNOWN_HOST_OK:
		return FX_OK;
	case KNOWN_HOST_UNKNOWN:
		return fx_fail(err, FX_EDENIED,
		    "No %s host key is known for %s and you have requested "
		    "strict checking.\nThe server's key is %s.\n"
		    "Host key verification failed.",
		    type_name(blob, n), host, print);
	case KNOWN_HOST_CHANGED:
		return fx_fail(err, FX_EDENIED,
		    "REMOTE HOST IDENTIFICATION HAS CHANGED!\n"
		    "The fingerprint for the %s key sent by the remote host "
		    "%s is\n%s.\nHost key verification failed.",
		    type_name(blob, n), host, print);
	case KNOWN_HOST_REVOKED:
		break;
	}
	return fx_fail(err, FX_EDENIED,
	    "The %s host key for %s is marked as revoked.\n"
	    "The server's key is %s.\nHost key verification failed.",
	    type_name(blob, n), host, print);
}

/* ---- a session ---- */

/* Those of a list that this libssh2 has: given the others, it takes them out
 * by a memcpy onto itself. */
static char *
known_algorithms(struct ssh *s, int method, const char *list)
{
	struct buf out = BUF_INIT(8192);
	const char **have = NULL;
	int count = libssh2_session_supported_algs(s->session, method, &have);

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		for (int i = 0; i < count; i++)
			if (strlen(have[i]) == n &&
			    memcmp(have[i], list, n) == 0 &&
			    str_addf(&out, "%s%s",
				buf_left(&out) == 0 ? "" : ",",
				have[i]) != FX_OK)
				break; /* as many as there is room for */
		list += n;
		list += *list == ',';
	}
	if (count > 0)
		libssh2_free(s->session, have);
	return str_take(&out);
}

static int
set_algorithms(struct ssh *s, struct fx_err *err)
{
	auto_free char *host_keys = host_key_algorithms(s->link);
	const struct {
		int method;
		const char *list;
	} prefs[] = {
		{ LIBSSH2_METHOD_KEX, KEX_ALGORITHMS },
		{ LIBSSH2_METHOD_CRYPT_CS, CIPHERS },
		{ LIBSSH2_METHOD_CRYPT_SC, CIPHERS },
		{ LIBSSH2_METHOD_MAC_CS, MACS },
		{ LIBSSH2_METHOD_MAC_SC, MACS },
		{ LIBSSH2_METHOD_HOSTKEY, host_keys },
	};

	for (size_t i = 0; i < nitems(prefs); i++) {
		auto_free char *known =
		    known_algorithms(s, prefs[i].method, prefs[i].list);

		if (*known == '\0' ||
		    libssh2_session_method_pref(s->session, prefs[i].method,
			known) != 0)
			return fx_fail(err, FX_EDENIED,
			    "ssh: libssh2 %s can do none of %s%s",
			    libssh2_version(0), prefs[i].list,
			    prefs[i].method == LIBSSH2_METHOD_HOSTKEY
				? ": known_hosts needs another type of key "
				  "for this host"
				: "");
	}
	return FX_OK;
}

static int
handshake(struct ssh *s, struct fx_err *err)
{
	int rc, r;

	r = UNTIL_DONE(s, rc, libssh2_session_handshake(s->session, s->fd),
	    err);
	if (r != FX_OK)
		return r;
	switch (rc) {
	case 0:
		return FX_OK;
	case LIBSSH2_ERROR_KEX_FAILURE:
	case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
	case LIBSSH2_ERROR_METHOD_NONE:
	case LIBSSH2_ERROR_HOSTKEY_INIT:
		return lib_fail(s, FX_EDENIED, err,
		    "no algorithm that is allowed here and that the server "
		    "offers, or the exchange of keys failed");
	default:
		return lib_fail(s, FX_EFAIL, err, "connection");
	}
}

static int
on_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
    const unsigned char *data, size_t n, void **abstract)
{
	struct ssh *s = *abstract;
	auto_buf struct buf out = BUF_INIT(SSH_SIGNATURE_MAX);

	(void)session;
	if (s->link->calls.sign(s->link->calls.arg, data, n, &out,
		&s->sign_err) != FX_OK)
		return -1;
	/* libssh2 frees it with its default allocator */
	*sig_len = buf_left(&out);
	*sig = malloc(*sig_len);
	if (*sig == NULL)
		return -1;
	memcpy(*sig, buf_head(&out), *sig_len);
	return 0;
}

static int
authenticate(struct ssh *s, struct fx_err *err)
{
	auto_buf struct buf blob = BUF_INIT(SSH_BLOB_MAX);
	struct link *l = s->link;
	void *abstract = s;
	int rc, r;

	if ((r = l->calls.public_key(l->calls.arg, &blob, err)) != FX_OK)
		return r;
	if (strcmp(type_name(buf_head(&blob), buf_left(&blob)), "RSA") == 0 &&
	    libssh2_version(0x010b00) == NULL)
		return fx_fail(err, FX_EDENIED,
		    "the deploy key is an RSA key, and libssh2 %s can sign "
		    "with it only by SHA-1, which git servers refuse: use an "
		    "ed25519 key, or libssh2 1.11 or later",
		    libssh2_version(0));
	s->sign_err = (struct fx_err){ 0 };
	r = UNTIL_DONE(s, rc,
	    libssh2_userauth_publickey(s->session, l->url.user, buf_head(&blob),
		buf_left(&blob), on_sign, &abstract),
	    err);
	if (r != FX_OK)
		return r;
	if (s->sign_err.code != FX_OK) {
		*err = s->sign_err;
		return fx_wrap(err, "sign with the deploy key");
	}
	switch (rc) {
	case 0:
		return FX_OK;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
		return fx_fail(err, FX_EDENIED,
		    "%s@%s: Permission denied (publickey).", l->url.user,
		    l->url.host);
	default:
		return lib_fail(s, FX_EFAIL, err, "authentication");
	}
}

static int
open_session(struct ssh *s, struct fx_err *err)
{
	struct link *l = s->link;
	auto_free char *address = NULL;
	int r;

	r = l->calls.connect(l->calls.arg, l->url.host, l->url.port,
	    s->deadline_us - clk_now_us(), &s->fd, &address, err);
	if (r != FX_OK)
		return r;
	s->session = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->session == NULL)
		return fx_fail(err, FX_EFAIL, "ssh: no memory");
	libssh2_session_set_blocking(s->session, 0);
	set_receive(s);
	if ((r = set_algorithms(s, err)) != FX_OK ||
	    (r = handshake(s, err)) != FX_OK ||
	    (r = check_host_key(s, err)) != FX_OK)
		return r;
	return authenticate(s, err);
}

static int
open_channel(struct ssh *s, const char *command, struct fx_err *err)
{
	int rc, r;

	while (
	    (s->channel = libssh2_channel_open_session(s->session)) == NULL) {
		if (libssh2_session_last_errno(s->session) !=
		    LIBSSH2_ERROR_EAGAIN)
			return lib_fail(s, FX_EFAIL, err, "open a channel");
		if ((r = wait_io(s, err)) != FX_OK)
			return r;
	}
	r = UNTIL_DONE(s, rc, libssh2_channel_exec(s->channel, command), err);
	if (r == FX_OK && rc != 0)
		r = lib_fail(s, FX_EFAIL, err, "start git on the server");
	return r;
}

static int
exec_git(struct ssh *s, const char *command, struct fx_err *err)
{
	bool kept = s->session != NULL;
	int r;

	s->deadline_us = s->link->deadline_us;
	buf_reset(&s->complaint);
	if (kept) {
		struct fx_err old = { 0 };

		r = open_channel(s, command, &old);
		if (r == FX_OK)
			return FX_OK;
		/* the server closed it while nobody looked */
		drop(s);
		if (r == FX_ETIMEOUT) {
			*err = old;
			return r;
		}
	}
	if ((r = open_session(s, err)) != FX_OK ||
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
	r = UNTIL_DONE(s, rc, libssh2_channel_wait_closed(s->channel), err);
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
			return lib_fail(s, FX_EFAIL, err, "read");
		if (libssh2_channel_eof(s->channel))
			return judge_exit(s, err);
		if ((r = wait_io(s, err)) != FX_OK)
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
			return lib_fail(s, FX_EFAIL, err, "write");
		if (libssh2_channel_eof(s->channel))
			return fx_fail(err, FX_EFAIL,
			    "ssh: the server ended the command");
		if ((r = wait_io(s, err)) != FX_OK)
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

	r = UNTIL_DONE(s, rc, libssh2_channel_send_eof(s->channel), err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	while (!libssh2_channel_eof(s->channel)) {
		while (hear_complaint(s))
			;
		k = libssh2_channel_read(s->channel, rest, sizeof(rest));
		if (k < 0 && k != LIBSSH2_ERROR_EAGAIN)
			return FX_EFAIL;
		if (k <= 0 && !libssh2_channel_eof(s->channel) &&
		    (r = wait_io(s, err)) != FX_OK)
			return r;
	}
	r = UNTIL_DONE(s, rc, libssh2_channel_close(s->channel), err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	r = UNTIL_DONE(s, rc, libssh2_channel_wait_closed(s->channel), err);
	if (r != FX_OK || rc != 0)
		return FX_EFAIL;
	r = UNTIL_DONE(s, rc, libssh2_channel_free(s->channel), err);
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
	s->deadline_us = clk_now_us() + SSH_END_US;
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
	quote(&b, s->link->url.path);
	command = str_take(&b);
	return exec_git(s, command, err);
}

const struct transport_carrier ssh_carrier = {
	.rpc = false,
	.refs = ssh_refs,
	.read = ssh_read,
	.write = ssh_write,
	.done = ssh_done,
};
