/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluxctl: the command line client.
 *
 * Reads    the command line and the environment of the person who runs it,
 *          and a daemon's answers, which are foreign: bounded, decoded by one
 *          parser, and made safe for a terminal before they are shown.
 * Holds    the service token, if one is given; wiped at the end, never shown.
 * May      read kubeconfigs for a namespace, ask git who its user is, and
 * start the process that forwards to a cluster, which has the credentials for
 * that (forwarder.c); then it gives all that up (connect.h), connects to the
 * daemon, and writes files where `save` is told to. If it falls, a hostile
 * daemon acts as the person who asked it.
 */
#include "base.h"

#include "client.h"
#include "cmd.h"
#include "connect.h"
#include "fd.h"
#include "help.h"
#include "options.h"
#include "output.h"
#include "text.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/resource.h>

/* No core file with the token in it. */
static void
give_up_rights(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN); /* a dead peer is an error of write */
}

static void
show_error(FILE *to, const struct ctl_error *error, enum ctl_command_id id)
{
	if (error->shaped) {
		ctl_print(to, "== Error ==\n\n%s\n", error->text);
		return;
	}
	ctl_print(to, "Error: %s\nRun 'fluxctl%s%s --help' for usage.\n",
	    error->text, id == CTL_ROOT ? "" : " ",
	    id == CTL_ROOT ? "" : ctl_commands[id].name);
}

static int
run(struct ctl *c)
{
	const struct ctl_line *line = c->line;
	auto_buf struct buf help = BUF_INIT(SIZE_MAX);
	const struct ctl_command *cmd;
	const char *format;
	int r = FX_OK;

	if (line->command == CTL_ROOT || line->opts.help) {
		help_text(line->command, &help);
		(void)fwrite(buf_head(&help), 1, buf_left(&help), c->out);
		return FX_OK;
	}
	cmd = &ctl_commands[line->command];
	if (line->nargs > 0 && !cmd->takes_args)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "expected no (non-flag) arguments");
	format = ctl_flag_text(line, "output-format");
	if (format != NULL)
		r = output_format(format, &c->format, &c->error);
	if (r != FX_OK)
		return r;
	if (!cmd->needs_daemon)
		ctl_look_around(c, false);
	return cmd->run(c);
}

/* The original knows 0 and 1 only. */
static int
exit_status(const struct ctl *c, int r)
{
	enum ctl_outcome outcome =
	    c->outcome == 0 && r == FX_ETIMEOUT ? CTL_UNKNOWN : c->outcome;

	if (c->line->opts.detailed_exitcode && outcome != 0)
		return (int)outcome;
	return r == FX_OK ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct ctl_line line;
	struct ctl c = { .line = &line,
		.tty = -1,
		.out = stdout,
		.err = stderr };
	int r, status;

	give_up_rights();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fx_bug("libcurl does not start");
	r = ctl_parse(argc, (const char *const *)argv, &line, &c.error);
	ctl_write(c.err, (const char *)buf_head(&line.notes),
	    buf_left(&line.notes));
	if (r == FX_OK)
		r = run(&c);
	(void)fflush(stdout); /* what failed comes after what worked */
	if (r != FX_OK)
		show_error(c.err, &c.error, line.command);
	/* what could not be written was not done */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("Error: cannot write the output\n", stderr);
		r = FX_ESYS;
	}
	status = exit_status(&c, r);
	ctl_error_clear(&c.error);
	client_free(&c.client);
	fd_close(&c.tty);
	free(c.ns);
	free(c.user);
	ctl_line_clear(&line);
	curl_global_cleanup();
	return status;
}
