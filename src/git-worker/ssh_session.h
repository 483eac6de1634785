/*
 * ssh_session: a connection on which git's commands can be run.
 *
 * Connected, the server known by its key, logged in by a signature made
 * elsewhere.  Nothing here waits beyond deadline_us, and nothing at all once
 * the worker is to stop.
 */
#ifndef FX_SSH_SESSION_H
#define FX_SSH_SESSION_H

#include "base.h"

#include <libssh2.h>

#include "known_hosts.h"
#include "link.h"

struct ssh_session {
	struct link *link; /* not owned */
	struct known_hosts known;
	int fd; /* -1: not connected */
	LIBSSH2_SESSION *lib;
	int64_t deadline_us;
	struct fx_err sign_err; /* why there is no signature */
};

/* After a failure it may be half open: drop it. */
int ssh_session_open(struct ssh_session *, struct fx_err *) FX_MUSTUSE;
/* Give it up without a word: it may be stalled. */
void ssh_session_drop(struct ssh_session *);

/* Until the socket is ready for what libssh2 wants to do. */
int ssh_session_wait(struct ssh_session *, struct fx_err *) FX_MUSTUSE;

/* What libssh2 says of its last failure; FX_ETIMEOUT past the deadline, and
 * why, when the worker is to stop. */
int ssh_session_fail(struct ssh_session *, int code, struct fx_err *,
    const char *what);

/* Repeat a libssh2 call until it is done; rc has its result. */
#define SSH_UNTIL_DONE(s, rc, call, err)                                       \
	({                                                                     \
		int done_ = FX_OK;                                             \
		while (((rc) = (call)) == LIBSSH2_ERROR_EAGAIN &&              \
		    (done_ = ssh_session_wait((s), (err))) == FX_OK)           \
			;                                                      \
		done_;                                                         \
	})

/* ---- the host's key (ssh_host.c) ---- */

#define SSH_RSA_ALGORITHMS "rsa-sha2-512,rsa-sha2-256"

/* Which to ask for, best first, in a string of the caller's. */
char *ssh_host_algorithms(const struct known_hosts *, const struct git_url *);
/* FX_EDENIED unless it is known for this host. */
int ssh_host_check(const struct known_hosts *, const struct git_url *,
    LIBSSH2_SESSION *, struct fx_err *) FX_MUSTUSE;
/* The name of a key's type as ssh prints it: "ED25519". */
const char *ssh_key_type(const uint8_t *blob, size_t n);

#endif
