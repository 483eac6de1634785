/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "reply_head.h"

#include <strings.h>

size_t
reply_head_length(const struct buf *b)
{
	static const char end[] = "\r\n\r\n";
	const uint8_t *p =
	    memmem(buf_head(b), buf_left(b), end, sizeof(end) - 1);

	return p == NULL ? 0 : (size_t)(p - buf_head(b)) + sizeof(end) - 1;
}

const char *
reply_header(const struct buf *head, const char *name, size_t *n)
{
	const char *s = (const char *)buf_head(head), *line, *end;
	size_t left = reply_head_length(head), length = strlen(name);

	for (; (line = memchr(s, '\n', left)) != NULL; s = line) {
		left -= (size_t)(++line - s);
		if (left <= length || strncasecmp(line, name, length) != 0 ||
		    line[length] != ':')
			continue;
		end = memchr(line, '\r', left);
		for (line += length + 1; line < end && *line == ' ';)
			line++;
		for (; end > line && end[-1] == ' ';)
			end--;
		*n = end == NULL ? 0 : (size_t)(end - line);
		return end == NULL ? NULL : line;
	}
	return NULL;
}

bool
reply_header_is(const struct buf *head, const char *name, const char *value)
{
	size_t n = 0;
	const char *s = reply_header(head, name, &n);

	return s != NULL && n == strlen(value) && strncasecmp(s, value, n) == 0;
}

int
reply_status(const struct buf *head)
{
	const uint8_t *s = buf_head(head);
	int status = 0;

	if (buf_left(head) < 12 || memcmp(s, "HTTP/1.", 7) != 0 || s[8] != ' ')
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		status = 10 * status + s[i] - '0';
	}
	return status;
}
