/*
 * kubeconfig_url: where a server's base URL leads, of http or https.
 */
#ifndef FX_KUBECONFIG_URL_H
#define FX_KUBECONFIG_URL_H

#include "base.h"

struct kc_url {
	char host[256];	  /* without brackets */
	uint16_t port;	  /* given, or the scheme's */
	bool tls;	  /* https */
	char prefix[512]; /* path without a slash at its end; may be empty */
};

int kubeconfig_url(const char *, struct kc_url *, struct fx_err *) FX_MUSTUSE;

#endif
