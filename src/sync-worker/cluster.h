/*
 * cluster: everything this process knows and does about the API server.
 *
 *	client		requests (client.h)
 *	catalog		what kinds exist (discovery.h, refresh.c)
 *	kinds		those that git has resources of, each with its list and
 *			watch (watch.c)
 *	objects		one record per resource of the set (objects.h, set.c)
 *	pass		the one run of APPLY or REPAIR that goes on (apply.c)
 *	gc		what git no longer has (gc.h); NULL: nothing is
 *			collected
 *	inventory	what we marked, on record (inventory.h); NULL: nothing
 *			is recorded
 *
 * The other processes are reached through hooks, so all of it runs in a test
 * without them.
 */
#ifndef FX_SW_CLUSTER_H
#define FX_SW_CLUSTER_H

#include "base.h"
#include "client.h"
#include "discovery.h"
#include "json.h"
#include "loop.h"
#include "objects.h"
#include "share.h"

#define LIST_PAGE 1000
#define MARK_SELECTOR "labelSelector=fluxcd.io%2Fsync-gc-mark"
#define META_BODY_MAX (4u << 20)
#define OBJECT_BODY_MAX 3145728 /* what the API server takes */
#define KINDS_MAX 1024
#define CRD_API "apiextensions.k8s.io/v1"

#define ACCEPT_META_LIST                                                       \
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"    \
	"application/json"
#define ACCEPT_META                                                            \
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"        \
	"application/json"

struct cluster;
struct kind;
struct pass;
struct gc;
struct inventory;

/* ---- the catalog (refresh.c) ------------------------------------------ */

typedef void refreshed_fn(void *arg, const struct fx_err *);

struct refresh_wait {
	refreshed_fn *fn;
	void *arg;
	struct refresh_wait *next;
};

/* One of the two documents. */
struct catalog_part {
	struct cluster *cluster;
	const char *path; /* "/api" or "/apis" */
	struct catalog now;
	char *etag; /* of now; NULL */
	/* while it is being read */
	struct catalog next;
	unsigned outstanding; /* requests */
	struct fx_err err;    /* why the document could not be had */
};

struct refresh {
	struct catalog_part parts[2];
	bool loaded; /* both were read at least once */
	bool running;
	unsigned version; /* grows as a document changes */
	struct refresh_wait *waiting;
};

void refresh_init(struct cluster *);
void refresh_clear(struct cluster *);
/* Read the catalog anew (cheap where nothing changed), then call fn. */
void refresh_catalog(struct cluster *, refreshed_fn *, void *arg);
/* Could a kind that it does not have be there by now? */
bool refresh_may_help(const struct cluster *);
const struct disc_kind *cluster_find_kind(const struct cluster *,
    const char *api_version, const char *kind);
/* Why a kind is not in the catalog, as upstream says it. */
void cluster_why_unknown(const struct cluster *, const char *api_version,
    const char *kind, char *out, size_t size);

/* ---- lists (list.c) --------------------------------------------------- */

struct listing;

typedef void list_item_fn(void *arg, const json_t *metadata);
/* The version is that of the whole list; "" if the answer is a failure. */
typedef void
list_done_fn(void *arg, const struct answer *, const char *version);

/* The metadata of a kind in a namespace ("": in all), with our mark or of
 * everybody.  No request may be sent or cancelled from item. */
struct listing *list_start(struct cluster *, const struct kind *,
    const char *ns, bool marked, list_item_fn *, list_done_fn *, void *arg);
void list_cancel(struct listing **);

/* ---- kinds (kinds.c) and their watches (watch.c) ---------------------- */

enum stream_state {
	STREAM_IDLE,	/* not started, or to be listed again */
	STREAM_LISTING, /* on its way */
	STREAM_LIVE,	/* listed, and a watch keeps that true */
	STREAM_STALE,	/* listed once, without a watch */
	STREAM_DENIED,	/* may not be listed */
	STREAM_FAILED,	/* could not be listed: see error */
};

/* One list and watch: of a kind in one namespace, or in all. */
struct stream {
	struct cluster *cluster;
	struct kind *kind;
	char *ns; /* "": all */
	enum stream_state state;
	struct fx_err error; /* of the last list */
	bool unreachable;    /* it failed because nobody answered */
	char version[40]; /* where the watch goes on; "": from what is there */
	unsigned generation;	 /* of the list; objects remember it */
	int64_t relisted_us;	 /* when it last had to begin anew */
	unsigned failures;	 /* of the watch, in a row */
	struct listing *listing; /* the list that runs */
	struct request *request; /* the watch */
	struct lines lines;
	bool expired;		 /* the watch said 410 */
	bool catalog;		 /* of CRDs or API services: never listed */
	bool answered;		 /* the watch that runs has brought something */
	bool resting;		 /* it has none until kinds_wake */
	int64_t watched_us;	 /* when the watch began */
	int64_t first_us;	 /* when the first event of all came */
	struct loop_timer timer; /* the next list or watch */
};

struct kind {
	char *api_version, *group, *kind;
	size_t objects;	 /* of the set */
	bool held;	 /* of the set once, or it had something of ours */
	uint64_t listed; /* number of the pass that listed it last */
	bool known;	 /* in the catalog; then: */
	char *resource;
	bool namespaced, can_list, can_watch;
	bool excluded; /* never listed, nor looked at before it is applied */
	char *why;     /* not known: the reason */
	size_t due;    /* objects that the pass is about to write */
	struct stream *streams;
	size_t nstreams;
};

/* Finds or makes. */
struct kind *
kind_get(struct cluster *, const char *api_version, const char *kind);
/* Look all kinds of the set up in the catalog. */
void kinds_resolve(struct cluster *);
/* Look one up that is not known. */
void kind_resolve(struct cluster *, struct kind *);
/* Append the path of an object or (name NULL) a list. */
int kind_path(const struct kind *, const char *ns, const char *name,
    struct buf *out) FX_MUSTUSE;
void kinds_clear(struct cluster *);

/* Begin to list what is not listed; the watches follow by themselves.
 * pass_step is called as each list ends. */
void kind_list(struct cluster *, struct kind *);
/* Is a list on its way? */
bool kind_is_listing(const struct kind *);
/* The one that an object of this namespace is in; NULL: none. */
struct stream *kind_stream(const struct kind *, const char *ns);
void kind_stop(struct kind *);
/*
 * While a pass writes many objects of a kind it has no watch: each object would
 * come back as an event, which costs the server a sixth of what writing it
 * does.  So after a list in the beginning of a pass the watch waits for
 * kind_watch or kind_rest, which also ends one that runs.
 */
void kind_watch(struct kind *);
void kind_rest(struct kind *);
/* All that rest begin anew, with a list: it shows what others did meanwhile. */
void kinds_wake(struct cluster *);

/* unlisted.c: tell which kinds cannot be listed. */
void unlisted_report(struct cluster *);

/* Watch CRDs and API services, so that the catalog is read anew in time. */
void catalog_watch_start(struct cluster *);
void catalog_watch_stop(struct cluster *);

/* An object changed under us: tell the master soon. */
void drift_found(struct cluster *, struct object *);

/* ---- the set (set.c) -------------------------------------------------- */

struct set_item {
	uint64_t index;
	bool removed, ignored;
	const char *id, *api_version, *kind, *ns, *name, *source, *hash, *mark;
};

struct set_gone {
	char *id;
	uint64_t index; /* in the set that the delta is to */
};

void set_begin(struct cluster *);
int
set_add(struct cluster *, const struct set_item *, struct fx_err *) FX_MUSTUSE;
/* Swap the staged set in if it is whole.  FX_ENEEDFULL: it is a delta to
 * something we do not have. */
int set_end(struct cluster *, uint64_t number, uint64_t base, uint64_t count,
    struct fx_err *) FX_MUSTUSE;
void set_drop(struct cluster *);

/* ---- garbage collection (gc.c, strays.c); none where c->gc is NULL ----- */

struct gc *gc_new(struct cluster *);
void gc_free(struct gc **);
/* A marked object that the set does not have was seen, or is gone. */
void gc_seen(struct stream *, const json_t *metadata);
void gc_gone(struct stream *, const json_t *metadata);
/* The list of a stream is complete. */
void gc_settle(struct stream *);
/* An object left the set; true: it is ours and lives, and is taken. */
bool gc_takes(struct cluster *, struct object *);
/* One came into it. */
void gc_came(struct cluster *, struct object *);
/* Lists that the last step will want need not wait for it: while the pass
 * looks around, the server has time for them. */
void gc_begin_sweep(struct pass *);
/* The last step of a pass. */
void gc_start(struct pass *);
bool gc_step(struct pass *); /* true: done */

/* ---- passes (apply.c, work.c, look.c, crd.c) -------------------------- */

struct pass_result {
	uint64_t resources, patched, unchanged, ignored, deleted, errors;
	bool repair;
	struct fx_err err; /* the pass as a whole failed */
};

/* Begin; FX_EAGAIN: one is running.  The end comes through hooks.done.
 * incomplete: git has more than the set; then nothing is collected. */
int pass_apply(struct cluster *, uint64_t set, bool incomplete,
    struct fx_err *) FX_MUSTUSE;
int pass_repair(struct cluster *, struct fx_err *) FX_MUSTUSE;
/* Something the pass waits for has happened. */
void pass_step(struct cluster *);
/* The set asked for is here (set_end was called), or is not to be had. */
void pass_set_ready(struct cluster *, const struct fx_err *);
/* A body is whole. */
void pass_body(struct cluster *, size_t position, const struct buf *body);
/* A body that is longer than the server takes. */
void pass_body_too_long(struct cluster *, size_t position);
/* No more bodies of the batch; FX_OK or why. */
void pass_bodies_end(struct cluster *, const struct fx_err *);
void pass_clear(struct cluster *);

/* ---- all of it -------------------------------------------------------- */

struct cluster_hooks {
	/* Answered by pass_set_ready, after set_begin, set_add … set_end. */
	void (*ask_set)(void *arg, uint64_t set, uint64_t base);
	/* Answered by pass_body for each index and pass_bodies_end. */
	void (*ask_bodies)(void *arg, uint64_t set, const uint64_t *indexes,
	    size_t n);
	/* An error of the pass, before done. */
	void (*error)(void *arg, const char *id, const char *source,
	    const char *text);
	void (*done)(void *arg, const struct pass_result *);
	/* What the log should say about a resource or about all of it. */
	void (*note)(void *arg, const char *key, const char *text,
	    const char *id, const char *source);
	void (*drift)(void *arg, uint64_t objects);
	/* It was put back again and again; rivals: who else writes it. */
	void (*contested)(void *arg, const char *id, const char *source,
	    const char *rivals);
	/* The same of garbage collection; id NULL: about all of it. */
	void (*collect)(void *arg, const char *key, const char *text, bool dry,
	    const char *id);
	/* How many kinds cannot be listed, and which of git's.  why: of the
	 * first; NULL: they are the same as the last time, or none. */
	void (*unlisted)(void *arg, uint64_t n, const char *kinds,
	    const char *why);
	/* Is the inventory, "ns/name", kept?  why: not; NULL: as before. */
	void (*inventory)(void *arg, const char *where, bool kept,
	    const char *why);
	void *arg;
};

struct names {
	const char *const *v; /* borrowed */
	size_t n;
};

struct cluster_config {
	int64_t timeout_us;   /* of one request */
	int64_t retry_max_us; /* between tries of what the server refuses */
	enum keep_record keep;
	const char *const *allowed; /* namespaces; borrowed */
	size_t nallowed;	    /* 0: all */
	struct names protected;	    /* namespaces that are left alone */
	struct names excluded;	    /* patterns of kinds: see glob.h */
	bool gc, gc_dry;
	const char *inventory;	 /* name of its ConfigMap; NULL: none */
	struct names gc_names;	 /* of our sync set, and of former ones */
	struct names gc_protect; /* kinds */
	struct share gc_limit;
};

struct cluster {
	struct loop *loop;
	struct client *client;
	struct cluster_hooks hooks;
	struct cluster_config config;
	struct refresh refresh;
	struct kind **kinds;
	size_t nkinds;
	struct kind catalog_kinds[2]; /* CRDs, API services: watched */
	bool catalog_stale; /* a CRD or API service changed since it was read */
	int64_t catalog_changed_us; /* when one changed last */
	struct objects objects;
	uint64_t set; /* number of the current one, 0: none */
	struct objects staged;
	struct set_gone *gone; /* what a delta takes away */
	size_t ngone, gone_cap;
	struct gc *gc;
	struct inventory *inventory;
	struct pass *pass; /* NULL: none is running */
	bool no_apply;	   /* the server has no server-side apply */
	uint64_t npasses;
	char *unlisted; /* kinds that were reported last; NULL: none yet */
	struct loop_timer drift_timer;
	struct loop_timer tidy_timer; /* after a pass that worked */
	struct loop_timer wake_timer; /* of kinds that rest */
};

struct cluster *cluster_new(struct loop *, const struct client_hooks *,
    const struct cluster_hooks *, const struct cluster_config *);
void cluster_free(struct cluster **);

/* Is the resource within the namespaces we are restricted to? */
bool cluster_allows(const struct cluster *, const struct object *);

/* Is the kind, or (kind "") all of a group version, never to be listed? */
bool cluster_excludes(const struct cluster *, const char *api_version,
    const char *kind);

/* A GET with the usual limits. */
struct request *cluster_get(struct cluster *, struct buf *path,
    const char *accept, size_t max, answer_fn *, void *arg);

#endif
