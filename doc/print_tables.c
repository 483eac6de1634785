/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_tables ipc|flags|metrics: the documents that are printed from the
 * tables.  `make doc` writes them, `make check` compares.
 */
#include "base.h"

#include "ipc.h"
#include "settings.h"

#include <stdio.h>

static const char *const field_kinds[] = {
	[IPC_K_U64] = "u64",
	[IPC_K_I64] = "i64",
	[IPC_K_BOOL] = "bool",
	[IPC_K_STR] = "str",
	[IPC_K_BYTES] = "bytes",
	[IPC_K_FD] = "descriptor",
	[IPC_K_LIST] = "list",
};

static void
print_fields(const struct ipc_field *f)
{
	const char *sep = "";

	if (f->name == NULL)
		printf("none");
	for (; f->name != NULL; f++) {
		printf("%s%s %s", sep, f->name, field_kinds[f->kind]);
		if (f->max != 0)
			printf("(%zu)", f->max);
		if (f->kind == IPC_K_LIST) {
			printf(" of {");
			print_fields(f->record);
			printf("}");
		}
		sep = ", ";
	}
}

static void
print_roles(uint32_t set)
{
	const char *sep = "";

	if (set == IPC_S_ANY) {
		printf("any");
		return;
	}
	if ((set & IPC_S_ANY_WORKER) == IPC_S_ANY_WORKER) {
		printf("every worker");
		set &= ~(uint32_t)IPC_S_ANY_WORKER;
		sep = ", ";
	}
	for (int r = 0; r < IPC_R_COUNT; r++) {
		if ((set & IPC_BIT(r)) == 0)
			continue;
		printf("%s%s", sep, ipc_role_name((enum ipc_role)r));
		sep = ", ";
	}
}

static void
print_kind(const struct ipc_rule *r)
{
	static const char *const kinds[] = { "event", "ask", "part of",
		"answer to", "control" };

	printf("%s", kinds[r->kind]);
	if (r->kind == IPC_PART || r->kind == IPC_ANSWER)
		printf(" %s",
		    r->of == IPC_T_ANY_ASK ? "any ask" : ipc_type_name(r->of));
}

static void
print_ipc(void)
{
	printf("# Messages between the processes\n\n"
	       "Printed from `src/common/ipc/ipc_messages.def`. A frame is a "
	       "4-byte little-endian\nlength (at most %d) and a msgpack array "
	       "`[type, sequence, part, field...]`.\n\n"
	       "| no. | message | from | to | phase | kind | fields (limits) "
	       "|\n"
	       "|---|---|---|---|---|---|---|\n",
	    IPC_MAX_FRAME);
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		const struct ipc_rule *r = ipc_rule(t);

		printf("| %u | `%s` | ", t, r->name);
		print_roles(r->from);
		printf(" | ");
		print_roles(r->to);
		printf(" | %s%s%s | ",
		    (r->phases & IPC_PH_START) != 0 ? "start" : "",
		    r->phases == (IPC_PH_START | IPC_PH_RUN) ? ", " : "",
		    (r->phases & IPC_PH_RUN) != 0 ? "run" : "");
		print_kind(r);
		printf(" | ");
		print_fields(ipc_fields(t));
		printf(" |\n");
	}
}

static void
print_flags(void)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);

	config_markdown(&b);
	fwrite(buf_head(&b), 1, buf_left(&b), stdout);
}

/* "GAUGE" as the field is written: the table's own word. */
static void
print_metrics(void)
{
	static const struct {
		const char *kind, *name, *help;
	} rows[] = {
#define METRIC(kind, id, name, buckets, help) { #kind, name, help },
#include "metrics.def"
	};

	printf("# Metrics of fluxd\n\nPrinted from "
	       "`src/common/proc/metrics.def`. Names, labels and buckets of "
	       "`flux_…` are\nupstream's; `fluxd_…` are ours. A family appears "
	       "with its first value.\n\n| name | type | meaning |\n"
	       "|---|---|---|\n");
	for (size_t i = 0; i < nitems(rows); i++)
		printf("| `%s` | %s | %s |\n", rows[i].name, rows[i].kind,
		    rows[i].help);
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "ipc") == 0)
		print_ipc();
	else if (argc == 2 && strcmp(argv[1], "flags") == 0)
		print_flags();
	else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
		print_metrics();
	else
		return 2;
	return 0;
}
