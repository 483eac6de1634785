/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "ipc_limits.h"
#include "json.h"

/*
 * How far a rollout is, from what the controllers write into the status of an
 * object.  They leave numbers out that are zero.
 */

#define STARTED "started"   /* not seen by its controller yet */
#define UPDATING "updating" /* pods are missing, or old ones are left */
#define READY "ready"
#define ERROR "error"

/* Within the range that the API has for them, whatever is sent. */
static int64_t
number(const json_t *j, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(j, key));

	return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v;
}

static bool
is(const json_t *j, const char *key, const char *value)
{
	return strcmp(sw_json_str(j, key), value) == 0;
}

/* Has its controller seen this version of it? */
static bool
is_observed(const json_t *object)
{
	json_int_t observed = json_integer_value(
	    sw_json_at(object, "status", "observedGeneration"));

	return observed >=
	    json_integer_value(sw_json_at(object, "metadata", "generation"));
}

/* What keeps it from getting on. */
static void
read_conditions(const json_t *conditions, struct workload *w)
{
	const json_t *c;
	size_t i;

	json_array_foreach (conditions, i, c)
		if ((is(c, "type", "Progressing") &&
			is(c, "status", "False")) ||
		    (is(c, "type", "ReplicaFailure") &&
			is(c, "status", "True")))
			workload_add_message(w, sw_json_str(c, "message"));
}

static bool
is_complete(const struct workload *w)
{
	return w->updated == w->desired && w->available == w->desired &&
	    w->outdated == 0;
}

void
rollout_deployment(const json_t *object, struct workload *w)
{
	const json_t *status = json_object_get(object, "status");

	w->desired = number(json_object_get(object, "spec"), "replicas");
	w->updated = number(status, "updatedReplicas");
	w->ready = number(status, "readyReplicas");
	w->available = number(status, "availableReplicas");
	w->outdated = number(status, "replicas") - w->updated;
	read_conditions(json_object_get(status, "conditions"), w);
	w->status = xstrdup(!is_observed(object) ? STARTED
		: w->nmessages > 0		 ? ERROR
		: is_complete(w)		 ? READY
						 : UPDATING);
}

void
rollout_daemonset(const json_t *object, struct workload *w)
{
	const json_t *status = json_object_get(object, "status");

	w->desired = number(status, "desiredNumberScheduled");
	w->updated = number(status, "updatedNumberScheduled");
	w->ready = number(status, "numberReady");
	w->available = number(status, "numberAvailable");
	w->outdated = number(status, "currentNumberScheduled") - w->updated;
	w->status = xstrdup(!is_observed(object) ? STARTED
		: is_complete(w)		 ? READY
						 : UPDATING);
}

/* Pods below the partition are to stay as they are. */
static int64_t
partition(const json_t *spec)
{
	const json_t *strategy = json_object_get(spec, "updateStrategy");
	int64_t p =
	    number(json_object_get(strategy, "rollingUpdate"), "partition");

	return is(strategy, "type", "RollingUpdate") ? p : 0;
}

void
rollout_statefulset(const json_t *object, struct workload *w)
{
	const json_t *spec = json_object_get(object, "spec"),
		     *status = json_object_get(object, "status");
	bool halfway = !is(status, "currentRevision",
	    sw_json_str(status, "updateRevision"));
	int64_t replicas = number(spec, "replicas"), p = partition(spec);
	bool updated;

	w->desired = replicas > p ? replicas - p : 0;
	w->updated =
	    number(status, halfway ? "updatedReplicas" : "currentReplicas");
	w->ready = w->available = number(status, "readyReplicas");
	w->outdated = w->desired - w->updated;
	/* with all pods of one revision, upstream waits for ever for those
	 * below the partition to become another one */
	updated = w->outdated == 0 || (p > 0 && w->outdated < 0);
	w->status = xstrdup(!is_observed(object)  ? STARTED
		: updated && w->ready == replicas ? READY
						  : UPDATING);
}

void
rollout_cronjob(const json_t *object, struct workload *w)
{
	(void)object;
	w->status = xstrdup(READY);
}

/* Helm's own word for it; none before the operator has looked at it. */
void
rollout_release(const json_t *object, struct workload *w)
{
	const json_t *status = json_object_get(object, "status");

	w->status =
	    workload_cut(w, sw_json_str(status, "releaseStatus"), IPC_MAX_NAME);
}
