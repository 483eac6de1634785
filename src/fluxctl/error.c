/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static void
replace(struct ctl_error *err, bool shaped, char *text)
{
	free(err->text);
	err->text = text;
	err->shaped = shaped;
}

int
ctl_fail(struct ctl_error *err, int code, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	replace(err, false, n < 0 ? xstrdup(fmt) : text);
	return code;
}

int
ctl_fail_shaped(struct ctl_error *err, const char *help)
{
	replace(err, true, xstrdup(help));
	return FX_EDENIED;
}

int
ctl_wrap(struct ctl_error *err, int code, const char *what)
{
	return ctl_fail(err, code, "%s: %s", what, err->text);
}

void
ctl_error_clear(struct ctl_error *err)
{
	free(err->text);
	*err = (struct ctl_error){ 0 };
}
