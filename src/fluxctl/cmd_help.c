/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "help.h"
#include "options.h"
#include "str.h"
#include "text.h"

/* Not an error for the original either: the exit code stays 0. */
static void
show_unknown(struct ctl *c)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *text = NULL;

	(void)str_add(&b, "Unknown help topic [");
	for (size_t i = 0; i < c->line->nargs; i++)
		(void)str_addf(&b, "%s`%s`", i == 0 ? "" : " ",
		    c->line->args[i]);
	(void)str_add(&b, "]\n");
	help_usage(CTL_ROOT, &b);
	text = str_take(&b);
	ctl_print(c->err, "%s", text);
}

int
ctl_cmd_help(struct ctl *c)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	enum ctl_command_id id = CTL_ROOT;

	if (c->line->nargs > 0) {
		id = ctl_command_find(c->line->args[0]);
		if (id == CTL_ROOT) {
			show_unknown(c);
			return FX_OK;
		}
	}
	help_text(id, &b);
	(void)fwrite(buf_head(&b), 1, buf_left(&b), c->out);
	return FX_OK;
}
