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
 * that (forwarder.c); then it gives all that up (confine.h), connects to the
 * daemon, and writes files where `save` is told to. If it falls, a hostile
 * daemon acts as the person who asked it.
 */
#include "base.h"

#include "client.h"
#include "cmd.h"
#include "confine.h"
#include "fd.h"
#include "forward.h"
#include "help.h"
#include "locate.h"
#include "namespace.h"
#include "options.h"
#include "output.h"
#include "text.h"
#include "user.h"

#include <curl/curl.h>
#include <fcntl.h>
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

/* What the person's files, git and terminal say.  Of a kubeconfig that leads to
 * the daemon only the process that forwards knows anything. */
static void
look_around(struct ctl *c, bool forwarded)
{
	const struct ctl_line *line = c->line;
	const char *ns = ctl_flag_text(line, "namespace");
	const char *user = ctl_flag_text(line, "user");

	if (ns != NULL && (*ns != '\0' || !forwarded))
		c->ns = ctl_namespace(ns,
		    ctl_commands[line->command].needs_daemon
			? line->opts.context
			: ""); /* install never looked at another context */
	if (user != NULL)
		c->user = *user == '\0' ? ctl_git_user() : xstrdup(user);
	if (line->opts.release_interactive)
		c->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* The one directory that a command writes to while it talks to the daemon. */
static const char *
writable(const struct ctl_line *line)
{
	return line->command == CTL_CMD_save &&
		strcmp(line->opts.save_out, "-") != 0
	    ? line->opts.save_out
	    : NULL;
}

/* Wait for the way to the cluster, now that nothing can be gained by what comes
 * along it. */
static int
await_way(struct ctl *c, struct forward *forward)
{
	auto_free char *ns = NULL;
	int r = forward_await(forward, &ns, &c->error);

	if (r == FX_OK && c->ns == NULL)
		c->ns = ctl_namespace(ns, NULL);
	return r;
}

static int
connect_client(struct ctl *c)
{
	const struct ctl_options *opts = &c->line->opts;
	struct forward *forward = NULL;
	auto_url struct url url = { 0 };
	bool forwarded;
	int r = ctl_locate(opts, FX_DAEMON_SOCKET, &url, &forwarded, &c->error);

	if (r == FX_OK && forwarded)
		r = forward_start(opts, &forward, &c->error);
	if (r != FX_OK)
		return r;
	look_around(c, forwarded);
	c->client = client_new(&url, opts->token, opts->timeout, forward);
	r = ctl_confine(writable(c->line),
	    forwarded ? CONFINE_HANDED : CONFINE_NETWORK, &c->error);
	return r == FX_OK && forwarded ? await_way(c, forward) : r;
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
	if (cmd->needs_daemon)
		r = connect_client(c);
	else
		look_around(c, false);
	return r == FX_OK ? cmd->run(c) : r;
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
