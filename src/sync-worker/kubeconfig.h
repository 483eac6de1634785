/*
 * kubeconfig: which API server, and who we are to it.
 *
 * Reads the one context of a kubeconfig that is current: its cluster, its user,
 * its namespace.  What the file names (a token file, a CA file …) stays a path
 * here: the worker cannot open one and asks the master for descriptors.
 *
 * The file belongs to the operator, but it is read by the process that holds
 * the credentials, so its size, depth and number of nodes are bounded and
 * anchors, which nobody writes there and which cost libyaml quadratic time,
 * are refused.
 */
#ifndef FX_KUBECONFIG_H
#define FX_KUBECONFIG_H

#include "base.h"
#include "buf.h"

#define KC_FILE_MAX (1u << 20)
#define KC_DEPTH_MAX 32
#define KC_NODES_MAX 50000
#define KC_GROUPS_MAX 32     /* of an impersonated user */
#define KC_SECRET_MAX 262144 /* bytes of one certificate, key or token */

/* Content given in place, or else a path; both empty: not given. */
struct kc_file {
	struct buf data; /* decoded from base64; wiped on clear */
	char *path;	 /* as written; NULL */
};

struct kubeconfig {
	char *context, *cluster, *user; /* their names, for messages */
	char *server;			/* base URL as written; NULL: none */
	char *tls_server_name;		/* NULL: the server's host */
	bool insecure;			/* certificates are not verified */
	struct kc_file ca, cert, key, token;
	char *username, *password; /* NULL */
	char *as, *as_uid;	   /* impersonation; NULL */
	char *as_groups[KC_GROUPS_MAX];
	size_t nas_groups;
	char *ns; /* NULL: not given */
};

/*
 * Fill in an empty kubeconfig.  A file without a usable cluster is no error:
 * then server is NULL and the caller falls back to the service account.  What
 * we cannot do (exec plugins, auth providers, proxies) is an error that names
 * the entry and says what to do instead.
 */
int kubeconfig_parse(struct kubeconfig *, const void *, size_t n,
    struct fx_err *) FX_MUSTUSE;

/* Wipes what was secret. */
void kubeconfig_clear(struct kubeconfig *);

/* Where a server's base URL leads. */
struct kc_url {
	char host[256];	  /* without brackets */
	uint16_t port;	  /* given, or the scheme's */
	bool tls;	  /* https */
	char prefix[512]; /* path without a slash at its end; may be empty */
};

int kubeconfig_url(const char *, struct kc_url *, struct fx_err *) FX_MUSTUSE;

#endif
