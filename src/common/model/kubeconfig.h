/*
 * kubeconfig: which API server, and who we are to it.
 *
 * Reads one context of a kubeconfig: its cluster, its user, its namespace.
 * Several files count as one, where for each entry, and for the current
 * context, the first file that has it decides.  What a file names (a token
 * file, a CA file …) stays a path here: a worker cannot open one and asks the
 * master for descriptors.
 */
#ifndef FX_KUBECONFIG_H
#define FX_KUBECONFIG_H

#include "base.h"
#include "buf.h"
#include "kubeconfig_url.h"
#include "ydoc.h"

#define KC_FILE_MAX YDOC_BYTES_MAX
#define KC_SECRET_MAX 262144 /* bytes of one certificate, key or token */
#define KC_CONFIG_MAX 65536  /* bytes of JSON for a plugin */
#define KC_WORDS_MAX 64	     /* groups, arguments, variables of one user */

/* Content given in place, or else a path; both empty: not given. */
struct kc_file {
	struct buf data; /* decoded from base64; wiped on clear */
	char *path;	 /* NULL */
};

/* Owned strings. */
struct kc_words {
	char *v[KC_WORDS_MAX];
	size_t n;
};

/* A program that says who we are; command is NULL when there is none. */
struct kc_exec {
	char *command, *api_version, *interactive, *hint; /* NULL */
	struct kc_words args;
	struct kc_words env; /* "NAME=value" */
	bool cluster_info;   /* wants to know the cluster */
	char *config;	     /* JSON that the cluster has for it; NULL */
};

struct kubeconfig {
	char *context, *cluster, *user; /* their names, for messages */
	char *server;			/* base URL as written; NULL: none */
	char *tls_server_name;		/* NULL: the server's host */
	char *proxy_url;		/* NULL */
	bool insecure;			/* certificates are not verified */
	bool uncompressed;		/* no answer is to be compressed */
	struct kc_file ca, cert, key, token;
	char *username, *password; /* NULL */
	char *as, *as_uid;	   /* impersonation; NULL */
	struct kc_words as_groups;
	struct kc_words as_extra; /* "name=value" */
	struct kc_exec exec;
	bool auth_provider; /* a way to log in that Kubernetes removed */
	char *ns;	    /* NULL: not given */
};

/* One file; all is borrowed. */
struct kc_source {
	const void *text;
	size_t n;
	const char *path;   /* for the error; NULL */
	const char *folder; /* where its relative paths begin; NULL: they are
			     * left as written */
};

/*
 * Fill in an empty kubeconfig with this context (NULL: the current one).  A
 * file without a usable cluster is no error: then server is NULL.
 */
int kubeconfig_parse(struct kubeconfig *, const struct kc_source *, size_t n,
    const char *context, struct fx_err *) FX_MUSTUSE;

/* The namespace of the context alone, whatever else is wrong; owned, or NULL.
 */
char *kubeconfig_namespace(const struct kc_source *, size_t n,
    const char *context) FX_MUSTUSE;

/* FX_OK if fluxd can use it: no plugin, no proxy.  Else the error names the
 * entry and says what to do instead. */
int
kubeconfig_for_daemon(const struct kubeconfig *, struct fx_err *) FX_MUSTUSE;

/* Wipes what was secret. */
void kubeconfig_clear(struct kubeconfig *);
#define auto_kubeconfig FX_CLEANUP(kubeconfig_clear)

/* The value of an Authorization header; NULL: neither a token nor a user name.
 * Owned by the caller, and to be wiped. */
char *kubeconfig_authorization(const struct kubeconfig *);

#endif
