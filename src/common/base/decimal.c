/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "decimal.h"

#include <math.h>
#include <stdio.h>

/* The fewest digits that give the number back: "d.ddd" in `digits` without the
 * point, and the exponent of the first one. */
static int
shortest(double f, char digits[20])
{
	char text[DECIMAL_MAX];
	const char *e;
	size_t n = 0;

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}
	e = strchr(text, 'e');
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	return (int)strtol(e + 1, NULL, 10);
}

/* Digits with the point where the exponent says; with an exponent when that is
 * below `low` or not below `high`. */
void
decimal_print(double f, int low, int high, int exp_digits,
    char out[DECIMAL_MAX])
{
	static const char zeros[] = "000000000000000000000";
	const char *sign = signbit(f) ? "-" : "";
	char digits[20];
	int e = shortest(fabs(f), digits), n = (int)strlen(digits);

	if (e < low || e >= high)
		snprintf(out, DECIMAL_MAX, "%s%c%s%se%c%0*d", sign, digits[0],
		    n > 1 ? "." : "", digits + 1, e < 0 ? '-' : '+', exp_digits,
		    abs(e));
	else if (e < 0)
		snprintf(out, DECIMAL_MAX, "%s0.%.*s%s", sign, -e - 1, zeros,
		    digits);
	else if (n <= e + 1)
		snprintf(out, DECIMAL_MAX, "%s%s%.*s", sign, digits, e + 1 - n,
		    zeros);
	else
		snprintf(out, DECIMAL_MAX, "%s%.*s.%s", sign, e + 1, digits,
		    digits + e + 1);
}

void
decimal_print_json(double f, char out[DECIMAL_MAX])
{
	decimal_print(f == 0 ? 0.0 : f, -6, 21, 1, out);
}
