/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "greeting.h"

#include "reply_head.h"
#include "str.h"

#define PATH "/v11/daemon"

/* Without the port that everybody knows, as upstream. */
static void
add_host(struct buf *b, const struct kc_url *at)
{
	(void)str_addf(b, strchr(at->host, ':') == NULL ? "%s" : "[%s]",
	    at->host);
	if (at->port != (at->tls ? 443 : 80))
		(void)str_addf(b, ":%u", at->port);
}

/* No origin, no sub-protocol, no extension. */
void
greeting_write(struct buf *b, const struct kc_url *at, const char *token,
    char key[WS_KEY_SIZE])
{
	ws_key(key);
	(void)str_addf(b, "GET %s" PATH " HTTP/1.1\r\nHost: ", at->prefix);
	add_host(b, at);
	(void)str_addf(b,
	    "\r\nUser-Agent: fluxd/" PACKAGE_VERSION
	    "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
	    key);
	if (*token != '\0')
		(void)str_addf(b, "Authorization: Scope-Probe token=%s\r\n",
		    token);
	(void)str_add(b, "\r\n");
}

bool
greeting_is_answered(const struct buf *head, const char *key)
{
	size_t n = 0;
	const char *accept;

	if (reply_status(head) != 101 ||
	    !reply_header_is(head, "Upgrade", "websocket"))
		return false;
	accept = reply_header(head, "Sec-WebSocket-Accept", &n);
	return accept != NULL && ws_accepts(key, accept, n);
}
