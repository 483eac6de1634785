/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "err.h"

#include <stdarg.h>
#include <stdio.h>

int
fx_fail(struct fx_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

int
fx_wrap(struct fx_err *err, const char *fmt, ...)
{
	char inner[FX_ERR_TEXT_MAX];
	size_t n, room;
	va_list ap;

	if (err == NULL)
		return FX_EFAIL;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	room = sizeof(err->text) - n;
	if (room > 3) {
		memcpy(err->text + n, ": ", 3);
		n += 2;
		room = strnlen(inner, room - 3);
		memcpy(err->text + n, inner, room);
		err->text[n + room] = '\0';
	}
	return err->code;
}

const char *
fx_code_name(int code)
{
	static const char *const names[] = {
		[-FX_OK] = "ok",
		[-FX_EFAIL] = "failed",
		[-FX_ELIMIT] = "limit",
		[-FX_ESHORT] = "short",
		[-FX_EDENIED] = "denied",
		[-FX_EUNKNOWN] = "unknown",
		[-FX_ESYNTAX] = "syntax",
		[-FX_ESYS] = "system",
		[-FX_EAGAIN] = "again",
		[-FX_ETIMEOUT] = "timeout",
		[-FX_ERETRY] = "retry",
		[-FX_ECONFLICT] = "conflict",
		[-FX_ECANCELLED] = "cancelled",
		[-FX_ERESOLVE] = "resolve",
		[-FX_ENEEDFULL] = "need full",
		[-FX_EGONE] = "gone",
	};

	if (code > 0 || code < FX_CODE_MIN)
		return "?";
	return names[-code];
}
