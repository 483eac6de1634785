/*
 * policy: what annotations of a resource tell the daemon.
 *
 *	fluxcd.io/<p>, flux.weave.works/<p>	policy <p>
 *	filter.fluxcd.io/<c>			policy tag.<c>
 *
 * Where several annotations give the same policy, the first line above wins,
 * then its second prefix, then the last line: always in that order, whatever
 * order they are met in.
 */
#ifndef FX_POLICY_H
#define FX_POLICY_H

#include "base.h"

#define POLICY_IGNORE "ignore"
#define POLICY_AUTOMATED "automated"
#define POLICY_LOCKED "locked"

struct policy {
	char *name;    /* owned */
	char *value;   /* owned */
	unsigned rank; /* of its prefix; the smaller one wins */
};

struct policy_set {
	struct policy *v; /* owned; in the order of their names */
	size_t n;
};

/* Take an annotation into the set if it is a policy. */
void policy_add(struct policy_set *, const char *key, const char *value);
void policy_clear(struct policy_set *);

/* The policy's value, or NULL. */
const char *policy_get(const struct policy_set *, const char *name);

/* A boolean policy is on only if its value is exactly "true". */
bool policy_has(const struct policy_set *, const char *name);

/* ignore: sync_only, that is: applied, but never collected. */
bool policy_is_sync_only(const struct policy_set *);

#endif
