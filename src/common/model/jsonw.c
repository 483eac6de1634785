/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "jsonw.h"

#include "str.h"

void
jw_string(struct buf *out, const char *s)
{
	str_addc(out, '"');
	if (s != NULL)
		str_add_json(out, s, strlen(s), true);
	str_addc(out, '"');
}

void
jw_member(struct buf *out, const char *name, const char *value)
{
	str_addf(out, "\"%s\":", name);
	jw_string(out, value);
}
