/*
 * ipc_peer: one end of a channel: frames in, frames out, who asked what.
 *
 * A peer judges every frame before anything is decoded: its size, its
 * envelope, the rule book (ipc_permit), that an answer answers something that
 * was asked on this channel, that a part came within credit and in order, that
 * a descriptor came exactly when the row has one.  Then the handler of its
 * type runs (EVENT, ASK) or the function that waits for it (PART, ANSWER).
 *
 * The result of a handler speaks about the peer: anything but FX_OK means that
 * the other side broke the protocol, and the channel is given up (peer->broken
 * says why).  Work that fails is answered with ipc_reply_fail, and that is
 * FX_OK.
 *
 * Credit: the receiver of a streamed answer grants a new part for each one it
 * has handled, by itself.  The sender asks ipc_credit before it sends a part.
 *
 * Sending never blocks and never fails for the caller: frames are queued and
 * flushed by the loop.  A queue beyond IPC_MAX_QUEUE breaks the channel.
 */
#ifndef FX_IPC_PEER_H
#define FX_IPC_PEER_H

#include "base.h"
#include "buf.h"
#include "ipc.h"

struct ipc_peer;

/* A frame as handlers get it. */
struct ipc_frame {
	uint32_t type;
	uint64_t seq;
	uint32_t part;	 /* 1, 2, …; 0: not a PART */
	struct buf body; /* view of the fields; valid during the call */
	int fd;		 /* taken by the decoder, else closed after the call */
};

/* What is needed to answer an ASK, now or later; a plain value. */
struct ipc_req {
	struct ipc_peer *peer;
	uint64_t seq;
	uint32_t type;
};

typedef int ipc_handler_fn(void *ctx, struct ipc_peer *, struct ipc_frame *);

struct ipc_handler {
	uint32_t type;
	ipc_handler_fn *run;
};

/* Gets every PART and the final ANSWER or FAILED of an ASK.  With a NULL
 * frame: the answer will never come (channel closed, or cancelled). */
typedef int ipc_answer_fn(void *arg, struct ipc_frame *);

/* An ASK of ours that waits for its answer. */
struct ipc_ask {
	uint64_t seq;
	uint32_t type;
	uint32_t parts;	   /* received so far */
	uint32_t credit;   /* parts granted and not yet received */
	bool relayed;	   /* credit comes from the one it is passed on to */
	ipc_answer_fn *fn; /* NULL: cancelled, the answer will be dropped */
	void *arg;
	struct ipc_ask *next;
};

/* An ASK of theirs that streams its answer. */
struct ipc_grant {
	uint64_t seq;
	uint32_t type;	 /* of the ASK */
	uint32_t parts;	 /* sent so far */
	uint32_t credit; /* parts that may be sent */
	bool cancelled;
	struct ipc_grant *next;
};

struct ipc_peer {
	int fd;		    /* owned; non-blocking stream socket; -1: closed */
	enum ipc_role self; /* who we are */
	enum ipc_role who;  /* who is at the other end */
	uint32_t instance;
	uint32_t phase; /* IPC_PH_START or IPC_PH_RUN */
	struct buf in, out;
	int fds_in[IPC_MAX_FDS]; /* received, not yet claimed by a frame */
	size_t nfds_in;
	struct ipc_out_fd *fds_out; /* queued, with the offset of their frame */
	uint64_t sent; /* bytes written so far, for those offsets */
	uint64_t next_seq;
	struct ipc_ask *asks;
	size_t nasks;
	struct ipc_grant *grants;
	const struct ipc_handler *handlers;
	size_t nhandlers;
	void *ctx;
	/* Every CREDIT and CANCEL of an answer that is being sent, after it was
	 * noted; in the master ASKs and EVENTs for somebody else, too, after
	 * the walk. */
	ipc_handler_fn *relay;
	bool awaiting;	      /* inside ipc_await: no new ASKs */
	bool stopped;	      /* STOP came (workers) */
	struct fx_err broken; /* why the channel was given up */
};

/* fd becomes the peer's. */
void ipc_peer_init(struct ipc_peer *, int fd, enum ipc_role self,
    enum ipc_role who, uint32_t instance);
void ipc_peer_handlers(struct ipc_peer *, const struct ipc_handler *, size_t n,
    void *ctx);
/* Everything that waits is told so; the descriptor is closed. */
void ipc_peer_close(struct ipc_peer *);

/* POLLIN, and POLLOUT while something is queued. */
short ipc_peer_events(const struct ipc_peer *);

/*
 * Read what is there, run at most max_frames handlers.  FX_OK; FX_ESHORT: the
 * other end closed; else: it broke the protocol, see peer->broken.
 */
int ipc_peer_read(struct ipc_peer *, size_t max_frames) FX_MUSTUSE;
/* Write what the socket takes.  FX_OK or FX_ESHORT. */
int ipc_peer_write(struct ipc_peer *) FX_MUSTUSE;
/* Complete frames left from the last ipc_peer_read? */
bool ipc_peer_pending(const struct ipc_peer *);

/*
 * Wait here until the ASK `seq` is answered (its fn has run to the end), for
 * workers that work inside library calls.  Meanwhile only what belongs to this
 * ASK, credit for answers of ours, CANCEL and STOP is accepted.  FX_OK;
 * FX_ECANCELLED after STOP; else the channel is broken.
 */
int ipc_await(struct ipc_peer *, uint64_t seq) FX_MUSTUSE;
/* The same, but not beyond an instant: FX_ETIMEOUT, and the answer is not
 * wanted any more; its fn is not called. */
int ipc_await_until(struct ipc_peer *, uint64_t seq,
    int64_t deadline_us) FX_MUSTUSE;
/*
 * Take what is there, without waiting, in the middle of work of another kind;
 * what is accepted is what ipc_await accepts.  FX_OK; FX_ECANCELLED after STOP;
 * else the channel is broken.
 */
int ipc_heed(struct ipc_peer *) FX_MUSTUSE;

/* May a PART of the answer to req be sent now? */
bool ipc_credit(const struct ipc_req *);
/* Wait for it (blocking workers).  FX_ECANCELLED: nobody wants the rest. */
int ipc_await_credit(const struct ipc_req *) FX_MUSTUSE;
/* true after CANCEL, or if the ASK was answered. */
bool ipc_cancelled(const struct ipc_req *);

/* Tell the other side that an answer is no longer wanted; fn is not called. */
void ipc_cancel(struct ipc_peer *, uint64_t seq);

/* Answer FAILED with the error's code and text. */
int ipc_reply_fail(const struct ipc_req *, const struct fx_err *);
int ipc_reply_failf(const struct ipc_req *, int code, const char *fmt, ...)
    FX_PRINTF(3, 4);

/* If the frame is FAILED (or NULL: the channel closed), fill in err and return
 * its code; FX_OK for any other frame; FX_ESYNTAX if it does not decode. */
int ipc_take_failed(struct ipc_frame *, struct fx_err *);

/* Grant n more parts of an answer that is passed on (the master's relay). */
void ipc_grant_parts(struct ipc_peer *, uint64_t seq, uint32_t n);
/* The ASK with this sequence, or NULL. */
struct ipc_ask *ipc_find_ask(struct ipc_peer *, uint64_t seq);
/* Answer with an encoded body (the master's relay). */
int ipc_reply_raw(const struct ipc_req *, uint32_t type, const struct buf *body,
    int fd);

/* Queue an encoded body; the typed functions below are the way to call this. */
int ipc_queue(struct ipc_peer *, uint32_t type, uint64_t seq, uint32_t part,
    const struct buf *body, int fd);

/* Register a wait for the answer; gives the sequence to send with. */
uint64_t
ipc_expect(struct ipc_peer *, uint32_t type, ipc_answer_fn *, void *arg);

/* Typed senders.  FX_OK, or FX_ELIMIT when a field is over its limit (nothing
 * was sent), or FX_ESHORT when the channel is closed. */
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, ...)                                                    \
	int ipc_tell_##n(struct ipc_peer *, const struct ipc_##n *);           \
	int ipc_reply_##n(const struct ipc_req *, const struct ipc_##n *);     \
	uint64_t ipc_ask_##n(struct ipc_peer *, const struct ipc_##n *,        \
	    ipc_answer_fn *, void *arg); /* 0: not sent, fn is not called */
#include "ipc_messages.def"
#include "ipc_undef.h"

/*
 * Make a handler of a typed function
 *
 *	static int fn(CTX *, const struct ipc_req *, struct ipc_NAME *);
 *
 * The adapter decodes, calls and clears.
 */
#define IPC_HANDLER(name, fn, CTX)                                             \
	static int fn##_frame(void *ctx, struct ipc_peer *p,                   \
	    struct ipc_frame *f)                                               \
	{                                                                      \
		struct ipc_req req = { p, f->seq, f->type };                   \
		struct ipc_##name m;                                           \
		CTX *self = ctx;                                               \
		int r = ipc_##name##_decode(&f->body, &m, &f->fd);             \
                                                                               \
		if (r != FX_OK)                                                \
			return r;                                              \
		r = fn(self, &req, &m);                                        \
		ipc_##name##_clear(&m);                                        \
		return r;                                                      \
	}

#endif
