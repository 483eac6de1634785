/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "help.h"

#include "locate.h"
#include "str.h"

/* clang-format off */
static const char root_text[] =
	"fluxctl talks to fluxd, the daemon that keeps a cluster like a git repository.\n"
	"\n"
	"Connecting, in this order:\n"
	"  --url, FLUX_URL          what they say\n"
	"  " FX_DAEMON_SOCKET "    the daemon of this machine, if there is one\n"
	"  the kubeconfig           a pod of the cluster, through its API server\n"
	"\n"
	"  # A daemon in the namespace flux of the current context's cluster\n"
	"  fluxctl --k8s-fwd-ns=flux sync\n"
	"\n"
	"  # A daemon that listens on a Unix socket\n"
	"  fluxctl --url=unix:///run/fluxd/other.sock identity\n";
/* clang-format on */

#define COMMAND_WIDTH 14 /* at least, for names in the list of commands */

/* "  -x, --name type", what help shows left of a flag's text. */
static void
add_flag_head(struct buf *b, const struct ctl_flag *flag)
{
	const char *type = ctl_type_name(flag->type);

	if (flag->ch != '\0')
		(void)str_addf(b, "  -%c, --%s", flag->ch, flag->name);
	else
		(void)str_addf(b, "      --%s", flag->name);
	if (*type != '\0')
		(void)str_addf(b, " %s", type);
}

static size_t
head_width(const struct ctl_flag *flag)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);

	add_flag_head(&b, flag);
	return buf_left(&b);
}

static void
add_default(struct buf *b, const struct ctl_flag *flag)
{
	if (*flag->def == '\0' || strcmp(flag->def, "false") == 0 ||
	    strcmp(flag->def, "0") == 0)
		return;
	if (flag->type == CTL_STRING)
		(void)str_addf(b, " (default \"%s\")", flag->def);
	else if (flag->type == CTL_MAP)
		(void)str_addf(b, " (default [%s])", flag->def);
	else
		(void)str_addf(b, " (default %s)", flag->def);
}

static void
add_flag(struct buf *b, const struct ctl_flag *flag, size_t width,
    const char *command)
{
	size_t used = head_width(flag);

	add_flag_head(b, flag);
	(void)str_addf(b, "%*s   ", (int)(width - used), "");
	if (flag == &ctl_flags[CTL_F_help])
		(void)str_addf(b, "help for %s", command);
	else
		(void)str_add(b, flag->help);
	add_default(b, flag);
	(void)str_addc(b, '\n');
}

static int
compare_flags(const void *a, const void *b)
{
	const struct ctl_flag *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The flags of one section: a command's own and -h, or the global ones; for
 * fluxctl itself all of these are its own. */
static void
add_flags(struct buf *b, const char *heading, enum ctl_command_id command,
    bool global, const char *name)
{
	const struct ctl_flag *list[CTL_FLAGS] = { NULL };
	size_t n = 0, width = 0, used;

	for (size_t i = 0; i < CTL_FLAGS; i++) {
		bool is_global =
		    ctl_flags[i].command == CTL_ROOT && i != CTL_F_help;

		if (ctl_flag_shown(&ctl_flags[i], command) &&
		    (command == CTL_ROOT || is_global == global))
			list[n++] = &ctl_flags[i];
	}
	qsort(list, n, sizeof(list[0]), compare_flags);
	for (size_t i = 0; i < n; i++) {
		used = head_width(list[i]);
		width = used > width ? used : width;
	}
	(void)str_addf(b, "\n%s\n", heading);
	for (size_t i = 0; i < n; i++)
		add_flag(b, list[i], width, name);
}

static void
add_commands(struct buf *b)
{
	(void)str_add(b, "\nAvailable Commands:\n");
	for (size_t i = 0; i < CTL_COMMANDS; i++)
		(void)str_addf(b, "  %-*s %s\n", COMMAND_WIDTH,
		    ctl_commands[i].name, ctl_commands[i].help);
}

void
help_usage(enum ctl_command_id id, struct buf *b)
{
	const struct ctl_command *cmd;

	if (id == CTL_ROOT) {
		(void)str_add(b, "Usage:\n  fluxctl [command]\n");
		add_commands(b);
		add_flags(b, "Flags:", CTL_ROOT, false, "fluxctl");
		(void)str_add(b,
		    "\nUse \"fluxctl [command] --help\" for more information "
		    "about a command.\n");
		return;
	}
	cmd = &ctl_commands[id];
	(void)str_addf(b, "Usage:\n  fluxctl %s %s\n", cmd->name, cmd->use);
	if (cmd->alias != NULL)
		(void)str_addf(b, "\nAliases:\n  %s, %s\n", cmd->name,
		    cmd->alias);
	add_flags(b, "Flags:", id, false, cmd->name);
	add_flags(b, "Global Flags:", id, true, cmd->name);
}

void
help_text(enum ctl_command_id id, struct buf *b)
{
	(void)str_addf(b, "%s%s\n",
	    id == CTL_ROOT ? root_text : ctl_commands[id].help,
	    id == CTL_ROOT ? "" : "\n");
	help_usage(id, b);
}
