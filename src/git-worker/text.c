/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "text.h"

#include "str.h"

#define PRINTABLE_GROWTH 10 /* "\u{10ffff}" for one byte, at the most */

char *
text_one_line(const char *p, size_t left, size_t max)
{
	struct buf b =
	    BUF_INIT((left < max ? left : max) * PRINTABLE_GROWTH + 16);

	if (left > max)
		left = max;
	while (left != 0) {
		size_t n = 0;

		while (n < left && p[n] != '\n' && p[n] != '\r')
			n++;
		if (n != 0) {
			if (buf_left(&b) != 0 && str_addc(&b, ' ') != FX_OK)
				break;
			str_printable(&b, p, n, n);
		}
		n += n < left;
		p += n;
		left -= n;
	}
	return str_take(&b);
}
