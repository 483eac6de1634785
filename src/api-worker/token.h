/*
 * token: what clients must show where --listen-token-file asks for it.
 *
 * The token comes in a file that the launcher opens; this process alone reads
 * it.  It is read again when a client shows another one, so that a new one
 * counts at once; on SIGHUP; and every TOKEN_EVERY_US, so that one that was
 * taken away does not count for longer where nobody sends that signal, as for
 * a Secret that is mounted.  The master is asked for the file, which it opens
 * once a second at most.  A file that cannot be read, or has none,
 * changes nothing; where none was ever read, nobody is let in.
 */
#ifndef FX_API_TOKEN_H
#define FX_API_TOKEN_H

#include "base.h"
#include "ipc_peer.h"
#include "loop.h"
#include "worker.h"

#define TOKEN_MIN 16 /* bytes; fewer can be guessed */
#define TOKEN_MAX 256
#define TOKEN_EVERY_US CLK_MIN

struct token {
	struct worker *w;
	bool wanted;
	bool known;
	uint8_t text[TOKEN_MAX]; /* zeros behind it; wiped in the end */
	struct loop_timer again;
};

/* After the lock-down: read the file that was given at the start. */
void token_init(struct token *, struct worker *);
void token_clear(struct token *);

/* The value of an Authorization header, which may be NULL, has it.  How long
 * that takes does not depend on what the token is. */
bool token_fits(const struct token *, const char *authorization);

/* Read the file again, as soon as it has been opened. */
void token_again(struct token *);

/* Take an answer to REOPEN.  FX_ESYNTAX and the like: it is none. */
int token_take(struct token *, struct ipc_frame *) FX_MUSTUSE;

#endif
