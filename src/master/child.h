/*
 * child: a process under the master: its life, its channel, what it was asked.
 *
 * A child is a role and an instance.  It is spawned through the launcher, given
 * its settings, files and listeners, sent GO, and runs once it has said READY
 * and the launcher has read from /proc that it is confined.  A child that
 * breaks the protocol, misses a deadline or ends is started anew: at once the
 * first time, then after 0.2 s, doubling to a minute; a healthy minute
 * forgives.
 *
 * child_ask puts a question to it.  While it is not running, or when it works
 * inside library calls and is busy, the question waits.  Whatever happens, the
 * function is called with exactly one end: the answer, or an error (the child's
 * own, FX_ERETRY when it ended, FX_ETIMEOUT).
 *
 * A child on demand is started by the first question and told to stop after the
 * last answer.
 */
#ifndef FX_CHILD_H
#define FX_CHILD_H

#include "base.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "loop.h"

struct master;
struct child;
struct child_call;

#define CHILD_MAX_WAITING 256 /* questions waiting for one child */

enum child_state {
	CHILD_OFF,	/* not started, stopped for good, or not needed now */
	CHILD_SPAWNING, /* asked of the launcher */
	CHILD_STARTING, /* has its channel; not yet READY and inspected */
	CHILD_RUNNING,
	CHILD_ENDING,  /* channel given up; the launcher has not reaped it */
	CHILD_WAITING, /* for its turn to be started again */
};

/*
 * One PART, or the end.  Exactly one of frame and err is set; a frame whose row
 * is an ANSWER, and any err, is the end.  The result speaks about the child:
 * anything but FX_OK is a protocol violation.
 */
typedef int child_fn(void *arg, struct ipc_frame *, const struct fx_err *err);

struct child {
	struct master *m;
	enum ipc_role role;
	uint32_t instance;
	enum child_state state;
	uint32_t incarnation; /* counts spawns */
	uint64_t pid;
	struct ipc_peer peer;
	struct loop_source *source;
	struct child_call *sent, *waiting;
	size_t nwaiting;
	bool on_demand;	   /* runs only while something is asked of it */
	bool told_to_stop; /* so its end is no news, and nothing more is sent */
	bool renew;	   /* to be told so as soon as it is idle */
	bool at_fault;	   /* it was ended: its exit status says nothing */
	size_t files_open; /* OPENs not yet answered, before GO */

	int64_t delay_us;	    /* before the next restart; 0: at once */
	int64_t running_us;	    /* since when it has run; 0: not yet */
	struct loop_timer retry;    /* WAITING: when to start again */
	struct loop_timer start_by; /* READY must come before */
	struct loop_timer healthy;  /* when delay_us is forgiven */
	struct loop_timer ping;	    /* event-driven ones only */
	uint64_t restarts;

	/* what confines it; from READY and, in truth, from INSPECTED */
	uint64_t landlock, uid, seccomp, caps;
	bool no_new_privs;
	char root[16], missing[512];

	int64_t log_tokens; /* records it may still log; refilled by time */
	int64_t log_filled_us;
};

const char *child_name(const struct child *);
const char *child_state_name(enum child_state);

void
child_init(struct child *, struct master *, enum ipc_role, uint32_t instance);
void child_start(struct child *);

/* The launcher: already there, with its channel. */
void child_adopt(struct child *, int fd, uint64_t pid);

/* Ask; NULL (and fn not called) only when too much waits already. */
struct child_call *
child_ask(struct child *, uint32_t type, const struct buf *body,
    int64_t timeout_us, child_fn *, void *arg) FX_MUSTUSE;

/* It runs, or has answered: the next question goes out. */
void child_send_waiting(struct child *);

/* Is the error one that is over when the worker, or the mirror, is back? */
static inline bool
child_comes_back(const struct fx_err *err)
{
	return err->code == FX_ERETRY || err->code == FX_EGONE;
}

/* The answer is no longer wanted: fn is not called any more. */
void child_cancel(struct child_call **);

/* End it: broken protocol, missed deadline.  It will be started anew. */
void child_kill(struct child *, const char *why);

/* The launcher says that it is gone. */
void child_exited(struct child *, uint64_t pid, uint64_t status);

/* READY came: have it inspected, then let it run. */
void child_is_ready(struct child *, const struct ipc_ready *);

/* Before each turn of the loop: queued frames out, interest set. */
void child_flush(struct child *);

/* No restart any more; STOP is sent. */
void child_stop(struct child *);

/* Have its next incarnation read its files anew: STOP to one that runs, as soon
 * as it has answered what it was asked. */
void child_restart(struct child *);

/* For the relay: the call's place on the child's channel; 0 while it waits. */
uint64_t child_call_seq(const struct child_call *);
void child_call_relayed(struct child_call *);

/*
 * MST_ASK(child, name, NAME, &m, timeout_us, fn, arg): encode and ask.
 */
#define MST_ASK(child, name, NAME, msg, timeout_us, fn, arg)                   \
	({                                                                     \
		auto_buf struct buf b_ = BUF_INIT(IPC_MAX_FRAME);              \
		int fd_ = -1;                                                  \
                                                                               \
		ipc_##name##_encode(&b_, (msg), &fd_) == FX_OK                 \
		    ? child_ask((child), IPC_T_##NAME, &b_, (timeout_us),      \
			  (fn), (arg))                                         \
		    : NULL;                                                    \
	})

#endif
