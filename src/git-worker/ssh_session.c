/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ssh_session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fd.h"
#include "str.h"

/* What is offered, best first; libssh2 leaves out what it does not have.  No
 * SHA-1, no CBC, no groups under 2048 bits. */
#define KEX_ALGORITHMS                                                         \
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"   \
	"ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512," \
	"diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,"  \
	"diffie-hellman-group14-sha256"
#define CIPHERS                                                                \
	"chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"                \
	"aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define MACS                                                                   \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"         \
	"hmac-sha2-256,hmac-sha2-512"

#define SSH_BLOB_MAX 4096      /* bytes of the deploy key's public half */
#define SSH_SIGNATURE_MAX 4096 /* bytes of a signature */

void
ssh_session_drop(struct ssh_session *s)
{
	if (s->fd != -1)
		(void)shutdown(s->fd, SHUT_RDWR);
	if (s->lib != NULL)
		(void)libssh2_session_free(s->lib);
	s->lib = NULL;
	fd_close(&s->fd);
}

/* ---- waiting ---- */

/* libssh2 goes on as long as there is something to read: a server that never
 * ends its banner must not keep us beyond the deadline. */
static ssize_t
on_receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract)
{
	struct ssh_session *s = *abstract;
	struct fx_err why;
	ssize_t k;

	if (s->deadline_us <= clk_now_us() || link_heed(s->link, &why) != FX_OK)
		return -ETIMEDOUT;
	k = recv(fd, p, n, flags);
	return k == -1 ? -errno : k;
}

static void
set_receive(struct ssh_session *s)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(s->lib, LIBSSH2_CALLBACK_RECV,
	    (libssh2_cb_generic *)on_receive);
#else
	(void)libssh2_session_callback_set(s->lib, LIBSSH2_CALLBACK_RECV,
	    (void *)on_receive);
#endif
}

int
ssh_session_wait(struct ssh_session *s, struct fx_err *err)
{
	int dir = libssh2_session_block_directions(s->lib), one = 1;
	short events = 0;

	if (dir & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		events |= POLLOUT;
	if ((dir & LIBSSH2_SESSION_BLOCK_INBOUND) || dir == 0)
		events |= POLLIN;
	/* else our delayed acknowledgement waits for the server's Nagle, 40 ms
	 * at every turn */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
	return link_wait(s->link, s->fd, events, s->deadline_us, err);
}

/* A receive that was given up looks like many things in libssh2: FX_OK, or the
 * real reason. */
static int
check_end(struct ssh_session *s, struct fx_err *err)
{
	if (s->deadline_us <= clk_now_us())
		return link_silent(s->link, err);
	return s->link->calls.heed(s->link->calls.arg, err);
}

int
ssh_session_fail(struct ssh_session *s, int code, struct fx_err *err,
    const char *what)
{
	struct buf b = BUF_INIT(4096);
	auto_free char *shown = NULL;
	char *text = NULL;
	int n = 0, r;

	if ((r = check_end(s, err)) != FX_OK)
		return r;
	(void)libssh2_session_last_error(s->lib, &text, &n, 0);
	if (text != NULL && n > 0)
		str_printable(&b, text, (size_t)n, 512);
	shown = str_take(&b);
	return fx_fail(err, code, "ssh: %s: %s", what, shown);
}

/* ---- beginning ---- */

/* Those of a list that this libssh2 has: given the others, it takes them out
 * by a memcpy onto itself. */
static char *
known_algorithms(struct ssh_session *s, int method, const char *list)
{
	struct buf out = BUF_INIT(8192);
	const char **have = NULL;
	int count = libssh2_session_supported_algs(s->lib, method, &have);

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
		libssh2_free(s->lib, have);
	return str_take(&out);
}

static int
set_algorithms(struct ssh_session *s, struct fx_err *err)
{
	auto_free char *host_keys =
	    ssh_host_algorithms(&s->known, &s->link->url);
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
		    libssh2_session_method_pref(s->lib, prefs[i].method,
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
handshake(struct ssh_session *s, struct fx_err *err)
{
	int rc, r;

	r = SSH_UNTIL_DONE(s, rc, libssh2_session_handshake(s->lib, s->fd),
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
		return ssh_session_fail(s, FX_EDENIED, err,
		    "no algorithm that is allowed here and that the server "
		    "offers, or the exchange of keys failed");
	default:
		return ssh_session_fail(s, FX_EFAIL, err, "connection");
	}
}

static int
on_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
    const unsigned char *data, size_t n, void **abstract)
{
	struct ssh_session *s = *abstract;
	auto_buf struct buf out = BUF_INIT(SSH_SIGNATURE_MAX);

	(void)session;
	if (s->link->calls.sign(s->link->calls.arg, s->deadline_us, data, n,
		&out, &s->sign_err) != FX_OK)
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
authenticate(struct ssh_session *s, struct fx_err *err)
{
	auto_buf struct buf blob = BUF_INIT(SSH_BLOB_MAX);
	struct link *l = s->link;
	void *abstract = s;
	int rc, r;

	if ((r = l->calls.public_key(l->calls.arg, s->deadline_us, &blob,
		 err)) != FX_OK)
		return r;
	if (strcmp(ssh_key_type(buf_head(&blob), buf_left(&blob)), "RSA") ==
		0 &&
	    libssh2_version(0x010b00) == NULL)
		return fx_fail(err, FX_EDENIED,
		    "the deploy key is an RSA key, and libssh2 %s can sign "
		    "with it only by SHA-1, which git servers refuse: use an "
		    "ed25519 key, or libssh2 1.11 or later",
		    libssh2_version(0));
	s->sign_err = (struct fx_err){ 0 };
	r = SSH_UNTIL_DONE(s, rc,
	    libssh2_userauth_publickey(s->lib, l->url.user, buf_head(&blob),
		buf_left(&blob), on_sign, &abstract),
	    err);
	if (r != FX_OK)
		return r;
	if (s->sign_err.code != FX_OK) {
		*err = s->sign_err;
		return fx_wrap(err, "sign with the deploy key");
	}
	if (rc != 0 && (r = check_end(s, err)) != FX_OK)
		return r;
	switch (rc) {
	case 0:
		return FX_OK;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
		return fx_fail(err, FX_EDENIED,
		    "%s@%s: Permission denied (publickey).", l->url.user,
		    l->url.host);
	default:
		return ssh_session_fail(s, FX_EFAIL, err, "authentication");
	}
}

int
ssh_session_open(struct ssh_session *s, struct fx_err *err)
{
	struct link *l = s->link;
	int r;

	r = l->calls.connect(l->calls.arg, l->url.host, l->url.port,
	    s->deadline_us, &s->fd, err);
	if (r != FX_OK)
		return r;
	s->lib = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->lib == NULL)
		return fx_fail(err, FX_EFAIL, "ssh: no memory");
	libssh2_session_set_blocking(s->lib, 0);
	set_receive(s);
	if ((r = set_algorithms(s, err)) != FX_OK ||
	    (r = handshake(s, err)) != FX_OK ||
	    (r = ssh_host_check(&s->known, &l->url, s->lib, err)) != FX_OK)
		return r;
	return authenticate(s, err);
}
