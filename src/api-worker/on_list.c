/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "listing.h"
#include "resource_id.h"
#include "scalar.h"
#include "str.h"
#include "workload.h"

/* ---- workloads ---------------------------------------------------------- */

static void
write_workload(struct buf *b, struct ipc_workload *w,
    const struct ipc_declaration *d, const struct ipc_repository_is *m,
    unsigned fields)
{
	(void)fields;
	workload_status(b, w, d, m);
}

static const struct listing_kind workloads = {
	.declared = true,
	.some = "getting workloads from cluster",
	.all = "getting workloads from cluster",
	.write = write_workload,
};

static int
add_id(struct ipc_workloads *q, const char *text, struct fx_err *err)
{
	struct resource_id id;

	if (resource_id_parse(text, &id, err) != FX_OK)
		return scalar_wrap(err, "parsing service spec", text);
	if (q->ids_len == IPC_MAX_LIST || strlen(text) > IPC_MAX_ID) {
		resource_id_clear(&id);
		return fx_fail(err, FX_ELIMIT,
		    "too many workloads, or too long a name");
	}
	q->ids = xreallocarray(q->ids, q->ids_len + 1, sizeof(*q->ids));
	q->ids[q->ids_len++].s = resource_id_print(&id);
	resource_id_clear(&id);
	return FX_OK;
}

/* Ids with commas between them; an empty text has none. */
static int
add_ids(struct ipc_workloads *q, const char *text, struct fx_err *err)
{
	int rc = FX_OK;

	for (const char *s = text; *text != '\0' && s != NULL && rc == FX_OK;) {
		auto_free char *id = xstrndup(s, strcspn(s, ","));

		rc = add_id(q, id, err);
		s = strchr(s, ',');
		s = s == NULL ? NULL : s + 1;
	}
	return rc;
}

/* The list, of what there is in a namespace or of what was named. */
static void
begin(struct http_request *r, const struct listing_kind *kind,
    struct ipc_workloads *q, unsigned fields, const char *named)
{
	const char *ns = aw_param(r, "namespace");
	auto_free char *text = NULL;

	if (*ns != '\0' && q->ids_len != 0) {
		text = xasprintf("cannot filter by 'namespace' and '%s' at the "
				 "same time",
		    named);
		answer_failed(&r->answer, r->accept, text);
	} else if (strlen(ns) > IPC_MAX_NAME) {
		/* nothing has a name that long */
		str_add(answer_json(&r->answer), "null");
	} else {
		q->ns = xstrdup(ns);
		listing_begin(r, kind, q, fields);
	}
	ipc_workloads_clear(q);
}

void
aw_on_services(struct http_request *r)
{
	struct ipc_workloads q = { 0 };
	struct fx_err err = { 0 };

	if (add_ids(&q, aw_param(r, "services"), &err) == FX_OK) {
		begin(r, &workloads, &q, CF_ALL, "workloads");
		return;
	}
	aw_bad_request(r, &err);
	ipc_workloads_clear(&q);
}

/* ---- images ------------------------------------------------------------- */

static void
write_images(struct buf *b, struct ipc_workload *w,
    const struct ipc_declaration *d, const struct ipc_repository_is *m,
    unsigned fields)
{
	(void)d;
	(void)m;
	workload_images(b, w, fields);
}

static const struct listing_kind images = {
	.some = "getting some workloads",
	.all = "getting all workloads",
	.write = write_images,
};

/* Where a field is wrong, the whole request is: upstream notices that with the
 * first container that it comes to, when part of the list may be sent. */
void
aw_on_images(struct http_request *r)
{
	const char *service = aw_param(r, "service");
	struct ipc_workloads q = { 0 };
	struct fx_err err = { 0 };
	unsigned fields = CF_ALL;
	bool all = *service == '\0' || strcmp(service, "<all>") == 0;

	if (!all && scalar_resource_spec(service, &err) != FX_OK) {
		scalar_wrap(&err, "parsing service spec", service);
		aw_bad_request(r, &err);
	} else if (!all && add_id(&q, service, &err) != FX_OK) {
		aw_bad_request(r, &err);
	} else if (container_fields_parse(aw_param(r, "containerFields"),
		       &fields, &err) != FX_OK) {
		aw_failed(r, &err);
		ipc_workloads_clear(&q);
	} else {
		begin(r, &images, &q, fields, "workload");
	}
}
