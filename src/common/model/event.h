/*
 * event: what the daemon did, as the JSON that is sent to a service.
 *
 * The bytes are those of upstream's encoder: the order of the members, what is
 * left out and what is null.  An event has a limit; lists that would take it
 * beyond are cut at a whole element, and count what they left out.
 */
#ifndef FX_EVENT_H
#define FX_EVENT_H

#include "base.h"
#include "buf.h"

#define EVENT_JSON_MAX (1u << 20) /* bytes of one event */
/* Its lists' shares; the rest of it takes far less than what is left. */
#define EVENT_IDS_MAX (512u << 10)
#define EVENT_COMMITS_MAX (384u << 10)
#define EVENT_ERRORS_MAX (96u << 10)

/* The elements of an array. */
struct event_list {
	struct buf json;
	size_t n;
	size_t left_out; /* for which there was no room */
};

#define EVENT_LIST_INIT(limit)                                                 \
	{                                                                      \
		.json = BUF_INIT(limit)                                        \
	}

void event_list_clear(struct event_list *);

void event_add_id(struct event_list *, const char *id);
void event_add_commit(struct event_list *, const char *revision,
    const char *subject);
/* What of a sync was not applied; path: of the file, in the repository. */
void event_add_error(struct event_list *, const char *id, const char *path,
    const char *text);

/* What every event has.  Times are wall-clock microseconds. */
struct event {
	const char *type;
	const struct event_list *ids; /* of the resources it is about */
	int64_t started_us, ended_us;
};

/* The event up to its metadata, which the caller writes, and a brace. */
void event_begin(struct buf *, const struct event *);

struct event_sync {
	const struct event_list *ids, *commits, *errors;
	const char *includes[4]; /* sorted; NULL: no more */
	bool initial;		 /* nothing was synced before */
	int64_t started_us;
};

void event_sync(struct buf *, const struct event_sync *);

#endif
