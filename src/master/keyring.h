/*
 * keyring: making a deploy key and putting it in the place of the old one.
 *
 * Asked for by a client, or at the start in a cluster whose Secret has none.
 * fluxd-key makes it, fluxd-sync patches it into the Secret that is mounted,
 * each in a second instance that lives for this alone; only when the API server
 * has said yes is fluxd-key started anew, to use it.  What fails before leaves
 * the old key in use; where the server's answer is lost, it is asked what the
 * Secret holds until that is known.
 *
 * The kubelet takes a minute or two to bring the Secret to the file that is
 * mounted.  Until then the key is given to every fluxd-key that starts, as a
 * sealed memory file that the master cannot read.
 */
#ifndef FX_KEYRING_H
#define FX_KEYRING_H

#include "base.h"
#include "ipc_peer.h"
#include "loop.h"

struct master;
struct child;

enum keyring_step {
	KEYRING_IDLE,
	KEYRING_MAKING,
	KEYRING_STORING,
	KEYRING_UNSURE,	 /* was it stored?  That is being found out. */
	KEYRING_TAKING,	 /* stored; fluxd-key is being started with it */
	KEYRING_WAITING, /* the first key: tried again later */
};

struct keyring {
	bool in_cluster; /* else there is no mounted Secret to be changed */
	bool missing;	 /* there is no key file */
	bool known;	 /* fluxd-key has said what it uses */
	enum keyring_step step;
	bool first;	       /* no client waits: there is no key yet */
	bool has_client;       /* waits for the end */
	struct ipc_req client; /* which one */

	int new_fd;	/* the key under way, or -1 */
	char *new_line; /* its public half */
	unsigned tries; /* to store it, by processes that ended */

	int fd; /* the key in use, until the file has it; or -1 */
	uint32_t
	    from; /* the first incarnation of fluxd-key that was given it */
	char *former[IPC_MAX_FORMER_KEYS]; /* fingerprints; the file may still
					      have one of them */
	size_t nformer;

	int64_t pause_us; /* before the next look or try */
	struct loop_timer timer;
};

void keyring_init(struct master *);
/* A client wants a new key: answered with GIT_CONFIG_IS, or why not. */
void keyring_regenerate(struct master *, const struct ipc_req *);

/* The launcher has opened the key file for fluxd-key, or not. */
void keyring_opened(struct master *, const struct fx_err *);
/* fluxd-key runs: before anything else is asked of it. */
void keyring_runs(struct master *, struct child *);
/* It has said what key it uses, or that it has none that it can use. */
void keyring_uses(struct master *, const struct ipc_key_public_is *);
void keyring_uses_none(struct master *, const struct fx_err *);

#endif
