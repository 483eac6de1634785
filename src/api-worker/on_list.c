/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "scalar.h"

/* Requests are understood and checked, and what would be listed is not kept by
 * any process yet. */

void
aw_on_services(struct http_request *r)
{
	const char *ns = aw_param(r, "namespace"),
		   *ids = aw_param(r, "services");
	struct fx_err err = { 0 };

	for (const char *s = ids; *ids != '\0' && s != NULL;) {
		auto_free char *id = xstrndup(s, strcspn(s, ","));

		if (scalar_resource_id(id, &err) != FX_OK) {
			scalar_wrap(&err, "parsing service spec", id);
			aw_bad_request(r, &err);
			return;
		}
		s = strchr(s, ',');
		s = s == NULL ? NULL : s + 1;
	}
	if (*ns != '\0' && *ids != '\0')
		answer_failed(&r->answer, r->accept,
		    "cannot filter by 'namespace' and 'workloads' at the same "
		    "time");
	else
		aw_unsupported(r, "listing workloads is");
}

void
aw_on_images(struct http_request *r)
{
	const char *service = aw_param(r, "service");
	struct fx_err err = { 0 };

	if (*service == '\0')
		service = "<all>";
	if (scalar_resource_spec(service, &err) != FX_OK) {
		scalar_wrap(&err, "parsing service spec", service);
		aw_bad_request(r, &err);
	} else if (*aw_param(r, "namespace") != '\0' &&
	    strcmp(service, "<all>") != 0) {
		answer_failed(&r->answer, r->accept,
		    "cannot filter by 'namespace' and 'workload' at the same "
		    "time");
	} else {
		aw_unsupported(r, "listing images is");
	}
}

void
aw_on_export(struct http_request *r)
{
	aw_unsupported(r, "exporting is");
}
