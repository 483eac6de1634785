/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "glob.h"

bool
glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL; /* where to go on otherwise */

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			/* the last star takes one more; those before it need
			 * not change */
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
