/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "share.h"

#include "str.h"

#define SHARE_MAX 1000000000 /* so that a hundred times it is a number, too */

int
share_parse(const char *s, struct share *out, struct fx_err *err)
{
	size_t n = strlen(s);
	bool percent = n > 0 && s[n - 1] == '%';
	auto_free char *digits = xstrdup(s);

	*out = (struct share){ .given = n > 0, .percent = percent };
	if (n == 0)
		return FX_OK;
	if (percent)
		digits[n - 1] = '\0';
	if (fx_parse_u64(digits, 0, percent ? 100 : SHARE_MAX, &out->n) !=
	    FX_OK)
		return fx_fail(err, FX_ESYNTAX,
		    "\"%.40s\" is neither a number nor a percentage", s);
	return FX_OK;
}

bool
share_exceeds(const struct share *s, uint64_t n, uint64_t whole)
{
	if (!s->given)
		return false;
	return s->percent ? n * 100 > whole * s->n : n > s->n;
}
