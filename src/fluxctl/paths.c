/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "paths.h"

#include "str.h"

/* Take the last element away; false if there is none, or it is "..". */
static bool
drop_last(struct buf *b)
{
	size_t at = b->len;

	while (at > 0 && b->data[at - 1] != '/')
		at--;
	if (at == b->len ||
	    (b->len - at == 2 && memcmp(b->data + at, "..", 2) == 0))
		return false;
	b->len = at > 1 ? at - 1 : at;
	return true;
}

static void
add_elements(struct buf *b, const char *path, bool absolute)
{
	size_t n;

	for (const char *s = path; *s != '\0'; s += n) {
		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (n == 0 || (n == 1 && *s == '.'))
			continue;
		if (n == 2 && s[0] == '.' && s[1] == '.' &&
		    (drop_last(b) || absolute))
			continue;
		if (b->len > 0 && b->data[b->len - 1] != '/')
			(void)str_addc(b, '/');
		(void)str_addn(b, s, n);
	}
}

char *
path_join(const char *dir, const char *below)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	bool absolute = *dir == '/';

	if (absolute)
		(void)str_addc(&b, '/');
	add_elements(&b, dir, absolute);
	add_elements(&b, below, absolute);
	return str_take(&b);
}
