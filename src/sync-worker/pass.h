/*
 * pass: one run over the set, as a state machine.
 *
 * Namespaces and CRDs come first, as a stage of their own: the kinds that a
 * CRD brings exist only when the server says so.  Each stage makes sure that
 * its kinds are known and listed, looks for the objects that no list showed,
 * and then works through the ranks.  An object that is as git says costs
 * nothing in any of these steps.
 */
#ifndef FX_SW_PASS_H
#define FX_SW_PASS_H

#include "cluster.h"

#define BATCH_MAX 64	     /* bodies asked for at once */
#define BATCH_SMALL 4	     /* when they are large */
#define HELD_MAX (24u << 20) /* bytes of bodies held at once */
#define LOOK_SINGLY 4	     /* missing ones that are asked for by name */

/* as the server says it */
#define TOO_LARGE "Request entity too large: limit is 3145728"

enum pass_step {
	STEP_SET,     /* waits for the set */
	STEP_RECORD,  /* waits for the inventory */
	STEP_RESOLVE, /* kinds in the catalog */
	STEP_REFRESH, /* waits for the catalog */
	STEP_LIST,    /* waits for lists */
	STEP_LOOK,    /* waits for look-ups */
	STEP_WORK,    /* bodies and patches */
	STEP_CRDS,    /* waits for new CRDs */
	STEP_GC,      /* what git no longer has */
	STEP_END,
};

enum pass_stage { STAGE_FIRST, STAGE_REST };

/* A CRD that was applied and is not established yet. */
struct crd_wait {
	struct cluster *cluster;
	char *id;
	int64_t until_us, pause_us;
	struct loop_timer timer;
	struct request *request;
	struct crd_wait *next;
};

struct pass {
	struct cluster *cluster;
	bool repair;
	bool incomplete; /* git has more than the set */
	enum pass_step step;
	enum pass_stage stage;
	int64_t started_us;
	bool stepping;	  /* pass_step is on the stack */
	bool refreshed;	  /* the catalog, in this stage */
	unsigned looking; /* look-ups on their way */
	/* work, in order */
	struct object **queue;
	size_t nqueue, next;
	struct object *batch[BATCH_MAX]; /* whose bodies are on their way */
	size_t nbatch;
	bool large;	    /* small batches from now on */
	size_t held;	    /* bytes of bodies here and in requests */
	unsigned in_flight; /* deliveries */
	struct delivery *deliveries;
	unsigned weary; /* objects that failed "for the moment", to the end */
	struct object **again; /* bodies that were too much at once */
	size_t nagain;
	struct crd_wait *crds;
	bool has_crds; /* some were applied: kinds may need a moment */
	int64_t kinds_until_us, kinds_pause_us;
	struct loop_timer timer;
	uint64_t gc_errors;
	struct pass_result result;
};

/* Is it this pass's, and this stage's, to do something about? */
bool pass_wants(const struct pass *, const struct object *);
/* Give the whole pass up: nobody answers, or the bodies are not to be had. */
void pass_fail(struct pass *, const struct fx_err *);
void pass_error(struct pass *, struct object *, const char *text);

/* look.c: find out about every object in OBJ_LOOK. */
void look_start(struct pass *);

/* work.c */
void work_start(struct pass *);
/* true: nothing is left to do. */
bool work_step(struct pass *);

/* crd.c: wait until the server serves what was applied. */
void crd_applied(struct pass *, const struct object *);
void crd_clear(struct pass *);

#endif
