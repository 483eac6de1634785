/*
 * handlers: what fluxd-key answers.
 */
#ifndef KW_HANDLERS_H
#define KW_HANDLERS_H

#include "base.h"
#include "ipc_peer.h"
#include "key.h"
#include "sandbox.h"
#include "sealed.h"
#include "worker.h"

struct kw_state {
	struct worker *w;
	struct key *key;    /* owned; NULL: see why */
	struct key *made;   /* owned; to be used instead of it; or NULL */
	bool uses_made;	    /* key is what made was */
	char *user;	    /* owned; whom we sign for; NULL: nobody */
	struct fx_err why;  /* why there is no key, or FX_OK */
	bool given;	    /* there was a file, good or bad */
	struct sealed file; /* of the instance that makes a key */
};

/* Is this the instance that makes a key, and has none itself? */
bool kw_is_maker(const struct worker *);
/* Read the key files and the URL, after lock-down. */
void kw_open(struct kw_state *, struct worker *);
void kw_close(struct kw_state *);

extern const struct ipc_handler kw_handlers[];
extern const size_t kw_nhandlers;
extern const struct sandbox kw_sandbox;

#endif
