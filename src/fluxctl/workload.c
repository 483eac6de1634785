/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "record.h"
#include "resource_id.h"
#include "str.h"
#include "table.h"

int
workload_id(const char *text, const char *ns, char **id, struct ctl_error *err)
{
	struct resource_id parsed = { 0 };
	struct fx_err why = { 0 };

	if (resource_id_parse_in(text, ns, &parsed, &why) != FX_OK)
		return ctl_fail(err, why.code, "%s", why.text);
	*id = resource_id_print(&parsed);
	resource_id_clear(&parsed);
	return FX_OK;
}

int
workload_check(const char *text, struct ctl_error *err)
{
	auto_free char *id = NULL;

	return workload_id(text, WORKLOAD_ANY_NS, &id, err);
}

int
workload_flag(const char *flag, const char *old_flag, const char *both,
    const char **out, struct ctl_error *err)
{
	if (*flag != '\0' && *old_flag != '\0')
		return ctl_fail(err, FX_ESYNTAX, "%s", both);
	*out = *flag != '\0' ? flag : old_flag;
	return FX_OK;
}

static void
add_container(struct buf *b, const json_t *container)
{
	auto_free char *image =
	    record_image(json_object_get(container, "Current"), "ID");

	table_add_cell(b, record_text(container, "Name"));
	(void)str_addc(b, '\t');
	table_add_cell(b, image);
}

void
workload_add_rows(struct buf *b, const json_t *workload,
    const char *const *last, size_t n)
{
	const json_t *containers = json_object_get(workload, "Containers");

	(void)str_addf(b, "%s\t", record_text(workload, "ID"));
	if (json_array_size(containers) > 0)
		add_container(b, json_array_get(containers, 0));
	else
		(void)str_addc(b, '\t');
	(void)str_addc(b, '\t');
	table_add_cell(b, record_text(workload, "Status"));
	for (size_t i = 0; i < n; i++) {
		(void)str_addc(b, '\t');
		table_add_cell(b, last[i]);
	}
	(void)str_addc(b, '\n');
	for (size_t i = 1; i < json_array_size(containers); i++) {
		(void)str_addc(b, '\t');
		add_container(b, json_array_get(containers, i));
		for (size_t k = 0; k <= n; k++)
			(void)str_addc(b, '\t');
		(void)str_addc(b, '\n');
	}
}
