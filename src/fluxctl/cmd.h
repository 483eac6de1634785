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

/* What the exit status says with --detailed-exitcode, where it is neither done
 * nor failed. */
enum ctl_outcome {
	CTL_NOT_APPLIED = 2, /* committed or fetched; not applied in time */
	CTL_UNKNOWN = 3,     /* no answer in time: it may be done or not */
	CTL_IN_PART = 4,     /* done, and something of it went wrong */
	CTL_NO_CHANGE = 5,   /* failed, for there was nothing to change */
};

/* What a command prints.  Up to WIDE they are tables; WIDE has columns that the
 * original does not. */
enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML };

struct ctl {
	const struct ctl_line *line;
	struct client *client; /* NULL before ctl_connect */
	/* What the command's flags leave open and the machine knows; found out
	 * before anything foreign is read.  Owned. */
	char *ns;   /* of --namespace; NULL: the command has no such flag */
	char *user; /* of --user; NULL: the same */
	int tty;    /* for --interactive; -1: none */
	enum output_format format;
	FILE *out, *err;
	struct ctl_error error;	  /* why it failed */
	enum ctl_outcome outcome; /* 0: done, or failed */
};

/* clang-format off */
#define CTL_COMMAND(id, ...) int ctl_cmd_##id(struct ctl *);
#include "commands.def"
/* clang-format on */

#endif
