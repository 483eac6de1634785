/*
 * reads: questions about what the cluster has, answered as it is read.
 *
 * WORKLOADS and EXPORT share what is here: they wait until the kinds are known,
 * read through a reader, send a part for each grant of credit, and end when
 * nothing is left, when nobody wants the rest, or when their time is over.
 */
#ifndef FX_SW_READS_H
#define FX_SW_READS_H

#include "base.h"
#include "reader.h"
#include "sw.h"
#include "workload.h"

/* All of an answer, whoever takes it: the master ends a worker that needs two
 * minutes. */
#define READ_MAX_US (100 * CLK_SEC)
/* Bytes of a part: small, for the api keeps four of them for each client. */
#define READ_PART (32 * 1024)

struct read_ask;

struct read_type {
	size_t size; /* of the struct that begins with a read_ask */
	/* The kinds are known: make the reader. */
	void (*begin)(struct read_ask *);
	/* There may be something to send, and credit for it. */
	void (*go_on)(struct read_ask *);
	void (*clear)(struct read_ask *);
	const char *what; /* for the log: "listing" */
};

/* One question. */
struct read_ask {
	struct sw *sw;
	const struct read_type *type;
	struct ipc_req req;
	struct reader *reader; /* owned; NULL: none yet */
	struct loop_timer deadline;
	/* objects that are not told of, or not all */
	unsigned odd;
	char odd_first[IPC_MAX_ID + 1], odd_why[256];
	struct read_ask *next;
};

/* Begin; NULL: it was refused, and that is answered.  The caller fills in what
 * is its own and calls read_start. */
struct read_ask *
read_new(struct sw *, const struct ipc_req *, const struct read_type *);
void read_start(struct read_ask *);
/* The reader's hook: something can be sent. */
void read_go_on(void *ask);
/* It is over: say so in the log and forget it.  The answer has been sent. */
void read_end(struct read_ask *);
void read_fail(struct read_ask *, const struct fx_err *);
/* About an object; what happens to it is told once, for all. */
void
read_odd(struct read_ask *, const char *ns, const char *name, const char *why);

/* May we look into this namespace? */
bool read_allows(const struct sw *, const char *ns);
/* Add the places where the objects of a kind are. */
void read_kind(struct read_ask *, struct reader *, const struct workload_kind *,
    const char *ns, const char *name);

#endif
