/*
 * workload: what the cluster runs, as clients see it.
 *
 * A workload is an object with containers, of one of the kinds in the table.
 * What is told of it is computed from the whole object as the API server shows
 * it, by the rules of upstream: how far its rollout is, which images it has.
 *
 * Objects are other people's work.  What could not be told to a client (a name
 * outside the grammar of ids) is not a workload, and what is too much is cut:
 * no single object spoils a list.
 */
#ifndef FX_SW_WORKLOAD_H
#define FX_SW_WORKLOAD_H

#include "base.h"

#include <jansson.h>

#define WORKLOAD_BYTES_MAX (24 * 1024) /* texts of one */
#define WORKLOAD_MESSAGE_MAX 1024      /* of a condition */

struct workload {
	char *id;
	char *status;
	int64_t desired, updated, ready, available, outdated;
	char **messages;
	size_t nmessages;
	char *antecedent; /* an id; "" */
	struct workload_pair {
		char *name, *value;
	} * labels, *containers; /* name and image; init containers last */
	size_t nlabels, ncontainers;
	size_t bytes; /* of all texts */
	bool cut;     /* it had more than is told */
};

/* Both read the object and fill in their part. */
typedef void rollout_fn(const json_t *object, struct workload *);
typedef void images_fn(const json_t *object, struct workload *);

#define WORKLOAD_APIS_MAX 2

struct workload_kind {
	const char *id;	  /* the kind within ids */
	const char *kind; /* as the API server writes it */
	/* The newest comes first. */
	const char *apis[WORKLOAD_APIS_MAX];
	/* Another API group has objects of its own; another version of the
	 * same group shows the same objects once more. */
	bool all_apis;
	rollout_fn *rollout;
	images_fn *images;
};

/* In the order of their ids. */
extern const struct workload_kind workload_kinds[];
extern const size_t workload_nkinds;

/* By the kind of an id; NULL: nothing that has containers. */
const struct workload_kind *workload_kind_find(const char *id_kind);

/* Is it a part of the cluster itself?  Those are nobody's workloads. */
bool workload_is_addon(const json_t *object);

/* FX_ESYNTAX: its name makes no id.  Filled in only on success. */
int workload_read(const struct workload_kind *, const json_t *object,
    struct workload *) FX_MUSTUSE;
void workload_clear(struct workload *);

/* ---- for the parts ---------------------------------------------------- */

/* rollout.c */
rollout_fn rollout_deployment, rollout_daemonset, rollout_statefulset,
    rollout_cronjob, rollout_release;

/* images.c: of a pod template; release.c: of the values of a Helm release. */
images_fn images_template, images_cronjob, images_release;

/* A container more, or another image for the one of that name. */
void workload_add_image(struct workload *, const char *name, const char *image);
void workload_drop_images(struct workload *);
void workload_add_message(struct workload *, const char *);
/* At most max bytes of it, and no character by half.  Owned by the caller. */
char *workload_cut(struct workload *, const char *, size_t max);
/* The image as clients know it; NULL: it is none.  Owned by the caller. */
char *workload_image(const char *);

#endif
