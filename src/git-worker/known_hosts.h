/*
 * known_hosts: is this key the one we know for this host?
 *
 * A matcher for OpenSSH's known_hosts grammar with OpenSSH's answers: plain
 * and hashed names, [host]:port, the wildcards * and ?, negation with !, and
 * @revoked.  @cert-authority lines are passed over, since host certificates
 * are not used.  Several files are one list.  libssh2's own matcher is not
 * used: it knows neither negation nor revocation.
 */
#ifndef FX_KNOWN_HOSTS_H
#define FX_KNOWN_HOSTS_H

#include "base.h"
#include "buf.h"

#define KNOWN_HOSTS_MAX (1u << 20) /* bytes of all files together */
#define KNOWN_HOSTS_LINE_MAX 16384 /* longer lines are passed over */
#define KNOWN_HOSTS_BLOB_MAX 4096  /* bytes of a key */

enum known_host {
	KNOWN_HOST_OK,
	KNOWN_HOST_UNKNOWN, /* no line for this host */
	KNOWN_HOST_CHANGED, /* lines for this host, all with other keys */
	KNOWN_HOST_REVOKED,
};

struct known_hosts {
	struct buf text; /* all files, each ended by a newline */
};

void known_hosts_init(struct known_hosts *);
void known_hosts_clear(struct known_hosts *);

/* Append the content of a file.  FX_ELIMIT: too much. */
int known_hosts_add(struct known_hosts *, const void *, size_t n) FX_MUSTUSE;

/* Judge the key in its SSH wire form.  As ssh does, a port other than 22 is
 * looked for as [host]:port first and then without. */
enum known_host known_hosts_check(const struct known_hosts *, const char *host,
    unsigned port, const uint8_t *blob, size_t n);

/* Append the types of the keys known for the host, separated by commas. */
void known_hosts_types(const struct known_hosts *, const char *host,
    unsigned port, struct buf *out);

#endif
