/*
 * cmd: what a command's function is given.
 */
#ifndef CTL_CMD_H
#define CTL_CMD_H

#include "base.h"
#include "error.h"

#include <stdio.h>

struct client;
struct ctl_line;

struct ctl {
	const struct ctl_line *line;
	struct client *client; /* NULL unless the command needs the daemon */
	/* What the command's flags leave open and the machine knows; found out
	 * before anything foreign is read.  Owned. */
	char *ns;   /* of --namespace; NULL: the command has no such flag */
	char *user; /* of --user; NULL: the same */
	int tty;    /* for --interactive; -1: none */
	FILE *out, *err;
	struct ctl_error error; /* why it failed */
};

/* clang-format off */
#define CTL_COMMAND(id, ...) int ctl_cmd_##id(struct ctl *);
#include "commands.def"
/* clang-format on */

#endif
