/*
 * read_bed: asking a fluxd-sync (sync_bed.h) what the cluster has, as the api
 * worker does.
 */
#ifndef FX_READ_BED_H
#define FX_READ_BED_H

#include "sync_bed.h"

#define READ_WAIT_US (60 * CLK_SEC)

/* An answer as it comes in; where it is must not change meanwhile. */
struct read_answer {
	uint64_t done;
	bool stopped; /* no credit beyond the first, but what the test grants */
	uint64_t seq, parts;
	struct fx_err err;
	struct ipc_workload *v; /* owned */
	size_t n;
	struct buf yaml;
};

/* ids end with NULL, or are NULL. */
void read_ask(struct bed *, struct read_answer *, const char *ns,
    const char *const *ids);
/* Ask and wait. */
void read_list(struct bed *, struct read_answer *, const char *ns,
    const char *const *ids);
void read_export(struct bed *, struct read_answer *);
void read_clear(struct read_answer *);

const struct ipc_workload *
read_find(const struct read_answer *, const char *id);
/* ns:KIND/NAME; good for some calls more. */
const char *read_id(const char *ns, const char *kind_name);
/* "status desired updated ready available outdated"; good for one. */
const char *read_state(const struct ipc_workload *);
/* "name=value name=value", the caller's. */
char *read_pairs(const struct ipc_named *, size_t n);
/* Does the export have this text? */
bool read_has(const struct read_answer *, const char *text);
/* What kubectl makes of an export, by a filter of jq; through this file. */
char *
read_objects(const struct read_answer *, const char *path, const char *filter);

#endif
