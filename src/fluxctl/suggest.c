/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "suggest.h"

#include "options.h"
#include "quote.h"
#include "str.h"

#include <ctype.h>
#include <strings.h>

#define SUGGEST_EDITS 2
#define SUGGEST_WORD_MAX 64 /* longer words resemble no command */

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static bool
same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t
ctl_edits(const char *a, const char *b)
{
	/* row[j]: edits from the part of a read so far to b's first j bytes */
	size_t row[SUGGEST_WORD_MAX + 1];
	size_t na = strlen(a), nb = strlen(b), diagonal, above;

	if (na > SUGGEST_WORD_MAX || nb > SUGGEST_WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1,
			    diagonal + !same_letter(a[i - 1], b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

int
ctl_fail_unknown_command(struct ctl_error *err, const char *typed)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *text = NULL;
	bool any = false;

	(void)str_add(&b, "unknown command ");
	str_add_quoted(&b, typed, strlen(typed));
	(void)str_add(&b, " for \"fluxctl\"");
	for (size_t i = 0; i < CTL_COMMANDS; i++) {
		const char *name = ctl_commands[i].name;

		/* the original never proposes help */
		if (i == CTL_CMD_help ||
		    (ctl_edits(typed, name) > SUGGEST_EDITS &&
			strncasecmp(name, typed, strlen(typed)) != 0))
			continue;
		(void)str_addf(&b, "%s\t%s\n",
		    any ? "" : "\n\nDid you mean this?\n", name);
		any = true;
	}
	text = str_take(&b);
	return ctl_fail(err, FX_EUNKNOWN, "%s", text);
}
