/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "resource_id.h"

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
workload_flag(const char *flag, const char *old_flag, const char *both,
    const char **out, struct ctl_error *err)
{
	if (*flag != '\0' && *old_flag != '\0')
		return ctl_fail(err, FX_ESYNTAX, "%s", both);
	*out = *flag != '\0' ? flag : old_flag;
	return FX_OK;
}
