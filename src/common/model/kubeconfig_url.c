/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "kubeconfig_url.h"

#include "str.h"

/* Host and port up to the first slash: name, 1.2.3.4 or [v6], and :port. */
static int
read_authority(const char *s, size_t n, struct kc_url *u)
{
	const char *end = s + n, *host = s, *host_end, *colon;
	char port[8];
	uint64_t v = u->tls ? 443 : 80;

	if (n > 0 && s[0] == '[') {
		host = s + 1;
		host_end = memchr(s, ']', n);
		if (host_end == NULL)
			return FX_ESYNTAX;
		colon = host_end + 1;
	} else {
		host_end = memchr(s, ':', n);
		if (host_end == NULL)
			host_end = end;
		colon = host_end;
	}
	if (host_end == host || (size_t)(host_end - host) >= sizeof(u->host))
		return FX_ESYNTAX;
	for (const char *p = host; p < host_end; p++)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:",
			*p) == NULL)
			return FX_ESYNTAX;
	memcpy(u->host, host, (size_t)(host_end - host));
	u->host[host_end - host] = '\0';
	if (colon < end) {
		if (*colon != ':' || (size_t)(end - colon - 1) >= sizeof(port))
			return FX_ESYNTAX;
		memcpy(port, colon + 1, (size_t)(end - colon - 1));
		port[end - colon - 1] = '\0';
		if (fx_parse_u64(port, 1, UINT16_MAX, &v) != FX_OK)
			return FX_ESYNTAX;
	}
	u->port = (uint16_t)v;
	return FX_OK;
}

int
kubeconfig_url(const char *url, struct kc_url *u, struct fx_err *err)
{
	const char *s = url;
	size_t n;

	*u = (struct kc_url){ .tls = true };
	if (str_starts(s, "https://")) {
		s += strlen("https://");
	} else if (str_starts(s, "http://")) {
		s += strlen("http://");
		u->tls = false;
	} else if (strstr(s, "://") != NULL) {
		return fx_fail(err, FX_ESYNTAX,
		    "server: neither http:// nor https://");
	}
	n = strcspn(s, "/");
	if (read_authority(s, n, u) != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "server: not a usable URL");
	s += n;
	n = strlen(s);
	while (n > 0 && s[n - 1] == '/')
		n--;
	if (n >= sizeof(u->prefix) || strpbrk(s, "?#% ") != NULL)
		return fx_fail(err, FX_ESYNTAX, "server: not a usable path");
	memcpy(u->prefix, s, n);
	u->prefix[n] = '\0';
	return FX_OK;
}
