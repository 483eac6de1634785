/*
 * discovery: what kinds the API server has, and where they live.
 *
 * A catalog is made of two documents, /api and /apis, each in the aggregated
 * form where the server has it, else put together from one list per group
 * version.  A group version whose server is down, or whose list could not be
 * had, is remembered as broken with the reason: its kinds are "not known", not
 * "gone", and no other group suffers.
 *
 * Names of resources become parts of URLs: an entry with anything but the
 * characters of a DNS name in it does not get into the catalog.
 */
#ifndef FX_SW_DISCOVERY_H
#define FX_SW_DISCOVERY_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

#define DISC_ACCEPT                                                            \
	"application/json;g=apidiscovery.k8s.io;v=v2;"                         \
	"as=APIGroupDiscoveryList,"                                            \
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;"                    \
	"as=APIGroupDiscoveryList,application/json"
#define DISC_BODY_MAX (32u << 20)
#define DISC_KINDS_MAX 65536  /* of one document */
#define DISC_GROUPS_MAX 16384 /* group versions of one document */
#define DISC_TEXT_MAX 253     /* bytes of a name */

/* One kind of one group version. */
struct disc_kind {
	char *api_version; /* "v1", "apps/v1" */
	char *kind;
	char *resource; /* plural, as in URLs */
	bool namespaced;
	bool can_list, can_watch;
	size_t order; /* of its group version, as the server likes them */
};

/* A group version that exists. */
struct disc_group {
	char *api_version;
	char *broken; /* why its kinds are not known; NULL: they are */
};

struct catalog {
	struct disc_kind *kinds; /* sorted by api_version, kind */
	size_t nkinds, kinds_cap;
	struct disc_group *groups;
	size_t ngroups, groups_cap;
};

void catalog_clear(struct catalog *);

/* Take in a whole aggregated document.  Sort afterwards. */
int catalog_add_aggregated(struct catalog *, const json_t *,
    struct fx_err *) FX_MUSTUSE;

/*
 * The legacy form, first step: the group versions that /api (APIVersions) or
 * /apis (APIGroupList) names are added, each broken until its list comes.
 */
int catalog_add_versions(struct catalog *, const json_t *,
    struct fx_err *) FX_MUSTUSE;
/* Second step: the APIResourceList of group number i, or why there is none. */
int catalog_add_resources(struct catalog *, size_t i, const json_t *,
    struct fx_err *) FX_MUSTUSE;
void catalog_set_broken(struct catalog *, size_t i, const char *why);

void catalog_sort(struct catalog *);

/* Is the answer's content type that of an aggregated document? */
bool disc_is_aggregated(const char *content_type);

const struct disc_kind *
catalog_find(const struct catalog *, const char *api_version, const char *kind);
const struct disc_group *
catalog_group(const struct catalog *, const char *api_version);

/* "/api/v1" or "/apis/apps/v1". */
void disc_add_group_path(struct buf *, const char *api_version);

/*
 * Append the path of an object, a collection (name NULL) or, with ns empty or
 * NULL, of all namespaces or a cluster-scoped object.  Names are
 * percent-encoded; FX_ESYNTAX for one that cannot be part of a path.
 */
int disc_add_path(struct buf *, const struct disc_kind *, const char *ns,
    const char *name) FX_MUSTUSE;

/* Append with everything but unreserved characters percent-encoded. */
void disc_add_encoded(struct buf *, const char *);

#endif
