/*
 * handlers: what fluxd-key answers.
 */
#ifndef KW_HANDLERS_H
#define KW_HANDLERS_H

#include "base.h"
#include "ipc_peer.h"
#include "key.h"
#include "sandbox.h"
#include "worker.h"

struct kw_state {
	struct key *key;   /* owned; NULL: see why */
	char *user;	   /* owned; whom we sign for; NULL: nobody */
	struct fx_err why; /* why there is no key, or FX_OK */
	bool given;	   /* there was a file, good or bad */
};

/* Read the key file and the URL, after lock-down. */
void kw_open(struct kw_state *, struct worker *);
void kw_close(struct kw_state *);

extern const struct ipc_handler kw_handlers[];
extern const size_t kw_nhandlers;
extern const struct sandbox kw_sandbox;

#endif
