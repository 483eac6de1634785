/*
 * handlers: what fluxd-upstream asks the master for.
 */
#ifndef FX_UW_HANDLERS_H
#define FX_UW_HANDLERS_H

#include "base.h"
#include "post.h"
#include "sandbox.h"
#include "worker.h"

struct uw {
	struct worker *w; /* not owned */
	struct service_url url;
	struct kc_url way; /* whom to connect to */
	struct tls tls;
	char *token, *proxy_login; /* owned; "" if there is none */
	struct post *post;

	/* the event that is being sent */
	struct buf json;
	uint64_t number;
	char *text; /* owned */
	unsigned failures;
	struct loop_timer again;
};

/* Before lock-down, and after it. */
void uw_open(struct uw *, struct worker *);
void uw_start(struct uw *);
void uw_close(struct uw *);

extern const struct sandbox uw_sandbox;

#endif
