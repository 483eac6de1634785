/*
 * workload: a workload as clients get it, in JSON, with what git says of it.
 */
#ifndef FX_API_WORKLOAD_H
#define FX_API_WORKLOAD_H

#include "base.h"
#include "buf.h"
#include "ipc.h"

/* The fields of a container that a client may choose from. */
enum container_field {
	CF_NAME = 1,
	CF_CURRENT = 2,
	CF_LATEST_FILTERED = 4,
	CF_AVAILABLE = 8,
	CF_AVAILABLE_ERROR = 16,
	CF_AVAILABLE_COUNT = 32,
	CF_NEW_AVAILABLE_COUNT = 64,
	CF_FILTERED_COUNT = 128,
	CF_NEW_FILTERED_COUNT = 256,
	CF_ALL = 511,
};

/* "Name,Current": a set of them, "" being all.  FX_ESYNTAX: one is none. */
int
container_fields_parse(const char *, unsigned *out, struct fx_err *) FX_MUSTUSE;

/* A client that meets an id outside the grammar refuses the whole list, so one
 * without cannot be listed. */
bool workload_has_id(const struct ipc_workload *);

/* The element of a list of workloads; decl: NULL if git does not have it.  The
 * workload's labels are put in order. */
void workload_status(struct buf *, struct ipc_workload *,
    const struct ipc_declaration *decl, const struct ipc_repository_is *);

/* The element of a list of images.  This daemon does not know registries: an
 * image is what runs, and about others there is an error. */
void
workload_images(struct buf *, const struct ipc_workload *, unsigned fields);

#endif
