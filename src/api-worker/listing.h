/*
 * listing: what the cluster runs, joined with what git says about it.
 *
 *	REPOSITORY	is git ready, and which set of resources is loaded?
 *	WORKLOADS	of the cluster, in parts, as fast as the client reads
 *	DECLARED	for each part: which of these does the set have?
 *
 * and each part becomes JSON that the client takes before the next is looked
 * at, so that no process ever holds a whole list.  What fails before the first
 * byte of it is an error like any other; what fails afterwards cuts the
 * connection.
 */
#ifndef FX_API_LISTING_H
#define FX_API_LISTING_H

#include "base.h"
#include "http.h"
#include "ipc.h"

struct listing;

/* What one kind of list makes of a workload. */
struct listing_kind {
	bool declared; /* wants what git says of each */
	/* Put in front of what the cluster's side says went wrong. */
	const char *some, *all;
	/* Append the element for a workload; decl is NULL if git does not have
	 * it. */
	void (*write)(struct buf *, struct ipc_workload *,
	    const struct ipc_declaration *decl,
	    const struct ipc_repository_is *, unsigned fields);
};

/* Answer with a list of what the cluster answers to this question, which
 * becomes the listing's.  fields: of containers, a set of container_field. */
void listing_begin(struct http_request *, const struct listing_kind *,
    struct ipc_workloads *, unsigned fields);

#endif
