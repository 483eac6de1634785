/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "request.h"

#include "ssh_wire.h"

#define USERAUTH_REQUEST 50 /* RFC 4252, 6 */

struct request {
	struct buf session, user, service, method, algorithm, blob;
	uint8_t type, has_signature;
};

static int
request_parse(const struct buf *raw, struct request *q)
{
	struct buf b = buf_view(buf_head(raw), buf_left(raw));

	if (sshw_get_string(&b, &q->session) != FX_OK ||
	    buf_get(&b, &q->type, 1) != FX_OK ||
	    sshw_get_string(&b, &q->user) != FX_OK ||
	    sshw_get_string(&b, &q->service) != FX_OK ||
	    sshw_get_string(&b, &q->method) != FX_OK ||
	    buf_get(&b, &q->has_signature, 1) != FX_OK ||
	    sshw_get_string(&b, &q->algorithm) != FX_OK ||
	    sshw_get_string(&b, &q->blob) != FX_OK || buf_left(&b) != 0)
		return FX_ESYNTAX;
	return FX_OK;
}

int
request_check(const struct buf *to_sign, const struct key *key,
    const char *user, const struct key_alg **alg, struct fx_err *err)
{
	const struct key_alg *found = NULL;
	const char *wrong = NULL;
	struct request q;

	if (request_parse(to_sign, &q) != FX_OK)
		wrong = "not an SSH authentication request";
	else if (buf_left(&q.session) < REQUEST_SESSION_MIN ||
	    buf_left(&q.session) > REQUEST_SESSION_MAX)
		wrong = "no session has such an id";
	else if (q.type != USERAUTH_REQUEST || q.has_signature != 1 ||
	    !sshw_is(&q.service, "ssh-connection") ||
	    !sshw_is(&q.method, "publickey"))
		wrong = "not a login with a public key";
	else if (!sshw_is(&q.user, user))
		wrong = "the login is for another user";
	else if (!sshw_equal(&q.blob, &key->blob))
		wrong = "the login is with another key";
	else if ((found = key_alg(key, &q.algorithm)) == NULL)
		wrong = "the algorithm does not fit the key";
	if (wrong != NULL)
		return fx_fail(err, FX_EDENIED, "refused to sign: %s", wrong);
	*alg = found;
	return FX_OK;
}
