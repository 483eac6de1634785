/*
 * ssh: run git's commands on the server over one kept SSH session.
 *
 * A session is made when it is first needed and stays open between commands,
 * each of which gets a channel of its own; one that died in between is made
 * anew, once.  Whatever waits, waits at most until the link's deadline.  Only
 * current algorithms are offered, the host's key has to be known, and the
 * deploy key signs elsewhere (link_calls).
 */
#ifndef FX_SSH_H
#define FX_SSH_H

#include "base.h"
#include "link.h"

struct ssh;

/* libssh2 once per process, before lock-down. */
int ssh_lib_open(struct fx_err *) FX_MUSTUSE;

struct ssh *ssh_new(struct link *);
void ssh_free(struct ssh **);

/* Start a command: a shell at the other end reads it. */
int ssh_exec(struct ssh *, const char *command, struct fx_err *) FX_MUSTUSE;

/* *got is 0 at the end of the output; a command that failed is an error with
 * what it said. */
int ssh_read(struct ssh *, void *, size_t n, size_t *got,
    struct fx_err *) FX_MUSTUSE;
int ssh_write(struct ssh *, const void *, size_t n, struct fx_err *) FX_MUSTUSE;

/* The command is over; the session is kept if it is in good order. */
void ssh_done(struct ssh *);

/* Append 'path' quoted for that shell. */
void ssh_quote(struct buf *, const char *path);

#endif
