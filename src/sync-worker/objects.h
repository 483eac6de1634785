/*
 * objects: what git says, and what is known about the live object of each.
 *
 * One small record per resource of the current set; bodies are not kept.  What
 * the API server shows of an object (in a list, an event of a watch, the answer
 * to a request) goes through object_observe, which decides from metadata alone
 * whether the object still is as we applied it.
 */
#ifndef FX_SW_OBJECTS_H
#define FX_SW_OBJECTS_H

#include "base.h"
#include "fields.h"

#include <jansson.h>

#define OBJ_MARK_LABEL "fluxcd.io/sync-gc-mark"
#define OBJ_CHECKSUM "fluxcd.io/sync-checksum"
#define OBJ_RANKS 6
#define OBJ_MAX 1000000 /* resources of one set */
/* a set of fields that is kept until it has been compared with a body */
#define OBJ_FIELDS_MAX (256 * 1024)
/* a patch that is kept until the object's turn; a longer one is made anew */
#define OBJ_TAKEOVER_MAX (16 * 1024)

#define OBJ_CONTESTED 3 /* repairs in quick succession that are reported */

struct kind; /* of watch.h */

/* Why an object is not to be collected, whoever says so on it. */
enum spare {
	SPARE_NOT,
	SPARE_IGNORE,	 /* ignore: "true" */
	SPARE_SYNC_ONLY, /* ignore: sync_only */
	SPARE_PRUNE,	 /* another engine's "do not prune" */
};

enum object_state {
	OBJ_NEW,   /* its kind has not been listed */
	OBJ_LOOK,  /* not among the marked ones: ask for it by name */
	OBJ_CHECK, /* checksum and mark are right; is everything ours? */
	OBJ_DIRTY, /* has to be applied */
	OBJ_CLEAN, /* as git says */
};

/* kubectl's record of what was applied last (takeover.h). */
enum keep_record {
	KEEP_AUTO,   /* where the object has it, it is kept current */
	KEEP_ALWAYS, /* written into every object */
	KEEP_NEVER,  /* taken off */
};

/* What metadata says that matters here. */
struct live {
	char uid[40];
	uint64_t version; /* 0: not a number */
	uint8_t digest[FIELDS_DIGEST];
	bool owned;	/* we have an entry */
	bool ours;	/* the mark is right */
	bool marked;	/* mark and checksum are those of the set */
	bool ignored;	/* ignore: "true" in the cluster */
	bool deleting;	/* has a deletionTimestamp */
	bool dependent; /* somebody else owns it: ownerReferences */
	bool recorded;	/* has kubectl's record */
	bool foreign;	/* to be taken over from kubectl first */
	enum spare spare;
};

struct object {
	/* what git says */
	const char *id, *ns, *name; /* behind the struct, in its memory */
	char *source;		    /* owned */
	struct kind *kind;
	const char *api_version; /* the kind's */
	uint64_t index;		 /* its number in the set */
	char hash[41], mark[64];
	bool ignored; /* ignore: "true" in git */
	bool listed;  /* the inventory names it */
	bool looked;  /* a stray that was asked for by name, in this pass */
	bool is_crd;
	unsigned rank;
	enum keep_record keep;
	/* what is known of the live object */
	enum object_state state;
	struct live live; /* digest: of our entry when it was right */
	bool has_digest;
	char *fields;	/* with OBJ_CHECK: our entry */
	char *takeover; /* live.foreign: the patch; NULL: read it first */
	bool merged;	/* kept by three-way merge: its content cannot be
			   applied on the server */
	/* work */
	bool in_flight; /* its PATCH is on the way: what is seen must wait */
	struct live *later;  /* the newest of what was seen meanwhile */
	uint64_t gone_later; /* it was deleted meanwhile, at this version */
	bool drifted;	     /* somebody changed it: the next repair takes it */
	unsigned fights;     /* repairs in quick succession */
	int64_t repaired_us; /* the last one */
	int64_t not_before_us; /* of the next */
	char *rivals;	       /* who else writes it; NULL: nobody seen yet */
	unsigned failures;     /* attempts in a row that the server refused */
	int64_t retry_us;      /* not before this, unless it changes */
	int64_t recreated_us;  /* when it was last deleted and made anew */
	char *error;	       /* of the last attempt; NULL */
	unsigned seen;	       /* generation of the list that had it last */
	struct object *next_id, *next_key; /* the table's */
	size_t pos;			   /* in the table */
};

struct objects {
	struct object **v; /* unordered */
	size_t n, cap;
	struct object **by_id, **by_key; /* chained, nslots each */
	size_t nslots;			 /* a power of two */
	uint64_t seed;
};

void objects_init(struct objects *, uint64_t seed);
void objects_clear(struct objects *);
/* The printed id says nothing about the API group, and two groups may have a
 * kind of one name: of the api_version the group counts. */
struct object *
objects_by_id(const struct objects *, const char *id, const char *api_version);
/* The one of this id that has this number in the set. */
struct object *
objects_by_index(const struct objects *, const char *id, uint64_t index);
/* The next one of the same id, of any group; first: after NULL. */
struct object *objects_next(const struct objects *, const char *id,
    const struct object *after);
struct object *objects_find(const struct objects *, const struct kind *,
    const char *ns, const char *name);
/* "apps" of "apps/v1beta1" and "apps/v1"; "" of "v1". */
bool api_same_group(const char *a, const char *b);
/* Takes the object; its id in its group and its key are not in the table. */
void objects_add(struct objects *, struct object *);
void objects_remove(struct objects *, struct object *);
/* Nothing is known of it but its name, and of its kind no more than which. */
struct object *
object_new(struct kind *, const char *id, const char *ns, const char *name);
void object_free(struct object **);

/* Order of applying: 0 namespaces … 4 anything else, 5 webhooks. */
unsigned object_rank(const char *kind);
/* For qsort of struct object *: rank, name, namespace, id. */
int object_compare(const void *, const void *);

/* The set has another content for it. */
void object_changed(struct object *);

/* spare.c: what its annotations say. */
enum spare spare_read(const json_t *annotations);

void live_read(const struct object *, const json_t *metadata, struct live *);

/* The object was seen.  true: it was as git says until now, and is not. */
bool object_observe(struct object *, const json_t *metadata);
/* It is not there any more, or lost its mark.  true as above. */
bool object_vanished(struct object *, uint64_t version);

/* It was put back.  A repair that comes soon after the last one has to wait
 * longer and longer: somebody else wants something else. */
void object_repaired(struct object *);
/* It was looked at, and was as git says: somebody writes what is not in git,
 * and may do so all the time.  The next look has to wait a moment. */
void object_was_right(struct object *);
/* Has that gone on for so long that it has to be told? */
bool object_is_contested(const struct object *);

/* The server refused it: the next pass tries again, and from then on one that
 * comes when it has failed for as long again as it did; max_us at most. */
void object_refused(struct object *, int64_t max_us);

/* A request is on its way; its answer; true: changed again meanwhile. */
void object_sent(struct object *);
bool object_applied(struct object *, const json_t *metadata);
bool object_not_applied(struct object *, const char *error);

#endif
