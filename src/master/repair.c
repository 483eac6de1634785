/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "repair.h"

#include "child.h"
#include "log.h"
#include "master.h"

#define REPAIR_LIMIT_US                                                        \
	(3600 * CLK_SEC) /* sync times out each request itself */

static void
log_errors(const struct ipc_sync_error *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		log_at(LVL_ERROR, KS("component", "daemon"),
		    KS("err", e[i].text), KS("resource", e[i].id),
		    KS("source", e[i].source));
}

static int
on_repaired(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct ipc_repair_errors part;
	struct ipc_repaired a;
	int r;

	if (f != NULL && f->type == IPC_T_REPAIR_ERRORS) {
		r = ipc_repair_errors_decode(&f->body, &part, &f->fd);
		if (r != FX_OK)
			return r;
		log_errors(part.errors, part.errors_len);
		ipc_repair_errors_clear(&part);
		return FX_OK;
	}
	m->repair.call = NULL;
	if (err != NULL) {
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning", "repair becomes a sync"),
		    KS("err", err->text));
		sync_request(m);
		return FX_OK;
	}
	r = ipc_repaired_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	if (a.patched != 0) {
		metrics_add(m->metrics, METRIC_REPAIRED_OBJECTS, "",
		    (int64_t)a.patched);
		log_at(LVL_INFO, KS("component", "daemon"),
		    KS("info", "put back what was changed in the cluster"),
		    KI("objects", a.patched), KI("errors", a.errors));
	}
	sync_lane_is_free(m);
	repair_lane_is_free(m);
	return FX_OK;
}

bool
repair_is_running(const struct master *m)
{
	return m->repair.call != NULL;
}

void
repair_lane_is_free(struct master *m)
{
	struct ipc_repair q = { 0 };

	if (!m->repair.wanted || m->repair.call != NULL || m->stopping ||
	    sync_uses_cluster(m))
		return;
	m->repair.wanted = false;
	m->repair.call = MST_ASK(mst_child(m, IPC_R_SYNC), repair, REPAIR, &q,
	    REPAIR_LIMIT_US, on_repaired, m);
}

void
repair_request(struct master *m)
{
	m->repair.wanted = true;
	repair_lane_is_free(m);
}
