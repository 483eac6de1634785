/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ssh_session.h"

#include "buf.h"
#include "str.h"

/* Best first; no SHA-1. */
#define HOST_KEY_ALGORITHMS                                                    \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"                 \
	"ecdsa-sha2-nistp521," SSH_RSA_ALGORITHMS

/* Host key algorithms for the keys we know of this host: asked for another
 * type, a server would show a key that looks like a changed one. */
char *
ssh_host_algorithms(const struct known_hosts *known, const struct git_url *u)
{
	auto_buf struct buf types = BUF_INIT(4096);
	struct buf out = BUF_INIT(8192);
	auto_free char *list = NULL;

	known_hosts_types(known, u->host, u->port, &types);
	list = str_take(&types);
	for (char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");
		bool rsa = n == 7 && memcmp(p, "ssh-rsa", 7) == 0;

		if (str_addf(&out, "%s%.*s", buf_left(&out) == 0 ? "" : ",",
			rsa ? (int)strlen(SSH_RSA_ALGORITHMS) : (int)n,
			rsa ? SSH_RSA_ALGORITHMS : p) != FX_OK)
			break;
		p += n;
		p += *p == ',';
	}
	if (buf_left(&out) == 0)
		(void)str_add(&out, HOST_KEY_ALGORITHMS);
	return str_take(&out);
}

const char *
ssh_key_type(const uint8_t *blob, size_t n)
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
fingerprint(LIBSSH2_SESSION *session)
{
	const char *h =
	    libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
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

int
ssh_host_check(const struct known_hosts *known, const struct git_url *u,
    LIBSSH2_SESSION *session, struct fx_err *err)
{
	auto_free char *host = shown_host(u), *print = NULL;
	size_t n = 0;
	int kind;
	const uint8_t *blob =
	    (const uint8_t *)libssh2_session_hostkey(session, &n, &kind);

	if (blob == NULL)
		return fx_fail(err, FX_EDENIED, "ssh: the server has no key");
	print = fingerprint(session);
	switch (known_hosts_check(known, u->host, u->port, blob, n)) {
	case KNOWN_HOST_OK:
		return FX_OK;
	case KNOWN_HOST_UNKNOWN:
		return fx_fail(err, FX_EDENIED,
		    "No %s host key is known for %s and you have requested "
		    "strict checking.\nThe server's key is %s.\n"
		    "Host key verification failed.",
		    ssh_key_type(blob, n), host, print);
	case KNOWN_HOST_CHANGED:
		return fx_fail(err, FX_EDENIED,
		    "REMOTE HOST IDENTIFICATION HAS CHANGED!\n"
		    "The fingerprint for the %s key sent by the remote host "
		    "%s is\n%s.\nHost key verification failed.",
		    ssh_key_type(blob, n), host, print);
	case KNOWN_HOST_REVOKED:
		break;
	}
	return fx_fail(err, FX_EDENIED,
	    "The %s host key for %s is marked as revoked.\n"
	    "The server's key is %s.\nHost key verification failed.",
	    ssh_key_type(blob, n), host, print);
}
