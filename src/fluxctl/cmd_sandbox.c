/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "options.h"
#include "output.h"
#include "str.h"
#include "table.h"

/*
 * The table: what the daemon's supervisor knows of each process, as the kernel
 * told it.  Keys are those of the answer.
 */
enum column_form { AS_IS, YES_NO, FILTER, BITS };

/* clang-format off */
static const struct column {
	const char *heading, *key;
	enum column_form form;
} columns[] = {
	{ "ROLE",         "role",       AS_IS },
	{ "INSTANCE",     "instance",   AS_IS },
	{ "PID",          "pid",        AS_IS },
	{ "STATE",        "state",      AS_IS },
	{ "USER",         "uid",        AS_IS },
	{ "SECCOMP",      "seccomp",    FILTER },
	{ "NO_NEW_PRIVS", "noNewPrivs", YES_NO },
	{ "CAPS",         "caps",       BITS },
	{ "LANDLOCK",     "landlock",   AS_IS },
	{ "ROOT",         "root",       AS_IS },
	{ "HOLDS",        "holds",      AS_IS },
	{ "RESTARTS",     "restarts",   AS_IS },
};
/* clang-format on */

static void
add_value(struct buf *b, const json_t *value, enum column_form form)
{
	/* as /proc/PID/status counts them */
	static const char *const modes[] = { "none", "strict", "filter" };
	json_int_t n = json_integer_value(value);

	if (json_is_integer(value) && form == FILTER && n >= 0 &&
	    n < (json_int_t)nitems(modes))
		(void)str_add(b, modes[n]);
	else if (json_is_integer(value) && form == BITS)
		(void)str_addf(b, n == 0 ? "none" : "%#llx", (long long)n);
	else if (json_is_integer(value))
		(void)str_addf(b, "%lld", (long long)n);
	else if (json_is_boolean(value))
		(void)str_add(b, json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value))
		table_add_cell(b, json_string_value(value));
}

static void
show_table(struct ctl *c, const json_t *processes)
{
	bool heading = !c->line->opts.sandbox_no_headers;
	struct buf text = BUF_INIT(SIZE_MAX);
	const json_t *process;
	size_t i;

	for (size_t k = 0; k < nitems(columns) && heading; k++)
		(void)str_addf(&text, "%s%s", columns[k].heading,
		    k + 1 < nitems(columns) ? "\t" : "\n");
	json_array_foreach (processes, i, process) {
		for (size_t k = 0; k < nitems(columns); k++) {
			add_value(&text, jr_member(process, columns[k].key),
			    columns[k].form);
			(void)str_addc(&text,
			    k + 1 < nitems(columns) ? '\t' : '\n');
		}
	}
	output_table(c, &text, heading);
}

int
ctl_cmd_sandbox(struct ctl *c)
{
	auto_json json_t *processes = NULL;
	int r = ctl_connect(c);

	if (r == FX_OK)
		r = api_sandbox(c->client, &processes, &c->error);
	if (r != FX_OK)
		return r;
	if (output_is_value(c))
		return output_value(c, processes);
	show_table(c, processes);
	return FX_OK;
}
