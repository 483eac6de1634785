/*
 * reader: whole objects of the API server, for somebody who takes them at his
 * own pace.
 *
 * A reader has places to read: all objects of a kind in a namespace or in all,
 * or a single one by name.  Lists come in pages.  A page is handed out when it
 * is complete, so one that breaks off is read again and nothing comes twice;
 * and no page is asked for while enough of the ones before it is not taken.
 * What is held is therefore bounded, however much there is and however slow
 * who takes it.
 *
 * All readers of the process share a few requests in flight.  What a pass asks
 * for comes behind what they have asked for, and has to wait until that has
 * been read: so they rest when a pass begins, and go on when it is over, or
 * slowly beside one that takes long.  A kind whose list hangs does not keep all
 * others from being read.
 *
 * Nothing is called back from within a call: what happens is told from the
 * loop, and the reader may be freed then.
 */
#ifndef FX_SW_READER_H
#define FX_SW_READER_H

#include "base.h"
#include "cluster.h"

#define READERS_MAX 256	      /* at once: as many clients as the API takes */
#define READS_IN_FLIGHT 2     /* requests of all readers */
#define READS_BESIDE_PASS 1   /* … while a pass is running */
#define READS_REST_US CLK_SEC /* … when it begins, or is about to: none */
#define READS_TURN_US (CLK_SEC / 4) /* … and they have had this before */
#define READS_MOST 8		    /* … where the server does not answer, */
#define READS_SLOW_US CLK_SEC /* one more each time that this has passed */
#define READ_PAGE 100	      /* objects; Deployments of one: 500 KB of JSON */
#define READ_PAGE_BYTES (1u << 20) /* of what is made of a page */
#define READ_AHEAD (192u * 1024)   /* bytes of one reader, not yet taken */
#define READ_HELD_MAX (32u << 20)  /* bytes of all, beyond a page for each */
#define READ_PLACES_AT_ONCE 8	   /* of one reader */

struct reader;

/* What is made of an object; the beginning of a larger struct. */
struct reading {
	size_t bytes; /* that it stands for */
	struct reading *next;
};

/* Where to read. */
struct place {
	const char *api_version, *kind; /* borrowed for ever */
	const void *what;		/* for the hooks: what to make of it */
	char *ns;   /* owned; "": all namespaces, or there are none */
	char *name; /* owned; NULL: all objects */
	/* The next place has the same objects in an older group, or this one
	 * those of the place before it: one that both show is shown once. */
	bool newer, older;
};

struct reader_hooks {
	/* Make something of an object, which may be changed; NULL: nothing. */
	struct reading *(*make)(void *arg, const struct place *, json_t *);
	void (*drop)(struct reading *);
	/* There is something to take, or the end. */
	void (*ready)(void *arg);
	/* A place passed over: a list that we may not have, an object that is
	 * forbidden or not there. */
	void (*passed)(void *arg, const struct place *, const char *why);
	/* An object that is no JSON we could read. */
	void (*unreadable)(void *arg, const struct place *, const char *why);
	void *arg;
};

/* All readers of a process. */
struct readers {
	struct cluster *cluster;
	struct reader *first; /* whose turn it is */
	size_t n;
	unsigned in_flight;
	int64_t asked_us; /* when one was asked for last */
	int64_t rest_us;  /* until then none is, for a pass comes */
	int64_t turn_us;  /* they have gone on */
	size_t held;	  /* bytes */
	struct loop_timer timer;
};

void readers_init(struct readers *, struct cluster *);
void readers_clear(struct readers *);
/* A pass is about to begin. */
void readers_rest(struct readers *);
/* It may be: they rest, too, unless they have just gone on. */
void readers_expect(struct readers *);
/* It has ended, or does not come. */
void readers_go_on(struct readers *);

/* in_order: objects come place by place. */
struct reader *
reader_new(struct readers *, bool in_order, const struct reader_hooks *);
/* Stops what is on its way. */
void reader_free(struct reader **);
/* Copies the place. */
void reader_add(struct reader *, const struct place *);
/* After the last place was added. */
void reader_start(struct reader *);

/* The next one, the caller's; NULL: none now. */
struct reading *reader_take(struct reader *);
/* Nothing will come any more: FX_OK or why in *err. */
bool reader_is_done(const struct reader *, struct fx_err *err);

#endif
