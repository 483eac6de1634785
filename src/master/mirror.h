/*
 * mirror: the state of the repository's mirror and when it is fetched.
 *
 * new -> cloned (fetched, branch and write access not yet known) -> ready.  A
 * failed fetch keeps the last good mirror: a ready repository stays ready, the
 * error is shown and the fetch repeated with back-off.  Requests to fetch
 * coalesce; mirror_refresh waits for a fetch that began after it was called.
 */
#ifndef FX_MIRROR_H
#define FX_MIRROR_H

#include "base.h"
#include "ipc.h"
#include "loop.h"

struct master;
struct child_call;
struct mirror_wait;

enum mirror_status {
	MIRROR_UNCONFIGURED,
	MIRROR_NEW,
	MIRROR_UNREACHABLE,
	MIRROR_CLONED,
	MIRROR_READY,
};

struct mirror {
	enum mirror_status status;
	char head[IPC_MAX_OID + 1]; /* of the branch; "" unknown */
	struct fx_err error;	    /* of the last step; code FX_OK: none */
	struct fx_err refused;	    /* why head is not the tip of the branch */
	struct child_call *call;    /* FETCH or CHECK_WRITE under way */
	bool again;		    /* asked for while one was under way */
	bool write_checked;
	int64_t gone_us; /* when it was last fetched because it was gone */
	int64_t backoff_us;
	struct loop_timer timer; /* next fetch */
	int64_t notified_us; /* when a notification last had one; 0: never */
	struct loop_timer notified; /* when one that waits has its own */
	struct mirror_wait *waits, *joined;
};

/* The end of a refresh: err is NULL when the fetch worked. */
typedef void mirror_fn(struct master *, void *arg, const struct fx_err *err);

void mirror_init(struct master *);
/* Somebody says that there is something new: look, now or in a second. */
void mirror_notify(struct master *);
/* A reader found none, or one that is damaged: it is fetched now, not at the
 * next poll; where that does not help, not all the time. */
void mirror_gone(struct master *);
/* Fetch, then call fn once. */
void mirror_refresh(struct master *, mirror_fn *, void *arg);
const char *mirror_status_name(enum mirror_status);
/* FX_OK when ready; else the error that clients are shown. */
int mirror_check(const struct master *, struct fx_err *) FX_MUSTUSE;

#endif
