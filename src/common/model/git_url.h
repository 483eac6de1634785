/*
 * git_url: the URL of the repository, read in two ways.
 *
 * For connecting, git_url_parse: a strict grammar that refuses whatever could
 * be taken for an option or for shell syntax somewhere on the way, and that
 * keeps the password apart.
 *
 * For names that others know, git_url_safe, git_url_equivalent and
 * git_url_is_http: exactly what upstream makes of the text, whatever it is.
 * The safe text is part of the marks that garbage collection relies on, so it
 * never changes.  For texts that are no URL it may still contain a password:
 * people are shown git_url_show.
 */
#ifndef FX_GIT_URL_H
#define FX_GIT_URL_H

#include "base.h"

#define GIT_URL_MAX 4096     /* bytes of a URL; equal to IPC_MAX_TEXT */
#define GIT_URL_HOST_MAX 253 /* bytes of a host name, as in DNS */

enum git_url_kind {
	GIT_URL_SSH, /* ssh:// git+ssh:// user@host:path */
	GIT_URL_HTTP,
	GIT_URL_HTTPS,
	GIT_URL_FILE, /* file:// or an absolute path */
};

struct git_url {
	enum git_url_kind kind;
	char *user;	/* decoded; "" if none; for ssh "git" if none */
	char *password; /* decoded, SECRET; NULL if none */
	char *host;	/* without brackets; "" for a file */
	unsigned port;	/* given, or the scheme's; 0 for a file */
	char *path;	/* ssh, file: decoded; http: escaped, begins with / */
};

/* On failure the text of the error does not repeat the URL. */
int
git_url_parse(const char *, struct git_url *out, struct fx_err *) FX_MUSTUSE;
/* The password is overwritten. */
void git_url_clear(struct git_url *);

/* The text with the password cut out, for those who only connect or compare:
 * git_url_safe and git_url_equivalent do not see a difference.  NULL if the
 * text does not parse.  Owned by the caller, like every text below. */
char *git_url_bare(const char *);

/* Upstream's "safe URL": ssh://git@host/path for git@host:path, and so on. */
char *git_url_safe(const char *);

/* The same for people: "<unparseable>" where it might show a password. */
char *git_url_show(const char *);

/* The same repository, as upstream compares a notification's URL: host with
 * port, and path without a leading / and a trailing .git. */
bool git_url_equivalent(const char *, const char *);

/* Is the scheme http or https?  Then there is no deploy key. */
bool git_url_is_http(const char *);

#endif
