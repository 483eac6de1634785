/*
 * gc: what was applied once and is no longer in git.
 *
 * Everything we apply carries a mark, which follows from the name of the sync
 * set and from the object's own id (mark.h).  So ours are known without any
 * record of them, and a label that was copied makes no other object ours.
 *
 * A live object with our mark that the set does not have is a stray.  Strays
 * are learned where objects are learned anyway: what leaves the set becomes
 * one, and the streams of the kinds that git has, or had since the start, show
 * the others (watch.c).  Whether any more kinds hold something of ours is found
 * out by the sweep, a list of each kind by mark: once after the start, for
 * kinds that appear later when they do, and after a day.  A kind that shows
 * something of ours gets a stream.  A pass in which nothing changed therefore
 * asks nothing.
 *
 * gc_step judges the strays when everything was applied.  What it deletes goes
 * in the reverse order of applying, in the background, each with the uid and
 * the version that the judgement was made on; nobody waits for finalizers.
 * What cannot be listed, or is not known for certain, is left alone.
 */
#ifndef FX_SW_GC_H
#define FX_SW_GC_H

#include "cluster.h"

#define GC_IN_FLIGHT 32 /* deletions */
#define SWEEP_LISTS 16	/* at once */

struct pass;

/* One kind of the cluster, and whether it was listed. */
struct sweep_kind {
	char *api_version, *kind, *resource;
	bool namespaced;
	const struct kind *by; /* its stream tells; NULL: it has none */
	bool failed;	       /* could not be listed: */
	char *why;
	int64_t due_us; /* when to list it (again) */
};

struct sweep;

struct sweep_slot {
	struct sweep *sweep;
	struct sweep_kind *of; /* NULL: free */
	struct kind kind;      /* for its path; borrows from `of` */
	size_t space;	       /* number of the namespace listed */
	bool found;	       /* something of ours */
	struct fx_err err;     /* of one of its lists */
	struct listing *listing;
};

struct sweep {
	struct cluster *cluster;
	struct sweep_kind *v; /* sorted by group and kind */
	size_t n;
	unsigned catalog; /* version of the catalog that v was made from */
	size_t next;	  /* not looked at yet */
	struct sweep_slot slots[SWEEP_LISTS];
	unsigned running;
	char *told; /* what the log was told cannot be listed */
};

/* The kinds as the catalog has them now; lists what is due. */
void sweep_start(struct sweep *);
bool sweep_is_running(const struct sweep *);
/* Tell the log what cannot be listed, if that changed. */
void sweep_report(struct sweep *);
/* How many that is, without the kinds that git has. */
uint64_t sweep_unlisted(const struct sweep *);
void sweep_clear(struct sweep *);

enum gc_phase {
	GC_CATALOG, /* waits for discovery */
	GC_SWEEP,   /* waits for lists, but not for ever */
	GC_LOOK,    /* at what the inventory names and no list shows */
	GC_DELETE,
	GC_RECORD, /* waits for the inventory */
	GC_DONE,
};

/* A deletion, or a look at an object. */
struct gc_slot {
	struct cluster *cluster;
	struct object *object; /* NULL: free */
	unsigned tries;
};

struct gc {
	struct cluster *cluster;
	struct objects strays;
	struct sweep sweep;
	/* of the pass that runs */
	enum gc_phase phase;
	int64_t until_us;
	uint64_t swept; /* number of the pass that began the sweep */
	struct loop_timer timer;
	struct object **queue; /* to look at, then to delete; what is in it
				  stays until that is done */
	size_t nqueue, next;
	struct gc_slot slots[GC_IN_FLIGHT];
	unsigned in_flight;
};

/* judge.c: tell the log; id NULL: about all of it. */
void
gc_note(const struct gc *, const char *key, const char *text, const char *id);
/* Has git this very object, perhaps under another API group? */
bool gc_in_git(const struct gc *, const struct object *);
/* Is what we know of it kept true by a list and a watch? */
bool gc_is_certain(const struct object *);
/* Is its kind one that is never deleted? */
bool gc_protects(const struct cluster *, const struct object *);
/* May it be deleted?  Tells the log why not. */
bool gc_may_go(const struct gc *, const struct object *);

/* Forget it, or, while somebody holds it (in_flight), let him do so. */
void stray_drop(struct gc *, struct object *);
void stray_let_go(struct gc *, struct object *);
/* It is there and not ours, or not any more. */
void stray_lost(struct gc *, struct object *);

/* One that the inventory names; nothing is known of it yet. */
void stray_listed(struct gc *, struct kind *, const char *id, const char *ns,
    const char *name);
/* What its metadata says, by the mark that makes it ours. */
void
stray_read(struct gc *, struct object *, const json_t *meta, struct live *);

/* Has the label of this object, whose kind and place are these, the value that
 * makes it ours?  Then its id, owned by the caller; else NULL. */
char *gc_own_id(const struct cluster *, const char *kind, const json_t *meta);

#endif
